"""Encrypted objects whose KMS key stops readers and writers: gone, going, off, closed to them, or asked too often."""

from collections.abc import Iterator, Sequence

from domain.arn import arns_in
from domain.findings import Finding
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.keychanges import taken_away
from specialists.kit.lastchange import by_whom, last_change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited, role_of
from specialists.s3.evidence import Encryption
from specialists.s3.signs import Reading, Sign, counted, signs

SEES = (TraceCall, TraceSegment, LogLines, Encryption, KeyState, Change)
READINGS = (Reading.KEY, Reading.KEY_GOING, Reading.KEY_GONE)
ON_OBJECTS = frozenset({"GetObject", "PutObject", "CopyObject", "HeadObject", "UploadPart", "CreateMultipartUpload"})


@rule("kms-pending-deletion", "kms-key-not-found", sees=SEES)
def key_is_going_or_gone(case: Case) -> Iterator[Finding]:
    """The key of the bucket's objects waits for its deletion, or does not exist any more."""
    for key in case.all(KeyState):
        about = [sign for sign in signs(case, *READINGS) if _meant(sign, key)]
        if not key.exists and about:
            yield case.hypothesis(
                "kms-key-not-found",
                f"{counted(about)} to `{case.target.name}` failed: its key `{key.key_arn}` does not exist",
                proof=(key, *cited(about)),
                since=began(about),
            )
        elif key.going and not about and case.calls_to(failed=False):
            yield case.advice(f"`{case.target.name}` still works, but its key waits for its deletion: save it.", key)
        elif key.going:
            when = f" on {key.deletion_at:%Y-%m-%d}" if key.deletion_at else ""
            yield case.hypothesis(
                "kms-pending-deletion",
                f"The key of `{case.target.name}` waits for its deletion{when} and cannot be used",
                proof=(key, *cited(about)) if about else (),
                strong=() if about else (key,),
                resource=_key_id(key.key_arn),
                since=began(about),
            )
    if not case.all(KeyState):
        yield from _stated(case)


@rule("s3-kms-denied", sees=SEES)
def key_cannot_be_used(case: Case) -> Iterator[Finding]:
    """Readers or writers may not use the objects' key, or it is off; a bare Access Denied would fit that as well."""
    found, keys = signs(case, *READINGS), case.all(KeyState)
    name = f"`{case.target.name}`"
    if not found:
        yield from _suspected(case, keys)
        return
    unusable = [key for key in keys if key.unusable and not key.going]
    lost = [key for key in keys if not key.exists or key.going]
    lost = [key for key in lost if any(_meant(sign, key) for sign in found)]
    going = [sign for sign in found if sign.reading is not Reading.KEY]
    if (lost or going) and not unusable:
        yield case.hypothesis(
            "s3-kms-denied",
            f"{counted(found)} to {name} failed on a key that is gone or going",
            weak=cited(found),  # the key's own cause says why
            since=began(found),
            defers_to=(case.target.id, *(_key_id(key.key_arn) for key in lost), *_named_keys(going)),
        )
        return
    here = [sign for sign in found if not sign.by_identity]
    callers_side = [sign for sign in found if sign.by_identity]
    why = "which is switched off" if unusable else "which the caller may not use"
    yield case.hypothesis(
        "s3-kms-denied",
        f"{counted(found)} to {name} failed on the objects' KMS key, {why}",
        proof=(*cited(here), *unusable) if here else (),
        strong=() if here else cited(callers_side),
        weak=cited(callers_side) if here else (),
        since=began(found),
        defers_to=[role for sign in callers_side if (role := role_of(sign.principal))],
    )


@rule("kms-throttled", sees=SEES)
def key_is_asked_too_often(case: Case) -> Iterator[Finding]:
    """Requests fail because the account's KMS request quota is used up; bucket keys would need it far less."""
    found, default = signs(case, Reading.KEY_RATE), case.one(Encryption)
    if not found:
        return
    off = default is not None and default.by_customer_key and not default.bucket_key
    yield case.hypothesis(
        "kms-throttled",
        f"KMS throttled the encryption of {counted(found)} to `{case.target.name}`"
        f"{'; its bucket key is off' if off else ''}",
        proof=cited(found),
        strong=[default] if default is not None and off else (),
        since=began(found),
    )


@rule("deploy-regression", sees=SEES)
def key_was_taken_away(case: Case) -> Iterator[Finding]:
    """Somebody disabled the objects' key or scheduled its deletion before requests began to fail for it."""
    yield from taken_away(case, began(signs(case, *READINGS)))


def _suspected(case: Case, keys: Sequence[KeyState]) -> Iterator[Finding]:
    """Name the key where objects are denied without a reason, and the bucket's default key is a customer's."""
    denied = [
        s for s in signs(case, Reading.DENIED) if s.operation in ON_OBJECTS and not (s.by_identity or s.by_resource)
    ]
    default = case.one(Encryption)
    if not denied or default is None or not default.by_customer_key:
        return
    changed = last_change(case, "PutBucketEncryption", before=began(denied))
    off = [key for key in keys if key.unusable]
    yield case.hypothesis(
        "s3-kms-denied",
        f"{counted(denied)} to `{case.target.name}` denied without a reason; its objects are encrypted with "
        f"`{default.key_id}`{by_whom(changed)}",
        strong=(*off, *changed, *(cited(denied) if changed else ())),
        weak=(default, *(() if changed else cited(denied))),
        since=began(denied),
    )


def _stated(case: Case) -> Iterator[Finding]:
    """Name what the text alone states, where no key could be read."""
    going, gone = signs(case, Reading.KEY_GOING), signs(case, Reading.KEY_GONE)
    if going:
        yield case.hypothesis(
            "kms-pending-deletion",
            f"{counted(going)} to `{case.target.name}` failed: the key waits for its deletion",
            proof=cited(going),
            resource=next(iter(_named_keys(going)), None),
            since=began(going),
        )
    if gone:
        yield case.hypothesis(
            "kms-key-not-found",
            f"{counted(gone)} to `{case.target.name}` failed: KMS does not know the key",
            proof=cited(gone),
            since=began(gone),
        )


def _meant(sign: Sign, key: KeyState) -> bool:
    """Tell whether a refusal is about that key: it names it, or names none."""
    named = _named_keys([sign])
    return not named or _key_id(key.key_arn) in named


def _named_keys(found: Sequence[Sign]) -> tuple[str, ...]:
    named = (arn for sign in found for arn in arns_in(sign.text) if ":kms:" in arn)
    return tuple(dict.fromkeys(map(_key_id, named)))


def _key_id(text: str) -> str:
    return resource_from_arn(text).id if text.startswith("arn:") else text


RULES: tuple[Rule, ...] = (key_is_going_or_gone, key_cannot_be_used, key_is_asked_too_often, key_was_taken_away)
