"""What the change specialist can see: changes that others than CloudTrail tell of, and how far it could look.

Each source's changes have the fields of CloudTrail's, so that whoever reads changes reads them all. `parameters` are
the new values, `before` the old ones where the source knows them; settings are spelt as CloudTrail spells them.
"""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from specialists.kit.change import Change

UNKNOWN = "unknown"
"""Who made a change, where the source tells no names."""

LATEST = "$LATEST"
"""The version of a function that its code and settings are edited in."""


class KnownChange(Change):
    """A change whose source may tell the old values too."""

    before: dict[str, str] = {}

    def summary(self) -> str:
        """Say who did what and when, from which value to which."""
        by = "" if self.who == UNKNOWN else f" by {self.who}"
        when = f" at {self.observed_at:%Y-%m-%d %H:%M:%S} UTC" if self.observed_at else ""
        outcome = "" if self.took_effect else f" (did not take effect: {self.error_code} {self.error_message})"
        told = ", ".join(
            _told(key, self.before.get(key, ""), value) for key, value in sorted(self.parameters.items())[:6]
        )
        return f"{self.event_name}{by}{when}{outcome.rstrip()}" + (f": {told}" if told else "")


def _told(key: str, old: str, new: str) -> str:
    return f"{key} {old} → {new}" if old and new else f"{key} {new or 'changed'}"


class RevisionChange(KnownChange, kind="change.revision"):
    """A version of a function that was published, or the last update of $LATEST, compared with the one before it.

    A setting whose value is nobody's business has an empty value: it changed.
    """

    version: str


class StackChange(KnownChange, kind="change.stack"):
    """What CloudFormation did to one resource; `observed_at` is when it began, `event_name` "CloudFormation UPDATE"."""

    stack: str


class DeploymentChange(KnownChange, kind="change.deployment"):
    """A CodeDeploy deployment that moves a function's alias to another version."""

    application: str
    status: str


class ParameterChange(KnownChange, kind="change.parameter"):
    """A new version of an SSM parameter. Its value was compared and is kept nowhere.

    `changed` is None where nobody can tell: a SecureString's ciphertext differs every time.
    """

    version: int
    changed: bool | None = None

    def summary(self) -> str:
        """Say who wrote which version, and whether the value is another one."""
        value = {True: "another value", False: "the same value", None: "encrypted, so perhaps the same value"}
        return f"{super().summary()} (version {self.version}, {value[self.changed]})"


class Revision(Value):
    """One version's settings, comparable: numbers and names; of the environment the names of its variables only."""

    version: str
    at: AwareDatetime | None = None
    settings: dict[str, str] = {}


class FunctionRevisions(Evidence, kind="change.function"):
    """What a function runs as and with, and its newest published versions, the oldest first."""

    role: str = ""
    key_arn: str = ""
    security_groups: tuple[str, ...] = ()
    latest: Revision
    published: tuple[Revision, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Say when it was last modified and which versions there are."""
        when = f"last modified {self.latest.at:%Y-%m-%d %H:%M:%S} UTC" if self.latest.at else "last change unknown"
        newest = f", newest version {self.published[-1].version}" if self.published else ", no versions"
        return f"function settings {when}{newest}" + (", and more that were not read" if self.truncated else "")


class AliasState(Evidence, kind="change.alias"):
    """Where an alias points; `weights` are the shares (0 to 1) of other versions."""

    alias: str
    version: str
    weights: dict[str, float] = {}

    def summary(self) -> str:
        """Say where its calls go."""
        rest = 1 - sum(self.weights.values())
        also = "".join(f", {share:.0%} to version {version}" for version, share in sorted(self.weights.items()))
        return f"alias {self.alias} sends {rest:.0%} to version {self.version}{also}"


class ChangesSearched(Evidence, kind="change.searched"):
    """CloudTrail was read for these names: what it does not tell of them did not happen.

    `resource` is the first of the resources; `trivial` counts events that change no behaviour, such as tags;
    `cut_short` are the names with more events than were read; `left_out` the number of names of which nothing was read.
    """

    names: tuple[str, ...]
    searched_from: AwareDatetime
    trivial: int = 0
    cut_short: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything that was to be asked was answered in full."""
        return not (self.cut_short or self.left_out)

    def summary(self) -> str:
        """Say what was asked, and what remained open."""
        count = f"{len(self.names)} {'name' if len(self.names) == 1 else 'names'}"
        asked = f"CloudTrail read for {count} since {self.searched_from:%Y-%m-%d %H:%M} UTC"
        short = f"; only the newest events of {', '.join(self.cut_short)}" if self.cut_short else ""
        rest = f"; {self.left_out} names not read" if self.left_out else ""
        return f"{asked}, {self.trivial} events of tags and the like left out{short}{rest}"
