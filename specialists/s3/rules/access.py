"""Access denied, and by which layer: the bucket policy, its ACLs, Block Public Access, or not to be told."""

from collections.abc import Iterator, Sequence

from domain.arn import Arn
from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import by_whom, last_change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited, role_of
from specialists.kit.policies import Asked, Verdict, said
from specialists.kit.series import MetricSeries, plain
from specialists.s3.evidence import BucketPolicy, Ownership, PolicyStatus, PublicAccess
from specialists.s3.metrics import CLIENT_ERRORS, risen
from specialists.s3.signs import Reading, Sign, counted, signs

SEES = (TraceCall, TraceSegment, LogLines, MetricSeries, BucketPolicy, PolicyStatus, PublicAccess, Ownership, Change)

CLOSING = ("PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketOwnershipControls")
BLOCKING = ("PutBucketPublicAccessBlock", "PutPublicAccessBlock", "PutAccountPublicAccessBlock")
"""CloudTrail's names of the changes that can take access away."""

ACTIONS = {
    "HeadObject": "s3:GetObject",
    "CopyObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
}
"""The IAM action of operations whose own name it is not."""

LOOKS_MISSING = frozenset({"GetObject", "HeadObject", "CopyObject"})
"""Without s3:ListBucket, S3 answers these on a missing object with 403 as well."""


@rule("s3-access-denied", sees=SEES)
def access_is_denied(case: Case) -> Iterator[Finding]:
    """Requests are denied; the bucket policy proves it where a Deny in it applies, otherwise other layers fit too."""
    found, acls = signs(case, Reading.DENIED), signs(case, Reading.ACL)
    if not (found or acls):
        return
    callers_side = [sign for sign in found if sign.by_identity]
    here = [sign for sign in found if not sign.by_identity]
    stated = [sign for sign in here if sign.by_resource]
    policy, owner = case.one(BucketPolicy), case.one(Ownership)
    denied = [sign for sign in here if policy is not None and _verdict(case, policy, sign) is Verdict.DENIED]
    changed = last_change(case, *CLOSING, before=began(here or acls))
    proving = stated or denied
    open_ = [] if proving else here
    enforced: list[Evidence] = [owner] if acls and owner is not None and owner.setting == "BucketOwnerEnforced" else []
    yield case.hypothesis(
        "s3-access-denied",
        _sentence(case, found or acls, denied=bool(denied), callers_side=not (here or acls), acls=not found)
        + by_whom(changed),
        proof=(*cited(proving), *([policy] if denied and policy else [])),
        strong=(*cited(acls), *enforced, *(cited(open_) if changed else ()), *changed),
        weak=(*(() if changed else cited(open_)), *cited(callers_side)),
        since=began(found or acls),
        defers_to=[role for sign in callers_side if (role := role_of(sign.principal))],
    )
    if open_ and any(sign.operation in LOOKS_MISSING for sign in open_):
        yield case.advice(
            "Check that the object exists: without s3:ListBucket, S3 answers a request for a missing object with "
            "Access Denied too.",
            *cited(open_, 1),
        )


@rule("s3-block-public-access", sees=SEES)
def public_access_is_blocked(case: Case) -> Iterator[Finding]:
    """Unsigned requests are denied since Block Public Access is on; it stops no signed request of the same account."""
    stated, block = signs(case, Reading.PUBLIC), case.one(PublicAccess)
    denied = [sign for sign in signs(case, Reading.DENIED) if not (sign.by_identity or sign.by_resource)]
    anonymous = [sign for sign in denied if sign.anonymous]
    unsigned = anonymous or [sign for sign in denied if not sign.principal]
    refused = risen(case, CLIENT_ERRORS)
    changed = last_change(
        case, *BLOCKING, before=began(unsigned) or (refused.first_over(refused.usual_peak) if refused else None)
    )
    opened: list[Evidence] = [item for item in (case.one(BucketPolicy),) if item is not None and item.opens_to_all]
    blocks: list[Evidence] = [block] if block is not None and block.stops_reads else []
    graded = _graded(case, stated, anonymous, unsigned, [*blocks, *changed], opened)
    if graded is None:
        return
    proof, strong, weak = graded
    count = counted(stated or unsigned) if stated or unsigned else f"{plain(refused.total if refused else 0)} requests"
    yield case.hypothesis(
        "s3-block-public-access",
        f"{count} to `{case.target.name}` are denied because Block Public Access is on{by_whom(changed)}",
        proof=proof,
        strong=strong,
        weak=weak,
        since=changed[0].observed_at if changed else began(stated or unsigned),
    )


_Graded = tuple[Sequence[Evidence], Sequence[Evidence], Sequence[Evidence]]
"""Evidence as proof, as strong and as weak."""


def _graded(
    case: Case,
    stated: Sequence[Sign],
    anonymous: Sequence[Sign],
    unsigned: Sequence[Sign],
    blocks: Sequence[Evidence],
    opened: Sequence[Evidence],
) -> _Graded | None:
    """Say what the evidence carries; None when nothing speaks for Block Public Access.

    `blocks` are its state, if it stops reads, and the change that switched it on; `opened` a policy open to all.
    """
    refused = risen(case, CLIENT_ERRORS)
    stops = any(isinstance(item, PublicAccess) for item in blocks)
    switched = len(blocks) > 1
    if stated:
        return cited(stated), blocks, ()
    if not stops:
        return None
    if anonymous and (opened or switched):
        return (*cited(anonymous), blocks[0]), (*blocks[1:], *opened), ()
    if anonymous:
        return (), (*cited(anonymous), *blocks), ()
    if switched and refused is not None and not case.calls_to(failed=True):
        return (), (*blocks, refused, *opened), ()
    return ((), (), (*cited(unsigned), *blocks)) if switched and unsigned else None


def _verdict(case: Case, policy: BucketPolicy, sign: Sign) -> Verdict:
    """Say what the bucket policy says to the refused request; without a known caller only what it says to all."""
    action = ACTIONS.get(sign.operation, f"s3:{sign.operation}") if sign.operation else ""
    if not action:
        return Verdict.UNCLEAR
    on_bucket = action.startswith(("s3:ListBucket", "s3:GetBucket", "s3:PutBucket"))
    # The object is rarely known: a statement about all objects of the bucket is about it.
    resource = case.target.id if on_bucket else f"{case.target.id}/{sign.key or '*'}"
    principal = sign.principal
    role = role_of(principal)
    account = Arn.parse(principal).account if principal else ""
    name = role.rsplit("/", 1)[-1]
    roles = (f"AWS:{role}", f"AWS:arn:*:iam::{account}:role/*/{name}") if role else ()
    who = (f"AWS:{principal}", f"AWS:{account}", f"AWS:arn:*:iam::{account}:root", *roles) if principal else ()
    return said(policy.policy, Asked(action, resource, who, {"aws:securetransport": "true"}))


def _sentence(case: Case, found: Sequence[Sign], *, denied: bool, callers_side: bool, acls: bool) -> str:
    start = f"{counted(found)} to `{case.target.name}` denied"
    if acls:
        return f"{counted(found)} to `{case.target.name}` refused because its ACLs are off"
    if denied:
        return f"{start} by an explicit Deny in the bucket policy"
    return f"{start} by a policy on the caller's side" if callers_side else start


RULES: tuple[Rule, ...] = (access_is_denied, public_access_is_blocked)
