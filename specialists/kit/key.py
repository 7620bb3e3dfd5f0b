"""A KMS key that something is encrypted with, as evidence.

States: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from pydantic import AwareDatetime

from domain.evidence import Evidence

GOING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
USABLE = frozenset({"Enabled", "Creating", "Updating"})


class KeyState(Evidence, kind="kms.key"):
    """The key of the resource, as DescribeKey tells; `state` is empty when there is no such key.

    `named` is what the resource calls it (an ARN, an id, an alias), `key_arn` its ARN, the same as `named` where there
    is no such key. `aws_managed`: its policy cannot be changed.
    """

    key_arn: str
    named: str = ""
    exists: bool = True
    state: str = ""
    aws_managed: bool = False
    deletion_at: AwareDatetime | None = None

    @property
    def going(self) -> bool:
        """Whether it waits for its deletion, and cannot be used until then."""
        return self.state in GOING

    @property
    def unusable(self) -> bool:
        """Whether it is there, and cannot be used."""
        return self.exists and self.state not in USABLE

    def summary(self) -> str:
        """Say whether it can be used."""
        if not self.exists:
            return f"The key {self.key_arn} does not exist"
        whose = " (AWS managed)" if self.aws_managed else ""
        when = f", to be deleted at {self.deletion_at:%Y-%m-%d %H:%M} UTC" if self.deletion_at else ""
        return f"The key {self.key_arn}{whose} is {self.state}{when}"
