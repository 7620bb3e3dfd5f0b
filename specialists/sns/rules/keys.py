"""An encrypted topic whose key stops publishers: gone, going, off, or closed to the service that publishes."""

from collections.abc import Iterator
from datetime import datetime

from domain.arn import arns_in
from domain.evidence import Evidence
from domain.findings import Finding
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.lastchange import by_whom, last_change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited, role_of
from specialists.sns.evidence import AlarmAction, KeyPolicy, TopicState
from specialists.sns.signs import Reading, Sign, signs

SEES = (TraceCall, TraceSegment, LogLines, AlarmAction, TopicState, KeyState, KeyPolicy, Change)
ALARMS = "cloudwatch.amazonaws.com"
READINGS = (Reading.KEY, Reading.KEY_GOING)


@rule("kms-pending-deletion", "kms-key-not-found", sees=SEES)
def key_is_going_or_gone(case: Case) -> Iterator[Finding]:
    """The key that encrypts the topic waits for its deletion, or does not exist any more."""
    key, found = case.one(KeyState), signs(case, *READINGS)
    said = [sign for sign in found if sign.reading is Reading.KEY_GOING]
    if key is not None and not key.exists:
        yield case.hypothesis(
            "kms-key-not-found",
            f"The key of `{case.target.name}`, `{key.key_arn}`, does not exist",
            proof=(key, *cited(found)) if found else (),
            strong=() if found else (key,),
            since=began(found),
        )
    elif said or (key is not None and key.going):
        if not found and case.calls_to(failed=False) and key is not None:
            yield case.advice(f"`{case.target.name}` still takes messages, but will not for long: save its key.", key)
            return
        keys: list[Evidence] = [key] if key is not None and key.going else []
        when = f" on {key.deletion_at:%Y-%m-%d}" if key is not None and key.deletion_at else ""
        yield case.hypothesis(
            "kms-pending-deletion",
            f"The key of `{case.target.name}` waits for its deletion{when} and cannot be used",
            proof=(*keys, *cited(found)) if found else (),
            strong=() if found else keys,
            resource=_accused(key, said),
            since=began(found),
        )


@rule("sns-encrypted-topic", sees=SEES)
def key_is_closed_to_the_publisher(case: Case) -> Iterator[Finding]:
    """A publisher cannot use the topic's key: its policy does not name the service, or the key is off."""
    found, key, state, policy = signs(case, *READINGS), case.one(KeyState), case.one(TopicState), case.one(KeyPolicy)
    if not found:
        return
    name, changed = f"`{case.target.name}`", _last_key_change(case, began(found))
    if any(s.reading is Reading.KEY_GOING for s in found) or (key and (not key.exists or key.going)):
        accused = _accused(key, found)
        yield case.hypothesis(
            "sns-encrypted-topic",
            f"Publishers cannot use the key of {name}, which is gone or going",
            weak=cited(found),  # the key's own cause says why
            since=began(found),
            defers_to=(case.target.id, *([accused] if accused else [])),
        )
        return
    callers_side = [sign for sign in found if sign.by_identity]
    here = [sign for sign in found if not sign.by_identity]
    unusable = [key] if key is not None and key.unusable else []
    aws_owned = [state] if state is not None and _is_aws_managed(state, key) else []
    alarms = any(isinstance(sign.evidence, AlarmAction) for sign in here)
    closed = [policy] if policy is not None and alarms and ALARMS in policy.shut_out else []
    roles = [role for sign in callers_side if (role := role_of(sign.principal))]
    yield case.hypothesis(
        "sns-encrypted-topic",
        f"{_who(found[0])} cannot use the key of {name}"
        f"{_why(unusable=bool(unusable), aws_owned=bool(aws_owned), closed=bool(closed))}{by_whom(changed)}",
        proof=(*cited(here), *unusable, *closed) if here else (),
        strong=(*aws_owned, *changed) if here else cited(callers_side),
        weak=cited(callers_side) if here else (),
        since=began(found),
        defers_to=roles,
    )


@rule("kms-throttled", sees=SEES)
def key_is_asked_too_often(case: Case) -> Iterator[Finding]:
    """Publishes fail because the account's KMS request quota is used up."""
    found = signs(case, Reading.KEY_RATE)
    if found:
        yield case.hypothesis(
            "kms-throttled",
            f"KMS throttled the encryption of {len(found)} messages to `{case.target.name}`",
            proof=cited(found),
            since=began(found),
        )


def _is_aws_managed(state: TopicState, key: KeyState | None) -> bool:
    return state.key_id.endswith("alias/aws/sns") or (key is not None and key.aws_managed)


def _accused(key: KeyState | None, found: list[Sign] | tuple[Sign, ...]) -> str | None:
    """Return the key's id: as DescribeKey tells, else as the text names it."""
    if key is not None and key.exists and key.key_arn.startswith("arn:"):
        return resource_from_arn(key.key_arn).id
    named = [arn for sign in found for arn in arns_in(sign.text) if ":kms:" in arn]
    return resource_from_arn(named[0]).id if named else None


def _last_key_change(case: Case, before: datetime | None) -> list[Change]:
    return last_change(case, "SetTopicAttributes", mentioning="KmsMasterKeyId", before=before)


def _who(sign: Sign) -> str:
    if isinstance(sign.evidence, AlarmAction):
        return f"CloudWatch alarm `{sign.evidence.alarm}`"
    return f"`{role_of(sign.principal).rsplit('/', 1)[-1]}`" if role_of(sign.principal) else "A publisher"


def _why(*, unusable: bool, aws_owned: bool, closed: bool) -> str:
    if unusable:
        return ": the key is switched off"
    if aws_owned:
        return ": it is `alias/aws/sns`, whose policy nobody can open to a service"
    return f": its policy does not name {ALARMS}" if closed else ""


RULES: tuple[Rule, ...] = (key_is_going_or_gone, key_is_closed_to_the_publisher, key_is_asked_too_often)
