"""Refusals for what was asked, keys, streams, scans, and what is stated about a table."""

import random

import pytest

from domain.trace import TraceCall
from specialists.dynamodb import SPECIALIST
from specialists.dynamodb.evidence import (
    NearbyTables,
    StreamReader,
    StreamReaders,
)
from specialists.dynamodb.signs import Reading, read_text
from specialists.kit.change import ChangeCount
from specialists.kit.key import KeyState
from tests.specialists.dynamodb_building import (
    CALLER,
    KEY,
    START,
    TABLE,
    advice,
    call,
    case,
    change,
    facts,
    graph,
    indexed,
    judged,
    log,
    metric,
    minute,
    proven,
    segment,
    table,
    throttled,
)
from tests.support.probing import findings

MISSING, KEYS, LARGE, CONDITION, TRANSACTION, SCAN, KMS, STREAM = (
    "ddb-table-not-found",
    "ddb-validation-key",
    "ddb-item-too-large",
    "ddb-conditional-failed",
    "ddb-transaction-cancelled",
    "ddb-latency-scan",
    "ddb-kms",
    "stream-trimmed-or-missing",
)
GONE = table(exists=False, status="")


def test_who_disabled_the_tables_key_is_named() -> None:
    off = KeyState(resource=TABLE, source="kms:DescribeKey", key_arn=KEY, state="Disabled")
    refused = call("KMSDisabledException", f"KMS key {KEY} is disabled.")
    disabled = change("DisableKey", at=12, who="sec-sweep").model_copy(update={"resource": KEY})
    cancelled = disabled.model_copy(update={"error_code": "AccessDeniedException"})

    found = judged(table(key_arn=KEY), off, refused, disabled)["deploy-regression"]

    assert found.resource == TABLE
    assert "`sec-sweep` made DisableKey" in found.summary
    assert "deploy-regression" not in judged(table(key_arn=KEY), off, refused, cancelled)


TEXTS = [
    (Reading.NO_TABLE, "ResourceNotFoundException Requested resource not found"),
    (Reading.NO_TABLE, "ResourceNotFoundException Requested resource not found: Table: bestellungen-ü not found"),
    (Reading.NO_TABLE, "ResourceNotFoundException Cannot do operations on a non-existent table"),
    (Reading.NO_INDEX, "ValidationException The table does not have the specified index: by-day"),
    (
        Reading.STREAM,
        "ResourceNotFoundException Requested resource not found: Stream: arn:aws:dynamodb:x:1:table/o not found",
    ),
    (Reading.KEY_SCHEMA, "ValidationException The provided key element does not match the schema"),
    (
        Reading.KEY_SCHEMA,
        "ValidationException One or more parameter values were invalid: Missing the key pk in the item",
    ),
    (Reading.KEY_SCHEMA, "ValidationException Query condition missed key schema element: pk"),
    (
        Reading.KEY_SCHEMA,
        "ValidationException Type mismatch for Index Key gsi1 Expected: S Actual: NULL IndexName: by-day",
    ),
    (
        Reading.KEY_SCHEMA,
        "ValidationException The AttributeValue for a key attribute cannot contain an empty string value",
    ),
    (Reading.KEY_SCHEMA, "ValidationException Cannot update attribute id. This attribute is part of the key"),
    (Reading.VALIDATION, "ValidationException Invalid UpdateExpression: Syntax error; token: '='"),
    (
        Reading.VALIDATION,
        "ValidationException The provided expression refers to an attribute that does not exist in the item",
    ),
    (Reading.TOO_LARGE, "ValidationException Item size has exceeded the maximum allowed size"),
    (Reading.TOO_LARGE, "ValidationException Item size to update has exceeded the maximum allowed size"),
    (Reading.TOO_LARGE, "ItemCollectionSizeLimitExceededException Collection size exceeded."),
    (Reading.TOO_LARGE, "TransactionCanceledException … reasons [ItemCollectionSizeLimitExceeded, None]"),
    (Reading.CONDITION, "ConditionalCheckFailedException The conditional request failed"),
    (Reading.TRANSACTION, "TransactionCanceledException Transaction cancelled [ConditionalCheckFailed, None]"),
    (Reading.TRANSACTION, "TransactionConflictException Transaction is ongoing for the item"),
    (Reading.THROTTLED, "TransactionCanceledException Transaction cancelled [ThrottlingError, None]"),
    (
        Reading.KMS,
        "AccessDeniedException KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: The",
    ),
    (Reading.KMS_RATE, "ThrottlingException You have exceeded the rate at which you may call KMS."),
    (Reading.INTERNAL, "InternalServerError Internal server error"),
    (
        None,
        "AccessDeniedException User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: dynamodb:PutItem",
    ),
    (None, "ConnectTimeoutError Connect timeout on endpoint URL"),
]


@pytest.mark.parametrize(("reading", "text"), TEXTS, ids=[text[:60] for _, text in TEXTS])
def test_an_error_text_means_one_thing(reading, text) -> None:
    assert read_text(text, "PutItem") is reading


def test_a_huge_text_is_read_quickly() -> None:
    assert read_text("Item size [" + "Stream: " * 100_000 + "x" * 100_000) is None


CASES = {
    "table gone, by text": ([call("ResourceNotFoundException", "Requested resource not found")], MISSING),
    "table gone, by state": ([GONE], MISSING),
    "table being deleted": ([table(status="DELETING")], MISSING),
    "index gone": (
        [table(), call("ValidationException", "The table does not have the specified index: by-day", "Query")],
        MISSING,
    ),
    "keys": (
        [table(), call("ValidationException", "The provided key element does not match the schema", "GetItem")],
        KEYS,
    ),
    "item": ([call("ValidationException", "Item size has exceeded the maximum allowed size")], LARGE),
    "collection": ([call("ItemCollectionSizeLimitExceededException", "Collection size exceeded.")], LARGE),
    "condition that failed the caller": (
        [call("ConditionalCheckFailedException", "The conditional request failed"), segment()],
        CONDITION,
    ),
    "condition, unhandled by the log": (
        [log('{"errorType":"ConditionalCheckFailedException","errorMessage":"The conditional request failed"}')],
        CONDITION,
    ),
    "transaction that failed the caller": (
        [call("TransactionCanceledException", "[TransactionConflict, None]", "TransactWriteItems"), segment()],
        TRANSACTION,
    ),
    "key not usable, by text": ([call("AccessDeniedException", "KMS key access denied error: AWSKMSException")], KMS),
    "table shut": ([table(status="INACCESSIBLE_ENCRYPTION_CREDENTIALS", key_arn=KEY)], KMS),
}


@pytest.mark.parametrize(("evidence", "cause"), CASES.values(), ids=CASES)
def test_what_the_evidence_states_is_proof_of_one_cause(evidence, cause) -> None:
    found = judged(*evidence)

    assert set(found) == proven(found) == {cause}
    assert found[cause].resource == TABLE


NEAR_MISSES = {
    "the table is there and answers": ([table(), call()], MISSING),
    "gone since, but the calls of then succeeded": ([GONE, call()], MISSING),
    "gone since, but the calls of then were throttled": ([GONE, call("ThrottlingException", "slow down")], MISSING),
    "the secret is not found, not the table": (
        [segment(("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))],
        MISSING,
    ),
    "invalid, but not for its keys": (
        [table(), call("ValidationException", "Invalid UpdateExpression: Syntax error")],
        KEYS,
    ),
    "an item of the usual size": ([call()], LARGE),
    "as many failed conditions as ever": ([metric("ConditionalCheckFailedRequests", {17: 50}, usual=50)], CONDITION),
    "few conflicts": ([metric("TransactionConflict", {17: 3}, usual=0)], TRANSACTION),
    "a denied item call": (
        [table(), call("AccessDeniedException", "not authorized to perform: dynamodb:GetItem")],
        KMS,
    ),
}


@pytest.mark.parametrize(("evidence", "cause"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_near_misses_are_not_named(evidence, cause) -> None:
    assert cause not in judged(*evidence)


def test_a_deletion_tells_who_removed_the_table() -> None:
    deleted, refused = change("DeleteTable", at=5, who="mia"), change("DeleteTable", at=5, error="AccessDenied")

    found = judged(GONE, deleted)[MISSING]
    assert found.summary.endswith("it was deleted at 09:41 by `mia`")
    assert found.since == minute(5)
    assert deleted.id in found.evidence
    assert refused.id not in judged(GONE, refused)[MISSING].evidence


def test_a_table_that_exists_now_contradicts_its_absence() -> None:
    found = judged(table(), call("ResourceNotFoundException", "Requested resource not found"))[MISSING]

    assert [c.evidence for c in found.contradicting] == [table().id]


def test_tables_of_a_similar_name_are_advised_on() -> None:
    near = NearbyTables(resource=TABLE, source="dynamodb:ListTables", names=("orders-v2",), searched=40)
    none = NearbyTables(resource=TABLE, source="dynamodb:ListTables", names=(), searched=40)

    assert any("orders-v2" in text for text in advice(GONE, near))
    assert not advice(GONE, none)


def test_a_removed_index_names_the_change_that_removed_it() -> None:
    asked = call("ValidationException", "The table does not have the specified index: by-day", "Query")
    removal = {"globalSecondaryIndexUpdates__0__delete__indexName": "by-day"}
    other = {"globalSecondaryIndexUpdates__0__delete__indexName": "by-user"}
    has = table(indexes=indexed("by-month"))

    found = judged(has, asked, change(**removal))
    assert set(found) == {MISSING, "deploy-regression"}
    assert "it has `by-month`" in found[MISSING].summary
    assert set(judged(has, asked, change(**other))) == {MISSING}
    assert set(judged(has, asked, change(at=19, **removal))) == {MISSING}


def test_key_schema_is_told_beside_the_rejection() -> None:
    rejected = call("ValidationException", "The provided key element does not match the schema", "GetItem")

    assert "its keys are id (S)" in judged(table(), rejected)[KEYS].summary


REFUSED = call("ConditionalCheckFailedException", "The conditional request failed")
ELSEWHERE = TraceCall(
    **REFUSED.model_dump() | {"resource": "arn:aws:sqs:eu-west-1:123456789012:mail", "segment_id": "ff", "errors": ()}
)

HUNG = ELSEWHERE.model_copy(
    update={"start": minute(18.1), "pending": True, "error": False, "fault": False, "http_status": None}
)


@pytest.mark.parametrize(
    "evidence",
    [[REFUSED], [REFUSED, segment(failed=False)], [REFUSED, segment(), ELSEWHERE], [REFUSED, segment(), HUNG]],
    ids=["alone", "the caller went on", "another call failed as well", "another call never ended"],
)
def test_a_failed_condition_that_the_caller_could_expect_is_weak(evidence) -> None:
    found = judged(*evidence)

    assert set(found) == {CONDITION}
    assert found[CONDITION].supports[0].strength == "weak"


def test_a_failed_condition_beside_a_call_that_began_before_it_failed_its_caller() -> None:
    beside = HUNG.model_copy(update={"start": REFUSED.start})

    assert judged(REFUSED, segment(), beside)[CONDITION].supports[0].strength == "proof"


def test_counts_that_rose_are_weak_on_their_own() -> None:
    conditions = metric("ConditionalCheckFailedRequests", {17: 90}, usual=1)
    conflicts = metric("TransactionConflict", {17: 90}, usual=1)

    assert {h.supports[0].strength for h in judged(conditions, conflicts).values()} == {"weak"}
    assert set(judged(conditions, conflicts)) == {CONDITION, TRANSACTION}


# --- the key


def key(state: str = "Enabled", *, exists: bool = True) -> KeyState:
    return KeyState(resource=TABLE, source="kms:DescribeKey", key_arn=KEY, exists=exists, state=state)


DENIED = call("AccessDeniedException", "KMS key access denied error: AWSKMSException", "GetItem")
SHUT = table(status="INACCESSIBLE_ENCRYPTION_CREDENTIALS", key_arn=KEY, key_inaccessible_since=minute(3))


@pytest.mark.parametrize(
    ("evidence", "stated"),
    [
        ([key("PendingDeletion"), DENIED], {"kms-pending-deletion"}),
        ([key("PendingDeletion"), SHUT], {"kms-pending-deletion"}),
        ([key("", exists=False), DENIED], {"kms-key-not-found"}),
        ([key("Disabled"), DENIED], {KMS}),
        ([key("Enabled"), SHUT], {KMS}),
        ([key("Enabled"), DENIED, table()], set()),
        ([key("PendingDeletion")], set()),
        ([key("Disabled")], set()),
    ],
)
def test_the_keys_state_with_a_symptom_is_proof(evidence, stated) -> None:
    assert proven(judged(*evidence)) == stated


def test_a_key_to_be_deleted_is_accused_itself_and_the_table_defers_to_it() -> None:
    found = judged(key("PendingDeletion"), SHUT)

    assert found["kms-pending-deletion"].resource == KEY
    assert found[KMS].defers_to == (KEY,)
    assert found[KMS].since == minute(3)


def test_a_key_to_be_deleted_under_a_table_that_answers_is_only_advised_on() -> None:
    assert judged(key("PendingDeletion"), call()) == {}
    assert advice(key("PendingDeletion"), call())


def test_a_usable_key_is_not_accused() -> None:
    assert judged(key(), table()) == {}


# --- the stream

OLD, NEW = f"{TABLE}/stream/2026-01-01T00:00:00.000", f"{TABLE}/stream/2026-11-20T09:40:00.000"
STREAMING = table(stream_arn=NEW, streaming=True)
SWITCHED = change(streamSpecification__streamEnabled="true")


def readers(*pairs: tuple[str, str], function: str = CALLER, result: str = "") -> StreamReaders:
    found = (
        StreamReader(uuid=str(n), function=function, stream_arn=arn, state=state, last_result=result)
        for n, (arn, state) in enumerate(pairs)
    )
    return StreamReaders(resource=TABLE, source="lambda:ListEventSourceMappings", readers=tuple(found))


@pytest.mark.parametrize(
    ("evidence", "strength"),
    [
        ([STREAMING, readers((OLD, "Enabled"))], "strong"),
        ([STREAMING, readers((OLD, "Enabled"), result="PROBLEM: Stream not found")], "proof"),
        ([STREAMING, readers((OLD, "Enabled")), SWITCHED], "proof"),
        ([table(stream_arn=OLD), readers((OLD, "Enabled"))], "strong"),
        ([log(f"ResourceNotFoundException: Requested resource not found: Stream: {OLD} not found")], "proof"),
    ],
    ids=["other stream", "and the mapping says so", "and it was switched", "switched off", "by text"],
)
def test_a_reader_of_a_stream_that_is_gone_is_a_finding(evidence, strength) -> None:
    found = judged(*evidence)

    assert set(found) == {STREAM}
    assert found[STREAM].supports[0].strength == strength


@pytest.mark.parametrize(
    "evidence",
    [
        [STREAMING, readers((NEW, "Enabled"))],
        [STREAMING, readers((OLD, "Disabled"))],
        [STREAMING, readers((OLD, "Enabled"), (NEW, "Enabled"))],
        [STREAMING, readers()],
        [GONE, readers((OLD, "Enabled"))],
        [readers((OLD, "Enabled"))],
    ],
    ids=["present stream", "disabled", "a leftover beside the right one", "no reader", "no table", "table not seen"],
)
def test_other_readers_are_none(evidence) -> None:
    assert STREAM not in judged(*evidence)


# --- scans


def latency(operation: str, now: float, usual: float) -> object:
    return metric("SuccessfulRequestLatency", {17: now}, usual=usual, operation=operation, statistic="Average")


READS_JUMPED = metric("ConsumedReadCapacityUnits", {17: 60_000}, usual=600)


@pytest.mark.parametrize(
    ("evidence", "strength"),
    [
        ([call(operation="Scan", seconds=4.2)], "strong"),
        ([call(operation="Scan", seconds=0.3, at=n) for n in range(6)], "strong"),
        ([call(operation="Scan", seconds=0.0, pending=True)], "strong"),
        ([call("ReadTimeoutError", "Read timed out.", "Scan", seconds=60)], "strong"),
        ([call(operation="Query", seconds=4.2)], "weak"),
        ([call(operation="Query", seconds=4.2), READS_JUMPED], "strong"),
        ([latency("Query", 900, 12), READS_JUMPED], "strong"),
        ([latency("Scan", 900, 12)], "weak"),
    ],
)
def test_slow_scans_and_queries_are_a_finding(evidence, strength) -> None:
    found = judged(*evidence)

    assert set(found) == {SCAN}
    assert found[SCAN].supports[0].strength == strength


@pytest.mark.parametrize(
    "evidence",
    [
        [call(operation="Scan", seconds=0.2)],
        [call(operation="GetItem", seconds=4.2)],
        [call("ThrottlingException", "slow down", "Scan", seconds=9)],
        [latency("Query", 40, 10)],
        [latency("Query", 400, 390)],
        [latency("GetItem", 400, 5)],
        [READS_JUMPED],
    ],
    ids=[
        "quick scan",
        "slow item",
        "retried for throttling",
        "still quick",
        "always so",
        "item latency",
        "reads alone",
    ],
)
def test_slowness_of_other_kinds_is_none(evidence) -> None:
    assert SCAN not in judged(*evidence)


def test_item_requests_that_are_slow_too_contradict_the_scan() -> None:
    items = latency("GetItem", 400, 5)

    found = judged(call(operation="Scan", seconds=4.2), items)[SCAN]

    assert [c.evidence for c in found.contradicting] == [items.id]


# --- facts


def test_a_healthy_table_is_stated_with_numbers_and_without_hypotheses() -> None:
    evidence = [
        table(),
        call(),
        metric("ConsumedWriteCapacityUnits", {17: 60, 18: 120}, usual=60),
        metric("WriteThrottleEvents"),
        ChangeCount(resource=TABLE, source="cloudtrail:LookupEvents", searched_from=START, events=0),
    ]

    assert judged(*evidence) == {}
    assert facts(*evidence) == [
        "`orders` is ACTIVE, provisioned at 5 RCU and 5 WCU",
        "`orders` consumed up to 2.0 of 5 write units a second, usually at most 1.0; none throttled",
        "The one call to `orders` succeeded, 20 ms at most",
        "Nobody changed `orders` since 2026-11-20 09:36 UTC",
    ]


def test_capacity_before_and_the_throttled_share_are_stated() -> None:
    found = facts(
        table(),
        throttled(consumed=5),
        metric("ProvisionedWriteCapacityUnits", {17: 5}, statistic="Maximum", usual=500),
        metric("ThrottledRequests", {17: 120}, operation="PutItem"),
        metric("SuccessfulRequestLatency", {17: 130}, operation="PutItem", statistic="SampleCount"),
    )

    assert "`orders` is ACTIVE, provisioned at 5 RCU and 5 WCU (500 WCU before)" in found
    assert any("213 throttled since 09:53" in fact for fact in found)
    assert "48% of `PutItem` requests to `orders` were throttled (120 of 250)" in found


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (call(http_status=500, fault=True), "DynamoDB itself failed"),
        (metric("SystemErrors", {17: 4}, operation="GetItem"), "DynamoDB itself failed"),
        (call("ValidationException", "Invalid UpdateExpression: Syntax error"), "rejected 1 requests as invalid"),
        (call("ThrottlingException", "You have exceeded the rate at which you may call KMS."), "Calls to KMS"),
    ],
)
def test_errors_without_a_cause_at_the_table_are_facts_only(evidence, words) -> None:
    assert any(words in fact for fact in facts(evidence))
    assert judged(evidence) == {}


def test_the_last_change_is_stated() -> None:
    count = ChangeCount(resource=TABLE, source="cloudtrail:LookupEvents", searched_from=START, events=2)
    found = facts(count, change("TagResource", at=1), change("UpdateTimeToLive", at=9, who="mia"))

    assert any("was changed 2 times" in fact and "UpdateTimeToLive by mia" in fact for fact in found)


def test_errors_of_a_caller_are_taken_once_when_the_trace_already_holds_them() -> None:
    told = call("ValidationException", "Item size has exceeded the maximum allowed size")
    again = log("ValidationException: Item size has exceeded the maximum allowed size")

    assert judged(told, again)[LARGE].evidence == (told.id,)
    assert judged(again)[LARGE].evidence == (again.id,)


def test_a_log_of_a_stranger_is_not_a_callers() -> None:
    line = "ValidationException: Item size has exceeded the maximum allowed size"

    assert judged(log(line, function="someone-else"), around=graph(TABLE)) == {}


def everything() -> list:
    return [
        table(indexes=indexed("by-day"), key_arn=KEY, stream_arn=NEW, streaming=True),
        call("ProvisionedThroughputExceededException", "x"),
        call("ProvisionedThroughputExceededException", "IndexReadProvisionedThroughputExceeded", "Query", at=6),
        call("ThrottlingException", f"TableWriteKeyRangeThroughputExceeded on {TABLE}/index/by-day", at=7),
        *throttled("Write", reason="ProvisionedThroughput", index="by-day"),
        call("TransactionCanceledException", "[TransactionConflict, None]", "TransactWriteItems", at=3),
        call("ResourceNotFoundException", "Requested resource not found", at=4),
        call("ValidationException", "The table does not have the specified index: by-week", "Query", at=5),
        segment(("ProvisionedThroughputExceededException", "dynamodb")),
        log("ConditionalCheckFailedException: The conditional request failed"),
        *throttled(consumed=5),
        *throttled("Read", consumed=0.1, index="by-day"),
        change(provisionedThroughput__writeCapacityUnits=5),
        change("DeleteTable", at=2),
        key("PendingDeletion"),
        readers((OLD, "Enabled")),
        NearbyTables(resource=TABLE, source="dynamodb:ListTables", names=("orders-v2",), searched=40),
        ChangeCount(resource=TABLE, source="cloudtrail:LookupEvents", searched_from=START, events=2),
    ]


def test_any_part_of_the_evidence_is_judged_and_only_that_part_is_cited() -> None:
    chance = random.Random(7)
    for _ in range(300):
        part = [item for item in everything() if chance.random() < 0.6]
        about = case(*part)
        for finding in findings(SPECIALIST.rules, about):
            assert all(cited in about.evidence for cited in finding.evidence)


def test_no_evidence_is_counted_twice_for_one_cause() -> None:
    for hypothesis in judged(*everything()).values():
        assert len(set(hypothesis.evidence)) == len(hypothesis.evidence), hypothesis.cause
