"""What stops a table or its readers by itself: its key, and a stream that its functions no longer read."""

from collections.abc import Iterator
from datetime import datetime

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.dynamodb.evidence import StreamReader, StreamReaders, TableState
from specialists.dynamodb.signs import Reading, signs
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.keychanges import taken_away
from specialists.kit.lastchange import effective_changes
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited

SEES = (TraceCall, TraceSegment, LogLines, TableState, KeyState)

SHUT = frozenset({"INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVING", "ARCHIVED"})
"""States of a table whose key DynamoDB could not use."""


@rule("kms-pending-deletion", "kms-key-not-found", sees=SEES)
def key_is_going_or_gone(case: Case) -> Iterator[Finding]:
    """The key that encrypts the table waits for its deletion, or does not exist any more."""
    key = case.one(KeyState)
    if key is None or (key.exists and not key.going):
        return
    symptoms = _symptoms(case)
    since = began(signs(case, Reading.KMS)) or _since(case)
    if not symptoms and case.calls_to(failed=False):
        yield case.advice(f"`{case.target.name}` still answers, but will not for long: save its key.", key)
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
        since=since,
    )


@rule("ddb-kms", sees=SEES)
def key_cannot_be_used(case: Case) -> Iterator[Finding]:
    """DynamoDB or its caller cannot use the table's key: it is disabled, or a policy forbids it."""
    key, symptoms = case.one(KeyState), _symptoms(case)
    if key is not None and (not key.exists or key.going):
        if symptoms:
            sentence = f"`{case.target.name}` cannot use its key, which is {key.state or 'gone'}"
            # Weak, and after the key itself: the key's own cause says why.
            yield case.hypothesis("ddb-kms", sentence, weak=symptoms, since=_since(case), defers_to=(key.key_arn,))
        return
    unusable = key is not None and key.unusable
    if not symptoms and not unusable:
        return
    shut = [item for item in symptoms if isinstance(item, TableState)]
    decides = bool(symptoms) and (unusable or bool(shut) or key is None)
    keys = [key] if key is not None and unusable else []
    yield case.hypothesis(
        "ddb-kms",
        _key_sentence(case, key, shut=bool(shut)),
        proof=(*symptoms, *keys) if decides else (),
        strong=() if decides else (*symptoms, *keys),
        since=began(signs(case, Reading.KMS)) or _since(case),
    )


@rule("deploy-regression", sees=(*SEES, Change))
def key_was_taken_away(case: Case) -> Iterator[Finding]:
    """Somebody disabled the table's key or scheduled its deletion before requests began to fail for it."""
    yield from taken_away(case, began(signs(case, Reading.KMS)) or _since(case))


@rule("stream-trimmed-or-missing", sees=(*SEES, StreamReaders, Change))
def stream_is_not_the_one_read(case: Case) -> Iterator[Finding]:
    """A function reads a stream that the table no longer writes: switched off, or off and on again under a new ARN."""
    state, readers = case.one(TableState), case.one(StreamReaders)
    said = signs(case, Reading.STREAM)
    left = _left_behind(state, readers)
    if not said and not left:
        return
    switches = [c for c in effective_changes(case) if any("streamspec" in name.lower() for name in c.parameters)]
    told = any(reader.last_result.upper().startswith("PROBLEM") for reader in left)
    seen: list[Evidence] = [item for item in (readers, state) if item is not None and left]
    decides = bool(said) or told or bool(left and switches)
    functions = ", ".join(sorted(f"`{reader.function.rsplit(':', 1)[-1]}`" for reader in left)) or "A reader"
    yield case.hypothesis(
        "stream-trimmed-or-missing",
        f"{functions} reads a stream that `{case.target.name}` no longer writes"
        + (f"; its stream is now {state.stream_arn}" if state and state.streaming and left else ""),
        proof=(*cited(said), *switches[-1:], *seen) if decides else (),
        strong=() if decides else seen,
        since=began(said) or (switches[-1].observed_at if switches else None),
    )


def _left_behind(state: TableState | None, readers: StreamReaders | None) -> list[StreamReader]:
    """Return enabled readers of other streams than the table's, of functions that do not read the present one too."""
    if state is None or not state.exists or readers is None:
        return []
    current = state.stream_arn if state.streaming else None
    active = [reader for reader in readers.readers if reader.state in {"Enabled", "Enabling", "Updating"}]
    served = {reader.function for reader in active if reader.stream_arn == current}
    return [reader for reader in active if reader.stream_arn != current and reader.function not in served]


def _symptoms(case: Case) -> tuple[Evidence, ...]:
    """Return what shows that the key's state hurts: refusals that name it, a table that DynamoDB shut."""
    state = case.one(TableState)
    shut = [state] if state is not None and (state.status in SHUT or state.key_inaccessible_since) else []
    return (*cited(signs(case, Reading.KMS)), *shut)


def _since(case: Case) -> datetime | None:
    state = case.one(TableState)
    return state.key_inaccessible_since if state else None


def _key_sentence(case: Case, key: KeyState | None, *, shut: bool) -> str:
    table = f"`{case.target.name}`"
    if key is not None and key.unusable:
        return f"The key of {table} is {key.state}, so its items cannot be decrypted"
    if shut:
        return f"DynamoDB cannot use the key of {table} and has made the table inaccessible"
    return f"Requests to {table} fail because its key may not be used" + ("; the key itself is enabled" if key else "")


RULES = (key_is_going_or_gone, key_cannot_be_used, key_was_taken_away, stream_is_not_the_one_read)
