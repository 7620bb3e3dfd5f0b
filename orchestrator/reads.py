"""Every read that the bot makes: discovery's and the probes'. The guard, the role policy and the docs come from it."""

from aws.reads import Read
from orchestrator import discover
from specialists.registry import declared_reads


def every_read() -> frozenset[Read]:
    """Return all declared reads."""
    return declared_reads() | frozenset(discover.READS)


def policy() -> dict[str, object]:
    """Return the least IAM policy that lets every look succeed."""
    actions = sorted({read.action for read in every_read()})
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "RcaBotReads", "Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
