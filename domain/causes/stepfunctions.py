"""Step Functions: what makes an execution fail or hang."""

from domain.causes.row import rows

TASK = rows(
    "stepfunctions",
    (
        "sfn-task-failed-lambda",
        "a Lambda task fails and nothing catches it",
        "Mend the function first; then give the state a Retry for passing faults and a Catch for the rest.",
        "step-functions/latest/dg/concepts-error-handling.html",
        "generic",
    ),
    (
        "sfn-lambda-unknown",
        "a Lambda task dies without an error of its own",
        "Read the function's REPORT line: out of memory and timeouts leave no error payload.",
        "step-functions/latest/dg/concepts-error-handling.html",
        "generic",
    ),
    (
        "sfn-lambda-toomany",
        "its Lambda task is throttled",
        "Retry with backoff and lower the Map's concurrency, or give the function more concurrency.",
        "step-functions/latest/dg/bp-lambda-serviceexception.html",
        "generic",
    ),
    (
        "sfn-lambda-service-exception",
        "a passing fault of Lambda is not retried",
        "Retry Lambda's service and client exceptions on this state, with backoff.",
        "step-functions/latest/dg/bp-lambda-serviceexception.html",
    ),
    (
        "sfn-function-not-found",
        "a task refers to a function or alias that does not exist",
        "Correct the function's ARN or alias in the definition, or restore the function.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
    (
        "sfn-role-denied",
        "its role is not allowed to call a task's target",
        "Grant the state machine's role the action that the error names, on that target.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
    (
        "sfn-callback-lost",
        "a task token is never sent back",
        "Send success or failure on every path of the consumer, and set a heartbeat so that silence ends the wait.",
        "step-functions/latest/dg/connect-to-resource.html",
        "generic",
    ),
)

TIME_AND_LIMIT = rows(
    "stepfunctions",
    (
        "sfn-timeout-task",
        "a task exceeds its time limit",
        "Find out what the task waits for. Raise its TimeoutSeconds only if the work really takes longer.",
        "step-functions/latest/dg/concepts-error-handling.html",
        "generic",
    ),
    (
        "sfn-execution-timeout",
        "the whole execution exceeds its time limit",
        "Look for the state that was entered and never left; it holds the execution up.",
        "step-functions/latest/dg/concepts-error-handling.html",
        "generic",
    ),
    (
        "sfn-heartbeat-timeout",
        "a worker stops sending heartbeats",
        "Check that the worker is alive and reports in time, or lengthen HeartbeatSeconds.",
        "step-functions/latest/dg/concepts-error-handling.html",
        "generic",
    ),
    (
        "sfn-execution-limit",
        "the quota of open executions is used up",
        "Stop the executions that are stuck, and request a higher quota if the load is real.",
        "step-functions/latest/dg/troubleshooting-general.html",
    ),
    (
        "sfn-history-limit",
        "the execution's history is full",
        "Split the work into child executions, or continue it in a new one.",
        "step-functions/latest/dg/limits-overview.html",
    ),
    (
        "sfn-api-throttle",
        "starts or state transitions are throttled",
        "Start fewer executions at once, use Express workflows for short ones, or request a higher quota.",
        "step-functions/latest/dg/limits-overview.html",
    ),
    (
        "sfn-data-limit",
        "data passed between states exceeds the size limit",
        "Keep the payload in S3 and pass its key; select only what the next state needs.",
        "step-functions/latest/dg/limits-overview.html",
    ),
)

DEFINITION = rows(
    "stepfunctions",
    (
        "sfn-jsonpath-missing",
        "a path refers to a field that the input lacks",
        "Correct the path or the state that should write the field, and handle its absence with a Choice.",
        "step-functions/latest/dg/troubleshooting-general.html",
    ),
    (
        "sfn-jsonata-error",
        "a JSONata expression fails or yields nothing",
        "Correct the expression, and guard fields that may be absent with $exists.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
    (
        "sfn-no-choice",
        "a Choice state has no rule for the value it got",
        "Add a Default, and a rule for the new value if it is legitimate.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
    (
        "sfn-invalid-field-value",
        "the input gives a state's field an invalid value",
        "Check the value where it is produced, and reject bad input before the execution starts.",
        "step-functions/latest/dg/amazon-states-language-wait-state.html",
    ),
    (
        "sfn-resultpath-failure",
        "a result cannot be merged into the state's input",
        "Point ResultPath at a field of an object, or wrap the input into an object first.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
    (
        "sfn-intrinsic-failure",
        "arguments of an intrinsic function have the wrong types",
        "Compare the function's arguments with the input of the failed state and correct their types.",
        "step-functions/latest/dg/concepts-error-handling.html",
    ),
)

OUTCOME = rows(
    "stepfunctions",
    (
        "sfn-branch-failed",
        "a branch of a Parallel state fails and stops the others",
        "Follow the failed branch; catch the error inside it if the other branches should go on.",
        "step-functions/latest/dg/troubleshooting-general.html",
        "generic",
    ),
    (
        "sfn-child-failed",
        "a child execution fails",
        "Investigate the child execution that the cause field names.",
        "step-functions/latest/dg/connect-stepfunctions.html",
        "generic",
    ),
    (
        "sfn-map-item-failed",
        "a Map fails on its items or on reading them",
        "Open the failed items of the Map run; if there are none, check the object that it reads.",
        "step-functions/latest/dg/concepts-asl-use-map-state-distributed.html",
        "generic",
    ),
    (
        "sfn-explicit-fail",
        "the workflow ends in a Fail state by design",
        "Look at the Choice or the caught error that led there, and at the input behind it.",
        "step-functions/latest/dg/amazon-states-language-fail-state.html",
        "generic",
    ),
    (
        "sfn-aborted",
        "the execution was stopped from outside",
        "Ask whoever called StopExecution; CloudTrail names the caller.",
        "step-functions/latest/dg/concepts-standard-vs-express.html",
    ),
)

CAUSES = TASK + TIME_AND_LIMIT + DEFINITION + OUTCOME
