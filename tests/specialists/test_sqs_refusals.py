"""What SQS refuses to senders, and what its key refuses."""

import pytest

from domain.findings import Strength
from specialists.sqs.evidence import KeyPolicy, Statement
from specialists.sqs.signs import Reading, poller_reading, read_text
from tests.specialists.sqs_building import (
    GONE,
    KEY,
    NOBODY,
    QUEUE,
    READER,
    SENDER,
    SESSION,
    advice,
    call,
    change,
    consumers,
    denied,
    every,
    facts,
    flow,
    graded,
    graph,
    judged,
    key,
    log,
    minute,
    proven,
    queue,
    segment,
    series,
)

MISSING, QUEUE_GONE, DENIED, KMS, LARGE = (
    "sqs-queue-not-exist",
    "esm-queue-gone",
    "sqs-access-denied",
    "sqs-kms",
    "sqs-message-too-large",
)
NOT_THERE = "The specified queue does not exist."
IDENTITY = "because no identity-based policy allows the sqs:sendmessage action"
BY_RESOURCE = "because no resource-based policy allows the sqs:sendmessage action"

TEXTS = [
    (Reading.NO_QUEUE, "AWS.SimpleQueueService.NonExistentQueue ClientError The specified queue does not exist."),
    (Reading.NO_QUEUE, "QueueDoesNotExist The specified queue does not exist for this wsdl version."),
    (
        Reading.NO_QUEUE,
        "com.amazonaws.services.sqs.model.QueueDoesNotExistException: The specified queue does not exist",
    ),
    (Reading.DENIED, "AccessDenied Access to the resource https://sqs.eu-west-1.amazonaws.com/ is denied."),
    (
        Reading.DENIED,
        f"AccessDeniedException User: {SESSION} is not authorized to perform: sqs:sendmessage on resource: x",
    ),
    (Reading.KMS_DENIED, "KMS.AccessDeniedException User: x is not authorized to perform: kms:GenerateDataKey"),
    (Reading.KMS_DENIED, "KmsAccessDenied The caller doesn't have the required KMS access."),
    (Reading.KMS_STATE, "KMS.DisabledException arn:aws:kms:eu-west-1:1:key/abc is disabled."),
    (Reading.KMS_STATE, "KmsInvalidState arn:aws:kms:eu-west-1:1:key/abc is pending deletion."),
    (Reading.KMS_STATE, "KMS.NotFoundException Key 'arn' does not exist"),
    (Reading.KMS_RATE, "KMS.ThrottlingException You have exceeded the rate at which you may call KMS."),
    (Reading.KMS_RATE, "KmsThrottled"),
    (Reading.IN_FLIGHT, "OverLimit Too many messages in flight"),
    (None, "OverLimit The maximum number of permissions for the queue is reached: one more permission"),
    (
        Reading.TOO_LARGE,
        "InvalidParameterValue One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
    ),
    (Reading.TOO_LARGE, "InvalidParameterValue … Reason: Message must be shorter than 1048576 bytes."),
    (
        Reading.TOO_LARGE,
        "AWS.SimpleQueueService.BatchRequestTooLong Batch requests cannot be longer than 262144 bytes.",
    ),
    (
        Reading.INVALID,
        "InvalidParameterValue The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    ),
    (Reading.INVALID, "MissingParameter The request must contain the parameter MessageGroupId."),
    (Reading.THROTTLED, "RequestThrottled Rate exceeded"),
    (Reading.INTERNAL, "InternalError We encountered an internal error. Please try again."),
    (
        Reading.TIMEOUTS,
        "InvalidParameterValueException Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
    ),
    (
        Reading.POLLER_DENIED,
        "InvalidParameterValueException The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    (
        Reading.POLLER_NO_QUEUE,
        "InvalidParameterValueException Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
    ),
    (None, "ReadTimeoutError Read timeout on endpoint URL"),
]


@pytest.mark.parametrize(("reading", "text"), TEXTS, ids=[text[:60] for _, text in TEXTS])
def test_an_error_text_means_one_thing(reading, text) -> None:
    assert read_text(text) is reading


def test_a_huge_text_is_read_quickly() -> None:
    assert read_text("visibility timeout " * 200_000 + "execution role " * 200_000) is None


POLLERS = [
    ("PROBLEM: Function call failed", None),
    ("No records processed", None),
    ("PROBLEM: Lambda failed to assume your function execution role", None),
    ("PROBLEM: The role is not authorized to perform: sqs:ReceiveMessage", Reading.POLLER_DENIED),
    ("PROBLEM: The specified queue does not exist.", Reading.POLLER_NO_QUEUE),
]


@pytest.mark.parametrize(("text", "reading"), POLLERS, ids=[text for text, _ in POLLERS])
def test_a_pollers_result_is_about_its_reading(text, reading) -> None:
    assert poller_reading(text) is reading


CASES = {
    "no queue, by code": ([call("AWS.SimpleQueueService.NonExistentQueue", NOT_THERE)], MISSING),
    "no queue, by another SDK": ([call("QueueDoesNotExist", NOT_THERE, wrapped=False), GONE], MISSING),
    "no queue, by state": ([GONE, NOBODY], MISSING),
    "no queue, by log": (
        [
            log(
                "[ERROR] QueueDoesNotExist: An error occurred (QueueDoesNotExist) when calling the SendMessage operation: x"
            )
        ],
        MISSING,
    ),
    "no queue, by segment": ([segment(("QueueDoesNotExistException", NOT_THERE))], MISSING),
    "queue gone under its reader": ([GONE, consumers()], QUEUE_GONE),
    "poller finds no queue": ([GONE, consumers(last_result=f"PROBLEM: {NOT_THERE}")], QUEUE_GONE),
    "mapping to no queue refused": (
        [
            change(
                "CreateEventSourceMapping20150331",
                error=(
                    "InvalidParameterValueException",
                    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue.",
                ),
            )
        ],
        QUEUE_GONE,
    ),
    "key denied": ([call("KMS.AccessDeniedException", "The ciphertext refers to a customer master key")], KMS),
    "key disabled": ([key("Disabled"), call("KMS.DisabledException", f"{KEY} is disabled.")], KMS),
    "too large": ([call("InvalidParameterValue", "Message must be shorter than 262144 bytes.")], LARGE),
    "batch too large": ([call("BatchRequestTooLong", "x", "SendMessageBatch")], LARGE),
    "KMS throttles": ([call("KMS.ThrottlingException", "You have exceeded the rate")], "kms-throttled"),
}


@pytest.mark.parametrize(("evidence", "cause"), CASES.values(), ids=CASES)
def test_what_the_evidence_states_is_proof_of_one_cause(evidence, cause) -> None:
    found = judged(*evidence)

    assert set(found) == proven(found) == {cause}


NEAR = {
    "another queue's refusal": [call("QueueDoesNotExist", NOT_THERE, resource=f"{QUEUE}-other")],
    "a good call": [call()],
    "not SQS's words": [log("QueryDoesNotExist: the queue of jobs is empty")],
    "the missing queue answered": [GONE, NOBODY, call()],
    "may not be seen or not there": [
        queue(),
        call("QueueDoesNotExist", "The specified queue does not exist or you do not have access to it.", "GetQueueUrl"),
    ],
    "mapping is off": [consumers(state="Disabled"), queue()],
    "reading refused": [denied(action="sqs:receivemessage", operation="ReceiveMessage")],
    "key in use": [key(), call()],
    "size near the limit only": [queue(), series(QUEUE, "SentMessageSize", every(262_000))],
}


@pytest.mark.parametrize("evidence", NEAR.values(), ids=NEAR)
def test_a_near_miss_names_no_cause(evidence) -> None:
    assert judged(*evidence) == {}


def test_a_queue_that_exists_contradicts_its_absence_unless_made_since() -> None:
    refused = call("QueueDoesNotExist", NOT_THERE)

    was_there = judged(refused, queue(created_at=minute(-600)))[MISSING]
    made_since = judged(refused, queue(created_at=minute(19)))[MISSING]

    assert len(was_there.contradicting) == 1
    assert made_since.contradicting == ()
    assert "exists now" in made_since.summary


def test_a_deletion_says_who_and_since_when() -> None:
    found = judged(GONE, call("QueueDoesNotExist", NOT_THERE), change("DeleteQueue", at=9), consumers())

    assert found[MISSING].since == minute(9)
    assert "`deploy-bot` deleted it at 09:45" in found[MISSING].summary
    assert QUEUE_GONE not in found
    assert found["deploy-regression"].since == minute(9)


def test_a_text_about_two_queues_needs_the_queues_name() -> None:
    around = graph(QUEUE, f"{QUEUE}-other")
    text = "QueueDoesNotExist: An error occurred when calling the SendMessage operation: The specified queue does not exist"

    assert judged(log(text), around=around) == {}
    assert set(judged(log(f"{text} https://sqs.eu-west-1.amazonaws.com/1/payments"), around=around)) == {MISSING}


# --- who may send


def test_a_denial_without_a_reason_is_no_proof_by_itself() -> None:
    found = judged(denied(), queue())

    assert set(found) == {DENIED}
    assert proven(found) == set()
    assert found[DENIED].resource == QUEUE


def test_a_denial_by_the_senders_own_policies_defers_to_its_role() -> None:
    found = judged(denied(IDENTITY), queue(), change(Policy="{}"))[DENIED]

    assert proven({DENIED: found}) == set()
    assert "arn:aws:iam::123456789012:role/checkout-role" in found.defers_to


@pytest.mark.parametrize(
    "because",
    [
        IDENTITY,
        BY_RESOURCE,
        "with an explicit deny in an identity-based policy",
        "with an explicit deny in a resource-based policy: arn:aws:sqs:x",
        "because no permissions boundary allows the sqs:sendmessage action",
        "with an explicit deny in a service control policy",
        "because no VPC endpoint policy allows the sqs:sendmessage action",
        "because no session policy allows the sqs:sendmessage action",
    ],
)
def test_where_aws_names_the_policy_others_prove(because) -> None:
    found = judged(denied(because), queue(statements=(Statement(allows=False, principals=("*",), actions=("sqs:*",)),)))

    assert DENIED in found
    assert proven(found) == set()


def test_a_policy_change_before_an_unexplained_denial_proves() -> None:
    before = judged(denied(), queue(), change("RemovePermission", at=10))
    after = judged(denied(), queue(), change("RemovePermission", at=19))
    refused = judged(denied(), queue(), change("RemovePermission", at=10, error=("AccessDenied", "no")))

    assert proven(before) == {DENIED}
    assert "deploy-regression" in before
    assert proven(after) == proven(refused) == set()


FOREIGN = "arn:aws:sts::999999999999:assumed-role/partner/x"
LETS_IN = Statement(allows=True, principals=("AWS:arn:aws:iam::999999999999:root",), actions=("sqs:sendmessage",))
DENIES = Statement(allows=False, principals=("*",), actions=("sqs:*",))


@pytest.mark.parametrize(
    ("statements", "principal", "proves"),
    [
        (None, FOREIGN, True),
        ((LETS_IN,), FOREIGN, False),
        ((LETS_IN, DENIES), FOREIGN, True),
        ((LETS_IN.model_copy(update={"principals": ("*",), "conditional": True}),), FOREIGN, False),
        (None, SESSION, False),
        ((DENIES,), SESSION, True),
        ((DENIES.model_copy(update={"conditional": True}),), SESSION, False),
        ((DENIES.model_copy(update={"actions": ("sqs:deletequeue",)}),), SESSION, False),
    ],
)
def test_the_queues_policy_decides_a_denial_where_it_can(statements, principal, proves) -> None:
    found = judged(denied(principal=principal), queue(statements=statements))

    assert (proven(found) == {DENIED}) is proves


def test_a_policy_that_was_not_read_decides_nothing() -> None:
    found = judged(denied(principal=FOREIGN), queue(unreadable=("Policy",)))

    assert set(found) == {DENIED}
    assert proven(found) == set()


def test_an_access_denied_status_alone_is_a_refusal() -> None:
    assert set(judged(call(http_status=403, error=True), queue())) == {DENIED}


# --- keys


def test_a_key_in_deletion_is_its_own_cause() -> None:
    refused = call("KmsInvalidState", f"{KEY} is pending deletion.")

    found = judged(key("PendingDeletion", deletion_at=minute(9000)), refused)

    assert proven(found) == {"kms-pending-deletion"}
    assert found["kms-pending-deletion"].resource == KEY
    assert graded(found[KMS], Strength.PROOF) == []
    assert found[KMS].defers_to == (KEY,)


def test_a_key_that_does_not_exist_is_named_at_the_queue() -> None:
    found = judged(key("", exists=False), call("KMS.NotFoundException", "Key does not exist"))

    assert proven(found) == {"kms-key-not-found"}
    assert found["kms-key-not-found"].resource == QUEUE


def test_a_key_in_deletion_of_a_queue_that_still_answers_is_advice() -> None:
    assert judged(key("PendingDeletion"), call()) == {}
    assert any("save or replace its key" in text for text in advice(key("PendingDeletion"), call()))


def test_a_disabled_key_without_a_symptom_is_no_proof() -> None:
    found = judged(key("Disabled"))

    assert set(found) == {KMS}
    assert proven(found) == set()
    assert judged(key("Disabled"), call()) == {}


def test_a_key_refused_by_the_senders_own_policies_defers_to_its_role() -> None:
    text = f"User: {SESSION} is not authorized to perform: kms:GenerateDataKey on resource: {KEY} because no identity-based policy allows the kms:GenerateDataKey action"

    found = judged(call("KMS.AccessDeniedException", text))[KMS]

    assert graded(found, Strength.PROOF) == []
    assert "arn:aws:iam::123456789012:role/checkout-role" in found.defers_to


SNS_MAY_SEND = (
    Statement(allows=True, principals=("Service:sns.amazonaws.com",), actions=("sqs:sendmessage",), conditional=True),
)
SILENT = series(QUEUE, "NumberOfMessagesSent", every(0), usual=4)


def key_policy(*principals: str) -> KeyPolicy:
    statement = Statement(allows=True, principals=principals, actions=("kms:*",))
    return KeyPolicy(resource=QUEUE, source="kms:GetKeyPolicy", statements=(statement,))


def test_a_service_shut_out_by_the_key_explains_a_silent_queue() -> None:
    state = queue(statements=SNS_MAY_SEND)

    assert set(judged(state, key(aws_managed=True), SILENT)) == {KMS}
    assert set(judged(state, key(), key_policy("AWS:arn:aws:iam::123456789012:root"), SILENT)) == {KMS}
    assert judged(state, key(), key_policy("Service:sns.amazonaws.com"), SILENT) == {}
    assert judged(state, key(), SILENT) == {}
    assert judged(queue(), key(aws_managed=True), SILENT) == {}
    assert judged(state, key(aws_managed=True), flow(4, 4, 4)) == {}


def test_a_refusal_by_the_key_says_it_better_than_a_silent_queue() -> None:
    refused = call("KMS.AccessDeniedException", "x")

    found = judged(queue(statements=SNS_MAY_SEND), key(aws_managed=True), SILENT, refused)

    assert proven(found) == set(found) == {KMS}


def test_a_caller_that_repeats_its_calls_error_is_counted_once() -> None:
    error = ("QueueDoesNotExist", f"An error occurred when calling the SendMessage operation: {NOT_THERE}")

    found = judged(call("QueueDoesNotExist", NOT_THERE), segment(error))

    assert found[MISSING].summary.startswith("1 `SendMessage`")


def test_a_service_shut_out_from_a_queue_that_never_had_messages_is_advice() -> None:
    texts = advice(queue(statements=SNS_MAY_SEND), key(aws_managed=True))

    assert any("`sns.amazonaws.com` may send" in text for text in texts)


# --- other refusals


def test_refusals_without_a_cause_are_facts() -> None:
    told = facts(
        call("RequestThrottled", "Rate exceeded", at=17),
        call("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled", at=18),
    )

    assert any("throttled 1 requests" in fact for fact in told)
    assert any("ContentBasedDeduplication" in fact for fact in told)


def test_a_refused_reader_is_a_fact() -> None:
    told = facts(denied(action="sqs:receivemessage", operation="ReceiveMessage"))

    assert any("refused 1 `ReceiveMessage`" in fact for fact in told)


def test_a_mapping_that_lambda_refused_names_the_queue() -> None:
    visibility = change(
        "CreateEventSourceMapping20150331",
        error=(
            "InvalidParameterValueException",
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
        ),
    )
    role = change(
        "CreateEventSourceMapping20150331",
        error=(
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call ReceiveMessage on SQS",
        ),
    )

    assert proven(judged(visibility)) == {"esm-visibility-lt-timeout"}
    assert proven(judged(role)) == {"esm-role-cannot-read-queue"}


def test_a_thousand_refusals_cite_a_few() -> None:
    lines = [f"{n} QueueDoesNotExist when calling the SendMessage operation: queue does not exist" for n in range(3000)]

    found = judged(log(*lines), [call("QueueDoesNotExist", NOT_THERE, at=n / 50, caller=READER) for n in range(900)])

    assert len(found[MISSING].supports) <= 6
    assert SENDER not in found[MISSING].defers_to
