"""Lambda: what keeps a function from being invoked: concurrency, state, versions, permissions, event sources."""

from domain.causes.row import rows

CONCURRENCY = rows(
    "lambda",
    (
        "lambda-throttle-account",
        "the concurrency of the whole account is exhausted",
        "Cap the function that takes most of it, reserve concurrency for critical ones, and request a higher quota.",
        "lambda/latest/dg/lambda-concurrency.html",
    ),
    (
        "lambda-throttle-reserved",
        "load exceeds the reserved concurrency",
        "Raise the reservation to the measured peak, or remove it.",
        "lambda/latest/dg/configuration-concurrency.html",
    ),
    (
        "lambda-reserved-zero",
        "reserved concurrency is zero, which switches it off",
        "Find out who set it to zero and why; then remove the reservation or raise it.",
        "lambda/latest/dg/invocation-async.html",
    ),
    (
        "lambda-invoke-rate",
        "invocations come faster than the request rate limit",
        "Batch the calls or put a queue in between, and let callers back off with jitter.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-provisioned-spillover",
        "load exceeds the provisioned concurrency",
        "Raise provisioned concurrency or let it scale with use, and check that callers invoke the alias that has it.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-recursive-loop",
        "it triggers itself in a loop",
        "Stop it with reserved concurrency 0, then write to another resource than the one that triggers it.",
        "lambda/latest/dg/invocation-recursion.html",
    ),
    (
        "lambda-async-event-expired",
        "asynchronous events expire or run out of retries",
        "Mend the failure or the throttling behind it, add an on-failure destination, and send the lost events again.",
        "lambda/latest/dg/invocation-async.html",
        "generic",
    ),
    (
        "lambda-dlq-delivery-error",
        "failed events cannot reach their queue or destination",
        "Restore the target, and allow the execution role to send to it.",
        "lambda/latest/dg/monitoring-metrics.html",
    ),
)

STATE = rows(
    "lambda",
    (
        "lambda-code-storage",
        "deployments fail because code storage is full",
        "Delete versions and layers that nothing uses, or request a higher quota.",
        "lambda/latest/api/API_CreateFunction.html",
    ),
    (
        "lambda-pending-state",
        "it is used while an update is still in progress",
        "Wait until State is Active and LastUpdateStatus is Successful before invoking or updating it.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-inactive-or-failed",
        "the function is inactive, or its last update failed",
        "Act on StateReasonCode, then redeploy. One that was only idle comes back when it is invoked again.",
        "lambda/latest/dg/functions-states.html",
        "generic",
    ),
    (
        "lambda-function-not-found",
        "the invoked function, version or alias does not exist",
        "Restore it, or correct name, qualifier and Region in the caller.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-alias-routing-bad-version",
        "an alias routes a share of requests to a failing version",
        "Set the weight of the bad version to 0 and keep the alias on the good one.",
        "lambda/latest/dg/configuration-aliases.html",
    ),
)

PERMISSION = rows(
    "lambda",
    (
        "lambda-role-not-assumable",
        "the execution role cannot be assumed",
        "Trust lambda.amazonaws.com in the role again, or create the role anew and assign it to the function.",
        "lambda/latest/dg/lambda-intro-execution-role.html",
    ),
    (
        "lambda-invoke-permission-denied",
        "the caller is not allowed to invoke the function",
        "Allow lambda:InvokeFunction on this function, with the qualifier in use, to the caller's role.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-trigger-no-resource-permission",
        "the triggering service lost its permission to invoke",
        "Add the service's statement to the function's resource policy again, limited to the source's ARN.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-logs-missing",
        "it cannot write logs, so its errors stay unseen",
        "Give the execution role the basic logging permissions, then look again.",
        "lambda/latest/dg/troubleshooting-execution.html",
    ),
)

EVENT_SOURCE = rows(
    "lambda",
    (
        "esm-disabled",
        "nothing reads the event source: its mapping is off or gone",
        "Enable the mapping again or recreate it; waiting messages are then read.",
        "lambda/latest/api/API_GetEventSourceMapping.html",
    ),
    (
        "esm-function-call-failed",
        "the event source's calls to the function fail",
        "Read the function's own errors and throttles; the poller repeats the batch once they are gone.",
        "lambda/latest/api/API_GetEventSourceMapping.html",
        "generic",
    ),
    (
        "esm-filter-drops-all",
        "the event filter matches nothing and drops every message",
        "Correct or remove the filter. Send the lost messages again: a queue deletes what does not match.",
        "lambda/latest/dg/invocation-eventfiltering.html",
    ),
    (
        "stream-poison-record",
        "a record that always fails blocks its shard",
        "Limit retries and record age, bisect batches, keep failures in a destination, and fix the parser.",
        "lambda/latest/dg/with-ddb.html",
    ),
    (
        "stream-consumer-slow",
        "the consumer reads the stream slower than it is written",
        "Raise the parallelization factor, batch size or shard count, and shorten the work for each record.",
        "lambda/latest/dg/with-kinesis.html",
        "generic",
    ),
)

CAUSES = CONCURRENCY + STATE + PERMISSION + EVENT_SOURCE
