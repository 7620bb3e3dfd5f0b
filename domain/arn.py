"""Amazon Resource Names of every partition.

Format: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import re
from typing import Self

from domain.values import Value

ARN = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov|aws-iso(?:-[a-z])?|aws-eusc):([a-z0-9-]{1,64}):([a-z0-9-]{0,32}):([0-9]{12}|aws|):([^\s\x00-\x1f\x7f\"'<>`\\]{1,1024})"
)
"""Finds an ARN inside other text; the resource part runs to the next white space."""

LISTED = re.compile(r"[,;|](?=arn:)")
TRAILING = ".,;:?!'\")]}>…”’"
"""What ends a sentence or a quotation, not an ARN."""


class Arn(Value):
    """An ARN taken apart. `region` and `account` may be empty, as in S3's and IAM's."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an ARN apart; raises ValueError for anything else."""
        match = ARN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not an ARN: {text[:80]!r}")
        partition, service, region, account, resource = match.groups()
        return cls(partition=partition, service=service, region=region, account=account, resource=resource)

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def partition_of(region: str) -> str:
    """Return the partition a Region belongs to: `cn-north-1` is in `aws-cn`."""
    for prefix, partition in (
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eusc-", "aws-eusc"),
    ):
        if region.startswith(prefix):
            return partition
    return "aws"


def arns_in(text: str) -> list[str]:
    """Return the ARNs that stand in free text, without the punctuation around them, in order, each once."""
    apart = LISTED.sub(" ", text)
    found = (match.group(0).rstrip(TRAILING) for match in ARN.finditer(apart))
    return list(dict.fromkeys(arn for arn in found if ARN.fullmatch(arn)))
