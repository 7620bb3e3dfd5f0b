"""What the SQS specialist looks at: the queue, its dead letters, who reads it, its key, its metrics and changes."""

from collections.abc import Iterator

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import resource_from_arn
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, changes, counted_changes
from specialists.kit.functions import GET_CONCURRENCY, GET_CONFIGURATION
from specialists.kit.key import KeyState
from specialists.kit.keys import DESCRIBE_KEY, key_state
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, callers_logs
from specialists.kit.metrics import GET_METRIC_DATA
from specialists.kit.overheard import failed_calls
from specialists.kit.series import MetricSeries
from specialists.sqs.describe import arn_of_url, statements_of
from specialists.sqs.evidence import (
    ConsumerAccess,
    ConsumerConcurrency,
    ConsumerDecrypt,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    KeyPolicy,
    QueueState,
)
from specialists.sqs.looking import (
    GET_QUEUE_ATTRIBUTES,
    GET_QUEUE_URL,
    LIST_MAPPINGS,
    NO_QUEUE,
    concurrency_of,
    consumers_of,
    function_of,
    functions_of,
    of_dead_letters,
    of_function,
    of_queue,
    queue_url,
    series_of,
    state_of,
)
from specialists.sqs.signs import MENTIONS

MAX_SOURCES = 3
LOG_PATTERN = '?sqs ?SQS ?SimpleQueueService ?queue ?MessageDeduplicationId ?"Message must be shorter"'
READS_OF_POLLERS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@probe(GET_QUEUE_URL, GET_QUEUE_ATTRIBUTES, yields=(QueueState,))
def queue(look: Look) -> Iterator[Evidence]:
    """Reads the queue's timeouts, retention, redrive policy, access policy and encryption, or that it is gone."""
    yield state_of(look, look.target)


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def queue_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how many messages wait and for how long, and how many were sent, received and deleted, each minute."""
    yield from series_of(look, look.target.id, of_queue(look.target.name))


@probe(LIST_MAPPINGS, yields=(Consumers,))
def consumers(look: Look) -> Iterator[Evidence]:
    """Finds the Lambda functions that read the queue, how their mappings are set and whether they are on."""
    yield consumers_of(look, look.target.id)


@probe(GET_CONFIGURATION, needs=(Consumers,), yields=(ConsumerFunction,))
def consumer_settings(look: Look) -> Iterator[Evidence]:
    """Reads the timeout and role of each function that reads the queue: the timeout must fit the queue's."""
    found = functions_of(*look.seen.of(Consumers, look.target.id))
    # All before the first is seen: the look at their roles starts as soon as it sees one.
    yield from [function_of(look, mapping) for mapping in found]


@probe(GET_CONCURRENCY, needs=(Consumers,), yields=(ConsumerConcurrency,))
def consumer_concurrency(look: Look) -> Iterator[Evidence]:
    """Reads how much concurrency is reserved for each function that reads the queue."""
    for mapping in functions_of(*look.seen.of(Consumers, look.target.id)):
        found = concurrency_of(look, mapping)
        if found is not None:
            yield found


@probe(GET_METRIC_DATA, needs=(Consumers,), yields=(MetricSeries,))
def consumer_metrics(look: Look) -> Iterator[Evidence]:
    """Reads invocations, errors, throttles and durations of each function that reads the queue."""
    for mapping in functions_of(*look.seen.of(Consumers, look.target.id)):
        yield from series_of(look, mapping.function, of_function(mapping.name))


@probe(read("iam", "SimulatePrincipalPolicy"), needs=(ConsumerFunction,), yields=(ConsumerAccess,))
def consumer_access(look: Look) -> Iterator[Evidence]:
    """Asks IAM's simulator whether the roles of the consumers may receive and delete messages of the queue."""
    roles = {found.role for found in look.seen.of(ConsumerFunction) if found.role}
    for role in sorted(roles):
        answer = look.aws.iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=list(READS_OF_POLLERS), ResourceArns=[look.target.id]
        )
        yield ConsumerAccess(
            resource=resource_from_arn(role).id,
            source="iam:SimulatePrincipalPolicy",
            queue=look.target.id,
            decisions={found["EvalActionName"]: found["EvalDecision"] for found in answer["EvaluationResults"]},
        )


@probe(GET_QUEUE_URL, GET_QUEUE_ATTRIBUTES, needs=(QueueState,), yields=(QueueState,))
def dead_letter_queue(look: Look) -> Iterator[Evidence]:
    """Reads the dead-letter queue that the redrive policy names, or finds that it does not exist."""
    state = look.seen.first(QueueState, look.target.id)
    if state is not None and state.redrive is not None:
        yield state_of(look, resource_from_arn(state.redrive.target))


@probe(GET_METRIC_DATA, needs=(QueueState,), yields=(MetricSeries,))
def dead_letter_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how the dead-letter queue fills, and what is sent to it directly."""
    state = look.seen.first(QueueState, look.target.id)
    if state is not None and state.redrive is not None:
        yield from series_of(look, state.redrive.target, of_dead_letters(state.redrive.target.rsplit(":", 1)[-1]))


@probe(GET_QUEUE_URL, read("sqs", "ListDeadLetterSourceQueues"), yields=(DeadLetterSources,))
def dead_letter_sources(look: Look) -> Iterator[Evidence]:
    """Finds the queues whose failed messages come here, when this is a dead-letter queue."""

    def look_up() -> list[str] | None:
        url = queue_url(look, look.target)
        if url is None:
            return None
        pages = look.aws.sqs.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=url)
        return absent(lambda: [found for page in pages for found in page.get("queueUrls", [])], *NO_QUEUE)

    urls = look_up() or []
    arns = sorted({arn for arn in (arn_of_url(url, look.target) for url in urls) if arn})
    yield DeadLetterSources(
        resource=look.target.id,
        source="sqs:ListDeadLetterSourceQueues",
        queues=tuple(arns[:MAX_SOURCES]),
        truncated=len(arns) > MAX_SOURCES,
    )


@probe(
    GET_QUEUE_URL, GET_QUEUE_ATTRIBUTES, GET_METRIC_DATA, needs=(DeadLetterSources,), yields=(QueueState, MetricSeries)
)
def source_queues(look: Look) -> Iterator[Evidence]:
    """Reads the queues whose failed messages come to this dead-letter queue: their settings and traffic."""
    for arn in _sources(look):
        source = resource_from_arn(arn)
        yield state_of(look, source)
        yield from series_of(look, arn, of_queue(source.name))


@probe(
    LIST_MAPPINGS,
    GET_CONFIGURATION,
    GET_CONCURRENCY,
    GET_METRIC_DATA,
    needs=(DeadLetterSources,),
    yields=(Consumers, ConsumerFunction, ConsumerConcurrency, MetricSeries),
)
def source_consumers(look: Look) -> Iterator[Evidence]:
    """Reads the functions that read the queues behind this dead-letter queue, and how they fare."""
    for arn in _sources(look):
        found = consumers_of(look, arn)
        yield found
        for mapping in functions_of(found):
            yield from series_of(look, mapping.function, of_function(mapping.name))
            yield function_of(look, mapping)
            concurrency = concurrency_of(look, mapping)
            if concurrency is not None:
                yield concurrency


@probe(DESCRIBE_KEY, needs=(QueueState,), yields=(KeyState,))
def key(look: Look) -> Iterator[Evidence]:
    """Reads whether the KMS key that encrypts the queue can be used; nothing to look at without one."""
    state = look.seen.first(QueueState, look.target.id)
    if state is None or not state.key:
        return
    yield key_state(look, state.key)


@probe(read("kms", "GetKeyPolicy"), needs=(KeyState,), yields=(KeyPolicy,))
def key_policy(look: Look) -> Iterator[Evidence]:
    """Reads which services the policy of the queue's own key lets in: SNS or EventBridge cannot send without."""
    state = look.seen.first(KeyState, look.target.id)
    if state is None or not state.exists or state.aws_managed:
        return
    answer = look.aws.kms.get_key_policy(KeyId=state.key_arn, PolicyName="default")
    statements = statements_of(answer.get("Policy"))
    yield KeyPolicy(resource=look.target.id, source="kms:GetKeyPolicy", statements=statements)


@probe(read("iam", "SimulatePrincipalPolicy"), needs=(KeyPolicy, ConsumerFunction), yields=(ConsumerDecrypt,))
def consumer_decrypt(look: Look) -> Iterator[Evidence]:
    """Asks IAM's simulator whether the roles of the consumers may decrypt with the queue's key, where it asks them."""
    state, policy = look.seen.first(KeyState, look.target.id), look.seen.first(KeyPolicy, look.target.id)
    if state is None or policy is None:
        return
    roles = {found.role for found in look.seen.of(ConsumerFunction) if found.role}
    for role in sorted(role for role in roles if policy.lets_in(role) and not policy.names(role)):
        answer = look.aws.iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["kms:Decrypt"], ResourceArns=[state.key_arn]
        )
        for found in answer["EvaluationResults"][:1]:
            yield ConsumerDecrypt(
                resource=resource_from_arn(role).id,
                source="iam:SimulatePrincipalPolicy",
                key_arn=state.key_arn,
                decision=found["EvalDecision"],
            )


@probe(LOOKUP_EVENTS, needs=(KeyPolicy, ConsumerFunction), yields=(Change,))
def key_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the queue's key in the day before, where its policy leaves out a role that reads the queue."""
    state, policy = look.seen.first(KeyState, look.target.id), look.seen.first(KeyPolicy, look.target.id)
    roles = {found.role for found in look.seen.of(ConsumerFunction) if found.role}
    if state is not None and policy is not None and not all(policy.lets_in(role) for role in roles):
        yield from changes(look, state.key_arn, resource=state.key_arn)


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def queue_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the queue in the day before: attributes, policy, purge, deletion."""
    yield from counted_changes(look, look.target.name)


@probe(FILTER_LOG_EVENTS, yields=(LogLines,))
def sender_errors(look: Look) -> Iterator[Evidence]:
    """Reads SQS's errors in the logs of the functions that send to the queue, where the trace does not hold them."""
    if any(call.errors for call in failed_calls(look.seen, look.target.id)):
        return
    yield from callers_logs(look, LOG_PATTERN, "SQS", MENTIONS)


def _sources(look: Look) -> tuple[str, ...]:
    found = look.seen.first(DeadLetterSources, look.target.id)
    return found.queues if found else ()


PROBES = (
    queue,
    queue_metrics,
    consumers,
    consumer_settings,
    consumer_concurrency,
    consumer_metrics,
    consumer_access,
    dead_letter_queue,
    dead_letter_metrics,
    dead_letter_sources,
    source_queues,
    source_consumers,
    key,
    key_policy,
    consumer_decrypt,
    key_changes,
    queue_changes,
    sender_errors,
)
