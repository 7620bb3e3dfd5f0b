"""Which cause Lambda states by itself when it cannot set up a function's network: by text, or by a state's code. Pure.

Exceptions: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
Codes of states: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

import re
from functools import lru_cache
from typing import NamedTuple

from specialists.vpc.destinations import UNRESOLVED

MAX_TEXT = 4_000


class Stated(NamedTuple):
    """A cause, the texts and the codes that state it, and how the sentence about the function goes on."""

    cause: str
    pattern: re.Pattern[str]
    codes: frozenset[str]
    says: str


def _row(cause: str, says: str, codes: tuple[str, ...], *texts: str) -> Stated:
    return Stated(cause, re.compile("|".join(texts), re.IGNORECASE), frozenset(codes), says)


STATED: tuple[Stated, ...] = (
    _row(
        "lambda-eni-limit",
        "gets no network interface: the quota is used up",
        ("EniLimitExceeded",),
        r"ENILimitReached",
        r"\bEniLimitExceeded\b",
        r"(?:elastic )?network interface limit was reached",
    ),
    _row(
        "lambda-subnet-ip-exhausted",
        "gets no address: its subnets are full",
        ("SubnetOutOfIPAddresses",),
        r"SubnetIPAddressLimitReached",
        r"\bSubnetOutOfIPAddresses\b",
        r"subnets? ha(?:s|ve) no available IP addresses",
    ),
    _row(
        "lambda-ec2-throttled",
        "gets no network interface: EC2 throttles its creation",
        ("EC2RequestLimitExceeded",),
        r"EC2ThrottledException",
        r"\bEC2RequestLimitExceeded\b",
        r"Lambda was throttled by Amazon EC2",
        r"Amazon EC2 throttled Lambda",
    ),
    _row(
        "lambda-ec2-access-denied",
        "runs as a role that may not create network interfaces",
        ("InsufficientRolePermissions",),
        r"EC2AccessDeniedException",
        r"role does not have permissions to call \w{3,40}NetworkInterface\w{0,20} on EC2",
        r"additional permissions to configure VPC",
    ),
    _row(
        "lambda-subnet-sg-deleted",
        "is configured with a subnet or security group that is gone",
        ("InvalidSubnet", "InvalidSecurityGroup"),
        r"Invalid(?:SubnetID|SecurityGroupID)Exception",
        r"(?:subnet|security group) ID provided in the Lambda function VPC configuration is (?:not valid|invalid)",
    ),
    _row(
        "lambda-efs-mount",
        "cannot mount its file system",
        ("EFSIOError", "EFSMountConnectivityError", "EFSMountFailure", "EFSMountTimeout"),
        r"EFS(?:Mount\w{4,16}|IO)Exception",
        r"could(?: not|n't) mount the EFS file system",
        r"could(?: not|n't) make a network connection to the (?:configured|EFS) file system",
    ),
)

ENDPOINT_DENIAL = re.compile(
    r"no\s{1,4}VPC\s{1,4}endpoint\s{1,4}polic\w{1,3}\s{1,4}allows"
    r"|explicit\s{1,4}deny\s{1,4}in\s{1,4}(?:an?\s{1,4}|the\s{1,4})?VPC\s{1,4}endpoint\s{1,4}polic",
    re.IGNORECASE,
)
OTHER_POLICY = re.compile(
    r"(?:because\s{1,4}no|explicit\s{1,4}deny\s{1,4}in\s{1,4}(?:an?|the))\s{1,4}"
    r"(?:identity|resource|session|service\s{1,4}control|resource\s{1,4}control|permissions\s{1,4}bound|role\s{1,4}trust)",
    re.IGNORECASE,
)
DENIED = re.compile(r"Access ?Denied|not authorized to perform|\bForbidden\b|UnauthorizedOperation", re.IGNORECASE)
ON = re.compile(
    r"not authorized to perform:? (?P<action>[\w-]{2,40}:\w{1,80})"
    r"(?: on resource:? \\?[\"']?(?P<resource>arn:[^\s\"'\\<>]{1,1600}))?",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def stated_cause(text: str) -> str | None:
    """Return the cause that a text states."""
    return next((row.cause for row in STATED if row.pattern.search(text[:MAX_TEXT])), None)


def cause_of_code(code: str) -> str | None:
    """Return the cause that the reason code of a state states."""
    return next((row.cause for row in STATED if code in row.codes), None)


def speaks_of_network(text: str) -> bool:
    """Tell whether a text is about setting up the network, an endpoint's policy, or a name that did not resolve."""
    part = text[:MAX_TEXT]
    return stated_cause(text) is not None or any(
        pattern.search(part) is not None for pattern in (ENDPOINT_DENIAL, DENIED, UNRESOLVED)
    )
