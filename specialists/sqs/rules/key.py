"""What goes wrong with the KMS key that encrypts a queue."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.sqs.evidence import Consumers, KeyPolicy, KeyState, QueueState, Statement
from specialists.sqs.metrics import SENT
from specialists.sqs.signs import Reading, signs
from specialists.sqs.subject import Subject, present, stopped

SEES = (TraceCall, TraceSegment, LogLines, QueueState, Consumers, Change, KeyState, MetricSeries)
DELETED_SOON = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
USABLE = frozenset({"Enabled", "Creating", "Updating"})
KMS = (Reading.KMS_STATE, Reading.KMS_DENIED)


@rule("kms-pending-deletion", "kms-key-not-found", sees=SEES)
def key_is_going_or_gone(case: Case) -> Iterator[Finding]:
    """The key that encrypts the queue waits for its deletion, or does not exist any more."""
    key = case.one(KeyState)
    if key is None or (key.exists and key.state not in DELETED_SOON):
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
        else f"The key of `{case.target.name}`, `{key.key}`, does not exist",
        proof=(key, *symptoms) if symptoms else (),
        strong=() if symptoms else (key,),
        resource=key.arn or None,
        since=began(signs(case, *KMS)),
    )


@rule("sqs-kms", sees=SEES)
def key_cannot_be_used(case: Case) -> Iterator[Finding]:
    """The sender or the reader may not use the queue's key, or the key is disabled."""
    found, key = signs(case, *KMS), case.one(KeyState)
    unusable = key is not None and key.state not in USABLE
    if key is not None and (not key.exists or key.state in DELETED_SOON):
        if found:
            # Weak, and after the key itself: the key's own cause says why.
            sentence = f"Senders to `{case.target.name}` cannot use its key"
            yield case.hypothesis(
                "sqs-kms", sentence, weak=cited(found), since=began(found), defers_to=[key.arn] if key.arn else ()
            )
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
    if key is None or not key.exists or key.state not in USABLE or signs(case, *KMS):
        return
    senders = {p for s in (subject.state.statements if subject.state else None) or () if s.allows for p in _services(s)}
    shut = sorted(service for service in senders if _shuts_out(key, policy, service))
    if not shut:
        return
    sent = subject.series(SENT)
    names = ", ".join(f"`{name.removeprefix('Service:')}`" for name in shut)
    whose = "the AWS managed key" if key.aws_managed else "its key"
    sentence = f"{names} may send to `{subject.name}` but cannot use {whose} that encrypts it"
    if stopped(sent):
        yield case.hypothesis(
            "sqs-kms",
            f"{sentence}, and nothing was sent",
            strong=present(policy or key, sent),
            weak=present(subject.state),
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
            resource=key.arn if key and key.arn else None,
            since=began(found),
        )


def _symptoms(case: Case) -> tuple[Evidence, ...]:
    """Return what shows that the key's state hurts: refusals that name it, or a queue that nothing reaches."""
    sent = Subject(case, case.target.id).series(SENT)
    return (*cited(signs(case, *KMS)), *present(sent if stopped(sent) else None))


RULES = (key_is_going_or_gone, key_cannot_be_used, service_cannot_use_key, key_is_asked_too_often)
