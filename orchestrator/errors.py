"""What can keep an investigation from being made.

InvestigationError
├── UnusableInput      the asker must ask differently: nothing was looked at
└── NothingToLookAt    the input was understood, and AWS has nothing under it: the asker must check id, name or Region

Credentials, Regions and networks that do not work are aws.errors.AccountUnusable: the operator must act.
"""

from domain.gap import Gap


class InvestigationError(Exception):
    """Its message is one sentence for people that says what to do next."""


class UnusableInput(InvestigationError):
    """The text names nothing that can be investigated."""


class NothingToLookAt(InvestigationError):
    """What the text names does not exist where we looked, or could not be read: the gaps say which."""

    def __init__(self, message: str, gaps: tuple[Gap, ...] = ()) -> None:
        super().__init__(message)
        self.gaps = gaps
