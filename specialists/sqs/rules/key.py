"""What goes wrong with the KMS key that encrypts a queue."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.lastchange import by_whom
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import standstill
from specialists.sqs.evidence import (
    ConsumerDecrypt,
    ConsumerFunction,
    Consumers,
    KeyPolicy,
    QueueState,
    Statement,
)
from specialists.sqs.metrics import RECEIVED, SENT
from specialists.sqs.signs import Reading, signs
from specialists.sqs.subject import Subject, first_rise, present, stopped

SEES = (TraceCall, TraceSegment, LogLines, QueueState, Consumers, Change, KeyState, MetricSeries)
KMS = (Reading.KMS_STATE, Reading.KMS_DENIED)


@rule("kms-pending-deletion", "kms-key-not-found", sees=SEES)
def key_is_going_or_gone(case: Case) -> Iterator[Finding]:
    """The key that encrypts the queue waits for its deletion, or does not exist any more."""
    key = case.one(KeyState)
    if key is None or (key.exists and not key.going):
        return
    symptoms = _symptoms(case)
    if not symptoms and case.calls_to(failed=False):
        yield case.advice(f"`{case.target.name}` still works, but not for long: save or replace its key.", key)
        return
    when = f" on {key.deletion_at:%Y-%m-%d}" if key.deletion_at else ""
    yield case.hypothesis(
        "kms-pending-deletion" if key.exists else "kms-key-not-found",
        f"The key of `{case.target.name}` waits for its deletion{when} and cannot be used"
        if key.exists
        else f"The key of `{case.target.name}`, `{key.key_arn}`, does not exist",
        proof=(key, *symptoms) if symptoms else (),
        strong=() if symptoms else (key,),
        resource=key.key_arn if key.exists else None,
        since=began(signs(case, *KMS)),
    )


@rule("sqs-kms", sees=SEES)
def key_cannot_be_used(case: Case) -> Iterator[Finding]:
    """The sender or the reader may not use the queue's key, or the key is disabled."""
    found, key = signs(case, *KMS), case.one(KeyState)
    unusable = key is not None and key.unusable
    if key is not None and (not key.exists or key.going):
        if found:
            # Weak, and after the key itself: the key's own cause says why.
            sentence = f"Senders to `{case.target.name}` cannot use its key"
            own = [key.key_arn] if key.exists else ()
            yield case.hypothesis("sqs-kms", sentence, weak=cited(found), since=began(found), defers_to=own)
        return
    symptoms = _symptoms(case)
    if not found and not (unusable and (symptoms or not case.calls_to(failed=False))):
        return
    elsewhere = [sign for sign in found if sign.by_own_policies]
    proves = bool(symptoms) and len(elsewhere) < max(1, len(found))
    keys = [key] if key is not None and unusable else []
    say = f"is {key.state}" if key is not None and unusable else "may not be used by the sender"
    yield case.hypothesis(
        "sqs-kms",
        f"The key of `{case.target.name}` {say}" + (f": {len(found)} requests failed" if found else ""),
        proof=(*symptoms, *keys) if proves else (),
        strong=() if proves else (*symptoms, *keys),
        since=began(found),
        defers_to=[pointer for sign in elsewhere for pointer in sign.own_side],
    )


@rule("sqs-kms", sees=(*SEES, KeyPolicy))
def service_cannot_use_key(case: Case) -> Iterator[Finding]:
    """A service that the queue's policy lets send cannot use the queue's key, and nothing is sent any more."""
    key, policy, subject = case.one(KeyState), case.one(KeyPolicy), Subject(case, case.target.id)
    if key is None or not key.exists or key.unusable or signs(case, *KMS):
        return
    senders = {p for s in (subject.state.statements if subject.state else None) or () if s.allows for p in _services(s)}
    shut = sorted(service for service in senders if _shuts_out(key, policy, service))
    if not shut:
        return
    sent = subject.series(SENT)
    names = ", ".join(f"`{name.removeprefix('Service:')}`" for name in shut)
    whose = "the AWS managed key" if key.aws_managed else "its key"
    sentence = f"{names} may send to `{subject.name}` but cannot use {whose} that encrypts it"
    since = standstill(sent, case.window.end)
    if stopped(sent) or since:
        changed = subject.set_attribute("KmsMasterKeyId")
        yield case.hypothesis(
            "sqs-kms",
            f"{sentence}, and nothing {'is sent any more' if since else 'was sent'}{by_whom([*present(changed)])}",
            strong=present(policy or key, sent, changed),
            weak=present(subject.state),
            since=since,
        )
    elif sent is None or not sent.total:
        yield case.advice(f"{sentence}: its deliveries fail.", *present(key, policy))


def _shuts_out(key: KeyState, policy: KeyPolicy | None, service: str) -> bool:
    if key.aws_managed:
        return True
    if policy is None or policy.statements is None:
        return False
    open_to = {"*", service}
    return not any(s.allows and (s.negated or open_to & set(s.principals)) for s in policy.statements)


@rule("esm-role-cannot-read-queue", sees=(*SEES, KeyPolicy, ConsumerFunction, ConsumerDecrypt))
def reader_cannot_use_key(case: Case) -> Iterator[Finding]:
    """Messages wait and nobody receives any more: the reader's role may not decrypt with the queue's key.

    A grant may let the role in all the same, so that policies alone prove nothing.
    """
    key, policy, subject = case.one(KeyState), case.one(KeyPolicy), Subject(case, case.target.id)
    received = subject.series(RECEIVED)
    since = standstill(received, case.window.end)
    if key is None or key.unusable or policy is None or not subject.waiting or not (stopped(received) or since):
        return
    put = [c for c in case.evidence.of(Change, key.key_arn) if c.took_effect and c.event_name == "PutKeyPolicy"]
    changed = put[-1:] or [*present(subject.set_attribute("KmsMasterKeyId"))]
    for mapping in (m for m in subject.mappings if m.enabled):
        settings = subject.function(mapping).settings
        shut = _shut_out(case, key, policy, settings.role) if settings and settings.role else None
        if shut is None or settings is None:
            continue
        role, own = settings.role.rsplit("/", 1)[-1], isinstance(shut, ConsumerDecrypt)
        why = "its own policies do not allow it" if own else "the key's policy names neither it nor its account"
        yield case.hypothesis(
            "esm-role-cannot-read-queue",
            f"The role `{role}` of `{mapping.name}` cannot decrypt what it would read from `{subject.name}`: {why};"
            f" nothing is received any more{by_whom(changed)}",
            strong=(shut, *present(received), *changed),
            weak=subject.waiting[:1],
            resource=settings.role if own else subject.id,
            since=since or first_rise(subject.waiting[0]),
        )
        where = "its own policies" if own else "the key's policy, or to the account, which then decides by its policies"
        yield case.advice(f"Allow kms:Decrypt with {key.key_arn} to `{role}` in {where}.", shut)


def _shut_out(case: Case, key: KeyState, policy: KeyPolicy, role: str) -> KeyPolicy | ConsumerDecrypt | None:
    """Return what keeps a role from decrypting; None where nothing is known to."""
    if not policy.lets_in(role):
        return policy
    own = next((d for d in case.evidence.of(ConsumerDecrypt, role) if d.key_arn == key.key_arn), None)
    return own if own is not None and own.decision != "allowed" and not policy.names(role) else None


def _services(statement: Statement) -> list[str]:
    return [principal for principal in statement.principals if principal.startswith("Service:")]


@rule("kms-throttled", sees=SEES)
def key_is_asked_too_often(case: Case) -> Iterator[Finding]:
    """Requests to the queue fail because KMS throttles the encryption calls behind them."""
    found, key = signs(case, Reading.KMS_RATE), case.one(KeyState)
    if found:
        yield case.hypothesis(
            "kms-throttled",
            f"{len(found)} requests to `{case.target.name}` failed because KMS throttled its key",
            proof=cited(found),
            resource=key.key_arn if key and key.exists else None,
            since=began(found),
        )


def _symptoms(case: Case) -> tuple[Evidence, ...]:
    """Return what shows that the key's state hurts: refusals that name it, or a queue that nothing reaches."""
    sent = Subject(case, case.target.id).series(SENT)
    still = stopped(sent) or standstill(sent, case.window.end) is not None
    return (*cited(signs(case, *KMS)), *present(sent if still else None))


RULES = (
    key_is_going_or_gone,
    key_cannot_be_used,
    service_cannot_use_key,
    reader_cannot_use_key,
    key_is_asked_too_often,
)
