"""What SQS refuses: a queue that is not there, senders that may not send, messages that are too large."""

from collections.abc import Iterator, Sequence

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.sqs.evidence import Consumers, QueueState, Statement
from specialists.sqs.metrics import RECEIVED, SIZE
from specialists.sqs.signs import Reading, Sign, poller_reading, signs
from specialists.sqs.subject import Subject, earliest, present, subjects

SEES = (TraceCall, TraceSegment, LogLines, QueueState, Consumers, Change)

POLICY_CHANGES = ("AddPermission", "RemovePermission")
UNCLEAR = "do not have access"
"""GetQueueUrl says in one sentence that a queue does not exist or may not be seen."""


@rule("sqs-queue-not-exist", "esm-queue-gone", sees=SEES)
def queue_is_missing(case: Case) -> Iterator[Finding]:
    """Senders are told that the queue does not exist, or it does not exist; a mapping may still read it."""
    subject = Subject(case, case.target.id)
    found = [s for s in signs(case, Reading.NO_QUEUE) if subject.gone or UNCLEAR not in s.text]
    deleted, by = _deletion(subject)
    state = subject.state
    missing = [state] if subject.gone and state else []
    answered = bool(case.calls_to(failed=False)) or bool(signs(case, Reading.DENIED, Reading.KMS_DENIED))
    if found:
        made_since = (
            state is not None and state.created_at is not None and state.created_at > (began(found) or case.window.end)
        )
        yield case.hypothesis(
            "sqs-queue-not-exist",
            f"{_count(found)} to queue `{subject.name}` failed because it does not exist"
            + (by or (", though it exists now" if state and state.exists else "")),
            proof=(*cited(found), *missing, *deleted),
            strong=[state] if state and made_since else (),
            against=[state] if state and state.exists and not made_since else (),
            since=earliest((deleted[0].observed_at if deleted else None, began(found))),
        )
    elif missing and not answered and not _reader_lost_it(subject):
        yield case.hypothesis(
            "sqs-queue-not-exist",
            f"Queue `{subject.name}` does not exist{_where(case)}{by}",
            proof=(*missing, *deleted),
            since=deleted[0].observed_at if deleted else None,
        )


@rule("esm-queue-gone", sees=(*SEES, MetricSeries))
def reader_lost_its_queue(case: Case) -> Iterator[Finding]:
    """A mapping is on, but its queue does not exist, or its poller says so."""
    if signs(case, Reading.NO_QUEUE):
        return  # the senders' side is the sharper finding: it fails requests
    for subject in subjects(case):
        lost = _reader_lost_it(subject)
        refused = [
            s for s in signs(case, Reading.POLLER_NO_QUEUE) if isinstance(s.evidence, Change | TraceCall | LogLines)
        ]
        if not lost and not (refused and subject.id == case.target.id):
            continue
        deleted, by = _deletion(subject)
        names = ", ".join(sorted({f"`{m.name}`" for m in subject.mappings})) or "A function"
        exists = [subject.state] if subject.state and subject.state.exists else []
        yield case.hypothesis(
            "esm-queue-gone",
            f"{names} still reads queue `{subject.name}`, which does not exist{by}",
            proof=dict.fromkeys((*present(subject.consumers if lost else None, *lost), *cited(refused), *deleted)),
            against=exists,
            resource=subject.id,
            since=earliest([c.observed_at for c in deleted] or [began(refused)]),
        )


def _deletion(subject: Subject) -> tuple[Sequence[Change], str]:
    """Return the last deletion of the queue, and who did it when, in words."""
    deleted = subject.changes("DeleteQueue")[-1:]
    at = f" at {deleted[0].observed_at:%H:%M}" if deleted and deleted[0].observed_at else ""
    return deleted, f"; `{deleted[0].who}` deleted it{at}" if deleted else ""


def _reader_lost_it(subject: Subject) -> tuple[Evidence, ...]:
    """Return what shows that a mapping which is on has lost its queue."""
    active = [m for m in subject.mappings if m.enabled]
    told = any(poller_reading(f"{m.last_result} {m.state_reason}") is Reading.POLLER_NO_QUEUE for m in subject.mappings)
    received = subject.series(RECEIVED)
    if subject.gone and active:
        return present(subject.state, subject.consumers)
    return present(subject.consumers) if told and not (received and received.total) else ()


@rule("sqs-access-denied", sees=SEES)
def sender_is_refused(case: Case) -> Iterator[Finding]:
    """SQS refuses messages because a policy does not allow the sender; which one it is, text and policy tell."""
    found = [sign for sign in signs(case, Reading.DENIED) if sign.sends]
    if not found:
        return
    subject = Subject(case, case.target.id)
    state, first = subject.state, began(found)
    changed = [c for c in _policy_changes(subject) if first is None or c.observed_at is None or c.observed_at <= first]
    by_policy = _denied_by(state, found[0], case)
    mine = [sign for sign in found if not sign.blames]
    proves = bool(mine) and bool(changed or by_policy)
    why = by_policy or (" since its policy was changed" if changed else "")
    who = f"`{found[0].role.rsplit('/', 1)[-1]}`" if found[0].principal else "The sender"
    yield case.hypothesis(
        "sqs-access-denied",
        f"{who} may not send to `{subject.name}`{why}: {_count(found)} refused",
        proof=(*cited(mine), *changed[-1:]) if proves else (),
        strong=(*(() if proves else (*cited(found), *changed[-1:])), *([state] if by_policy and state else [])),
        since=first,
        defers_to=[pointer for sign in found if sign.by_own_policies for pointer in sign.own_side],
    )


def _denied_by(state: QueueState | None, sign: Sign, case: Case) -> str:
    """Say what in the queue's policy refuses the principal; empty where the policy does not tell."""
    if state is None or not state.exists or "Policy" in state.unreadable:
        return ""
    account = sign.principal.split(":")[4] if sign.principal.count(":") > 4 else ""
    statements = [s for s in state.statements or () if not s.conditional and not s.negated and _about_sending(s)]
    named = [s for s in statements if _names(s, sign, account)]
    if any(not s.allows for s in named):
        return ", which its policy denies"
    lets_in = any(s.allows and (s.conditional or s.negated) for s in state.statements or ())
    if account and account != case.target.account and not lets_in and not any(s.allows for s in named):
        return f", because its policy does not let account {account} in"
    return ""


def _about_sending(statement: Statement) -> bool:
    return any(
        action in {"*", "sqs:*", "sqs:send*", "sqs:sendmessage", "sqs:sendmessage*"} for action in statement.actions
    )


def _names(statement: Statement, sign: Sign, account: str) -> bool:
    known = {"*", f"AWS:{sign.principal}", f"AWS:{sign.role}"}
    root = {f"AWS:{account}", f"AWS:arn:{sign.principal.split(':')[1]}:iam::{account}:root"} if account else set()
    return bool((known | root) & set(statement.principals))


def _policy_changes(subject: Subject) -> tuple[Change, ...]:
    return tuple(
        sorted(
            (*subject.changes(*POLICY_CHANGES), *present(subject.set_attribute("Policy"))),
            key=lambda change: str(change.observed_at),
        )
    )


@rule("sqs-message-too-large", sees=(*SEES, MetricSeries))
def message_is_too_large(case: Case) -> Iterator[Finding]:
    """SQS rejects messages, or batches of them, above the size limit."""
    found = signs(case, Reading.TOO_LARGE)
    if not found:
        return
    subject = Subject(case, case.target.id)
    limit = f" of {subject.state.max_message_bytes} bytes" if subject.state and subject.state.exists else ""
    size = subject.series(SIZE)
    usual = f"; the largest one sent had {size.peak:.0f} bytes" if size and size.points else ""
    yield case.hypothesis(
        "sqs-message-too-large",
        f"{_count(found)} to `{subject.name}` exceeded the size limit{limit}{usual}",
        proof=cited(found),
        weak=present(subject.state if limit else None, size if usual else None),
        since=began(found),
    )


def _count(found: Sequence[Sign]) -> str:
    operations = sorted({sign.operation for sign in found if sign.operation})
    return f"{len(found)} {'/'.join(f'`{name}`' for name in operations) or 'requests'}"


def _where(case: Case) -> str:
    return f" in {case.target.region}" if case.target.region else ""


RULES = (queue_is_missing, reader_lost_its_queue, sender_is_refused, message_is_too_large)
