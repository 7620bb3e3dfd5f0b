"""What AWS says when it refuses a call, taken apart: who, what, on what, and which kind of policy refused.

Wordings: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from domain.values import Value


class PolicyType(StrEnum):
    """The kind of policy that refused, in AWS's words."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    ENDPOINT = "VPC endpoint policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "role trust policy"


class Denial(Value):
    """One refusal. What the text leaves out is empty, and `policy_type` None.

    `action` is as printed ("sqs:sendmessage"); `explicit` means that a Deny matched, otherwise an Allow is missing;
    `policy_arn` is the policy at fault where AWS names it.
    """

    principal: str = ""
    action: str = ""
    resource: str = ""
    policy_type: PolicyType | None = None
    explicit: bool = False
    policy_arn: str = ""

    @property
    def role(self) -> str:
        """The name of the role whose session was refused; empty for users and services."""
        parts = self.principal.rsplit(":", 1)[-1].split("/")
        return (parts[1] if parts[0] == "assumed-role" else parts[-1]) if parts[0] in ROLE_FORMS else ""

    @property
    def session(self) -> str:
        """The session's name: for a Lambda function's own role, the name of the function."""
        parts = self.principal.rsplit(":", 1)[-1].split("/")
        return parts[2] if parts[0] == "assumed-role" and len(parts) > 2 else ""

    @property
    def account(self) -> str:
        """The account of the principal, empty when hidden or absent."""
        return _account(self.principal)

    @property
    def crosses_accounts(self) -> bool | None:
        """Whether principal and resource are in two accounts; None when the text does not tell."""
        other = _account(self.resource)
        return self.account != other if self.account and other else None

    @property
    def assumes_role(self) -> bool:
        """Whether the refused action is one of the sts:AssumeRole family."""
        return self.action.lower().startswith("sts:assumerole") or self.policy_type is PolicyType.TRUST


ROLE_FORMS = frozenset({"assumed-role", "role"})
OF_AWS = re.compile(r"arn:aws|[a-z0-9.-]{2,60}\.amazonaws\.com", re.IGNORECASE)

REFUSED = re.compile(
    r"(?:User:\s{0,4}(?P<principal>[^\s\"']{1,600})\s{1,4})?(?:is\s{1,4})?not\s{1,4}authorized\s{1,4}to\s{1,4}perform:?\s{1,4}"
    r"(?P<action>[A-Za-z0-9-]{2,40}:[A-Za-z0-9]{1,80})",
    re.IGNORECASE,
)
ON_RESOURCE = re.compile(
    r"\s{1,4}on\s{1,4}resource:?\s{1,4}(?:\\{0,7}[\"'](?P<quoted>[^\"'\\]{1,1600})\\{0,7}[\"']|(?P<bare>[^\s\"'\\<>]{1,1600}))",
    re.IGNORECASE,
)
BLAMED = re.compile(
    r"(?:because\s{1,4}(?:no|the)|(?P<explicit>with\s{1,4}an\s{1,4}explicit\s{1,4}deny\s{1,4}in(?:\s{1,4}(?:an?|the))?))\s{1,4}"
    r"(?P<type>identity-based|resource-based|session|vpc\s{1,4}endpoint|service\s{1,4}control|resource\s{1,4}control"
    r"|role\s{1,4}trust|permissions\s{1,4}boundar(?:y|ies))"
    r"(?:\s{1,4}polic(?:y|ies))?(?::?\s{1,4}(?P<arn>arn:[^\s\"'\\)]{1,400}))?",
    re.IGNORECASE,
)
CALL_ON = re.compile(
    r"execution\s+role\s+does\s+not\s+have\s+permissions?\s+to\s+call\s+(?P<operation>[A-Za-z0-9]{1,80})\s+on\s+"
    r"(?P<service>[A-Za-z0-9]{1,40})",
    re.IGNORECASE,
)
MAY_NOT_ASSUME = re.compile(
    r"(?P<principal>arn:[^\s\"',]{1,600})\s+is\s+not\s+authorized\s+to\s+assume\s+[^,\"]{0,60}role,?\s+"
    r"(?P<role>arn:[^\s\"',\\]{1,600})",
    re.IGNORECASE,
)
SERVICE_MAY_NOT_ASSUME = re.compile(
    r"service\s+principal\s+(?P<service>[a-z0-9-]{2,60}\.amazonaws\.com)[^\n]{0,80}authorized\s+to\s+assume\s+the\s+provided\s+role",
    re.IGNORECASE,
)
TYPES = {
    "identity-based": PolicyType.IDENTITY,
    "resource-based": PolicyType.RESOURCE,
    "session": PolicyType.SESSION,
    "vpc endpoint": PolicyType.ENDPOINT,
    "service control": PolicyType.SERVICE_CONTROL,
    "resource control": PolicyType.RESOURCE_CONTROL,
    "role trust": PolicyType.TRUST,
    "permissions boundary": PolicyType.BOUNDARY,
    "permissions boundaries": PolicyType.BOUNDARY,
}
TAIL = 2_400
"""How many characters after the action belong to one refusal at most: a resource name and the reason."""


@lru_cache(maxsize=1024)
def denials_in(text: str) -> tuple[Denial, ...]:
    """Return the refusals that stand in a text, each once, in order; anonymous callers are left out.

    An unsigned request has no principal whose policies could be mended. A principal that is no ARN and no service is
    an application's, whose own rules refuse in words like AWS's. Every rule asks about the same texts, so the answers
    are remembered.
    """
    found = (*_refused(text), *_execution_role(text), *_trust(text))
    return tuple(dict.fromkeys(d for d in found if not d.principal or OF_AWS.match(d.principal)))


def _refused(text: str) -> Iterator[Denial]:
    matches = list(REFUSED.finditer(text))
    ends = [following.start() for following in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends, strict=False):
        tail = text[match.end() : min(end, match.end() + TAIL)]
        where = ON_RESOURCE.match(tail)
        blamed = BLAMED.search(tail)
        yield Denial(
            principal=_trimmed(match["principal"]),
            action=match["action"],
            resource=_trimmed((where["quoted"] or where["bare"]) if where else ""),
            policy_type=TYPES[" ".join(blamed["type"].lower().split())] if blamed else None,
            explicit=bool(blamed and blamed["explicit"]),
            policy_arn=_trimmed(blamed["arn"]) if blamed else "",
        )


def _execution_role(text: str) -> Iterator[Denial]:
    for match in CALL_ON.finditer(text):
        yield Denial(action=f"{match['service'].lower()}:{match['operation']}", policy_type=PolicyType.IDENTITY)


def _trust(text: str) -> Iterator[Denial]:
    for match in MAY_NOT_ASSUME.finditer(text):
        yield Denial(principal=_trimmed(match["principal"]), action="sts:AssumeRole", resource=_trimmed(match["role"]))
    for match in SERVICE_MAY_NOT_ASSUME.finditer(text):
        yield Denial(principal=match["service"].lower(), action="sts:AssumeRole", policy_type=PolicyType.TRUST)


def _trimmed(text: str | None) -> str:
    return (text or "").rstrip(".,;:)]}")


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else ""


SHORT_CODES = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403"}
)
"""Codes that some services (S3 first) give with no more words than "Access Denied"."""

SHORT = re.compile(
    r"\((?:AccessDenied|AccessDeniedException|403|Forbidden)\) when calling the (?P<boto>[A-Za-z0-9]{1,80}) operation"
    r"|operation error (?P<service>[A-Za-z0-9 ]{1,40}): (?P<go>[A-Za-z0-9]{1,80}),[^\n]{0,400}api error AccessDenied"
)
OPERATION = re.compile(
    r"when calling the (?P<boto>[A-Za-z0-9]{1,80}) operation"
    r"|operation error [A-Za-z0-9 ]{1,40}: (?P<go>[A-Za-z0-9]{1,80}),"
)
PREFIXES = {"stepfunctions": "states", "sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs"}
"""IAM's prefix where the SDKs call the service otherwise."""

S3_ACTIONS = {
    "HeadObject": "s3:GetObject",
    "CopyObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
"""The IAM action of S3's operations (https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html)."""

ACTIONS = {
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("dynamodb", "TransactWriteItems"): "",
    ("dynamodb", "TransactGetItems"): "",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
    ("sqs", "DeleteMessageBatch"): "sqs:DeleteMessage",
    ("sns", "PublishBatch"): "sns:Publish",
}
"""Operations that IAM permits by another name; empty where one operation needs several."""


def action_of(service: str, operation: str) -> str:
    """Return the IAM action that an SDK operation needs, empty when that cannot be told."""
    name = service.lower().removeprefix("amazon").replace(" ", "").replace("-", "")
    prefix = PREFIXES.get(name, name)
    if not prefix or not operation:
        return ""
    return (
        S3_ACTIONS.get(operation, "") if prefix == "s3" else ACTIONS.get((prefix, operation), f"{prefix}:{operation}")
    )


def operation_in(text: str) -> str:
    """Return the operation that boto3 and the Go SDK name in their errors, empty for other wordings."""
    found = OPERATION.search(text)
    return (found["boto"] or found["go"]) if found else ""


KEY_CLOSED = re.compile(
    r"Access to KMS is not allowed"
    r"|\b(?:GetParameter\w{0,10}|GetSecretValue|Decrypt)\b[^\r\n]{0,200}The ciphertext refers to a customer master key"
)


def key_denial_in(text: str) -> Denial | None:
    """Return the refusal where Secrets Manager or Parameter Store passes on, without a name, that KMS refused."""
    return Denial(action="kms:Decrypt") if KEY_CLOSED.search(text) else None


def short_denial_in(text: str) -> Denial | None:
    """Return the refusal of a text that names an operation and no reason; None for anything else.

    botocore's wording names no service: only the operations of S3, which alone refuses so tersely, are taken.
    """
    match = SHORT.search(text)
    if match is None:
        return None
    action = action_of("s3", match["boto"]) if match["boto"] else action_of(match["service"], match["go"])
    return Denial(action=action) if action else None
