"""Workflows whose reason lies elsewhere: in a function's answer, a role, a branch, an item, or out of sight."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._executions import (
    Run,
    Workflow,
    WorkflowJourney,
    executions,
    lambda_task,
    list_runs,
    machine_changed,
    task,
    workflow,
)
from evals.scenarios._functions import (
    CODE,
    changed,
    deploy,
    elsewhere,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._messages import Flow, queue_flow, read_by, reading
from evals.scenarios._runtimes import timed_out
from sandbox.aws import resources, signals
from sandbox.aws.faults import Ending
from sandbox.aws.faults import Fault as Refusal
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World

NOT_EXPRESS = Refusal(
    Ending.ERROR,
    codes={"json": (400, "StateMachineTypeNotSupported")},
    message="This operation is not supported by this type of state machine",
)


@scenario(Kind.CASCADE, "lambda")
def subtitles_never_come_back_in_one_branch(world: World) -> Expect:
    """One branch of media-prepare waits for a translator until its function is cut off; the other branch is aborted."""
    subtitles = deploy(world, "subtitle-make", "provided.al2023", timeout=30)
    poster = deploy(world, "poster-make", "nodejs22.x", memory=1024, timeout=60)
    states = {
        "Prepare": {
            "Type": "Parallel",
            "End": True,
            "Branches": [
                {
                    "StartAt": "Poster",
                    "States": {"Poster": {"Type": "Task", "Resource": poster.arn, "End": True}},
                },
                {
                    "StartAt": "Subtitles",
                    "States": {"Subtitles": {"Type": "Task", "Resource": subtitles.arn, "End": True}},
                },
            ],
        }
    }
    prepare = workflow(world, "media-prepare", states, allow("lambda:InvokeFunction", [subtitles.arn, poster.arn]))
    began = whole_minute(world, 24)
    said = {"time": "{time}", "level": "INFO", "msg": "translate", "url": "https://api.translator.example/v2"}
    fault = timed_out(30)
    fault = fault._replace(lines=(json.dumps(said, separators=(",", ":")), *fault.lines))
    traffic(subtitles, 4, 2100, fault=fault, since=began)
    traffic(poster, 4, 5200)
    executions(prepare, 4, 6.4, since=began, failing=30.4)
    changed(poster, CODE, who="ci-media", when=world.ago(minutes=29), publish=False)
    runs = []
    for number, minutes in enumerate((4, 9)):
        run = Run(prepare, f"clip-{881 + number}", world.ago(minutes=minutes), {"clip": f"c{number}"})
        run.enter("Prepare", "Parallel").add("ParallelStateStarted", 0.0)
        run.add("TaskStateEntered", 0.01, shared="stateEntered", follows=3, name="Poster", input=run.input)
        run.add("TaskStateEntered", 0.0, shared="stateEntered", follows=3, name="Subtitles", input=run.input)
        run.add("LambdaFunctionScheduled", 0.0, follows=4, resource=poster.arn, input=run.input)
        run.add("LambdaFunctionScheduled", 0.0, follows=5, resource=subtitles.arn, input=run.input)
        run.add("LambdaFunctionStarted", 0.03, follows=6).add("LambdaFunctionStarted", 0.0, follows=7)
        run.add("LambdaFunctionSucceeded", 5.1, follows=8, output="{}")
        run.add("TaskStateExited", 0.01, shared="stateExited", follows=10, name="Poster", output="{}")
        late = run.now + timedelta(seconds=25)
        payload = {
            "errorMessage": f"{late:%Y-%m-%dT%H:%M:%S.203Z} {world.ids.request()} Task timed out after 30.03 seconds"
        }
        cause = (
            "The cause could not be determined because Lambda did not return an error type. "
            f"Returned payload: {json.dumps(payload, separators=(',', ':'))}"
        )
        run.add("LambdaFunctionFailed", 25.0, follows=9, error="Lambda.Unknown", cause=cause)
        run.add("ParallelStateFailed", 0.0, follows=12)
        runs.append(run.end("FAILED", "Lambda.Unknown", cause))
    list_runs(prepare, *runs)
    return Expect(
        runs[0].arn,
        cause="lambda-timeout",
        resource=subtitles.arn,
        innocent=(prepare.arn, prepare.role_arn, poster.arn, poster.role_arn, subtitles.role_arn),
    )


@scenario(Kind.CHANGE, "stepfunctions")
def alias_of_the_quote_was_tidied_away(world: World) -> Expect:
    """Somebody deleted the alias `live` of freight-quote as unused; the function is there, book-freight names the
    alias."""
    quote = deploy(world, "freight-quote", "java21", memory=1024)
    label = deploy(world, "freight-label", "java21", memory=1024)
    live = f"{quote.arn}:live"
    states = {"Label": lambda_task(label.arn, "Quote"), "Quote": lambda_task(live)}
    book = workflow(world, "book-freight", states, allow("lambda:InvokeFunction", [f"{quote.arn}:*", label.arn]))
    began = whole_minute(world, 31)
    traffic(label, 6, 240)
    traffic(quote, 2, 180)
    executions(book, 6, 1.3, since=began, failing=0.4)
    changed(quote, "DeleteAlias20150331", who="jonas", when=world.ago(minutes=31, seconds=20), name="live")
    changed(label, CODE, who="ci-freight", when=world.ago(minutes=36), publish=False)
    machine_changed(book, who="freight-tf", when=world.ago(hours=5))
    words = (
        f"Function not found: {live} (Service: Lambda, Status Code: 404, Request ID: {world.ids.request()}) "
        "(SDK Attempt Count: 1)"
    )
    journey = WorkflowJourney(world, at := world.ago(minutes=5, seconds=10))
    run = Run(book, "f-20018", at).enter("Label").invoke(label.arn).answer("lambda", "invoke", after=0.25)
    run.leave("Label").enter("Quote").invoke(live).fail("Lambda.ResourceNotFoundException", words)
    list_runs(book, run)
    first = journey.invoke(label.name, 0.07, 0.25)
    second = journey.invoke(quote.name, 0.36, 0.05, status=404)
    steps = (journey.state("Label", 0.06, 0.27, first), journey.state("Quote", 0.35, 0.07, second))
    journey.execution(run, 0.5, *steps, failed=True)
    journey.function(label, 0.08, 0.22, parent=str(first["id"]))
    return Expect(
        journey.send(),
        cause="sfn-function-not-found",
        resource=book.arn,
        accept=(
            ("lambda-function-not-found", quote.arn),
            ("sfn-function-not-found", live),
            ("lambda-function-not-found", live),
        ),
        trigger=quote.arn,
        says=("jonas",),
        innocent=(label.arn, label.role_arn, book.role_arn, quote.role_arn),
    )


@scenario(Kind.CHANGE, "stepfunctions")
def a_total_that_is_none_is_left_out(world: World) -> Expect:
    """The Rust function basket-sum leaves `total` out since its release when a basket is free; pay-basket multiplies
    it in JSONata, which returns nothing. card-hold, released since, never ran."""
    total = deploy(world, "basket-sum", "provided.al2023")
    hold = deploy(world, "card-hold", "python3.13")
    charge = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": hold.arn, "Payload": {"cents": "{% $states.input.total * 100 %}"}},
        "End": True,
    }
    summed = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": total.arn, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        "Next": "Hold",
    }
    pay = workflow(
        world,
        "pay-basket",
        {"Sum": summed, "Hold": charge},
        allow("lambda:InvokeFunction", [total.arn, hold.arn]),
        QueryLanguage="JSONata",
    )
    began = whole_minute(world, 19)
    traffic(total, 14, 22)
    traffic(hold, 12, 140)
    executions(pay, 14, 0.5, since=began, share=0.3, failing=0.2)
    changed(total, CODE, who="ci-basket", when=world.ago(minutes=19, seconds=40), publish=False)
    changed(hold, CODE, who="ci-cards", when=world.ago(minutes=12), publish=False)
    said = (
        "The JSONata expression '$states.input.total * 100' specified for the field 'Arguments/Payload/cents' "
        "returned nothing (undefined)."
    )
    whole = f"An error occurred while executing the state 'Hold' (entered at the event id #7). {said}"
    journey = WorkflowJourney(world, at := world.ago(minutes=3, seconds=20))
    runs = []
    for number, begun in enumerate((at, world.ago(minutes=8))):
        run = Run(pay, f"b-{5510 - number}", begun, {"basket": f"b-{5510 - number}"})
        run.enter("Sum").invoke(total.arn).answer("lambda", "invoke", after=0.05).leave("Sum").enter("Hold")
        run.add(
            "EvaluationFailed",
            0.01,
            error="States.QueryEvaluationError",
            cause=said,
            location="Arguments/Payload/cents",
            state="Hold",
        )
        runs.append(run.end("FAILED", "States.QueryEvaluationError", whole))
    list_runs(pay, *runs)
    call = journey.invoke(total.name, 0.07, 0.05)
    steps = (journey.state("Sum", 0.06, 0.07, call), journey.state("Hold", 0.15, 0.02, failed=True))
    journey.execution(runs[0], 0.2, *steps, failed=True)
    journey.function(total, 0.08, 0.03, parent=str(call["id"]))
    return Expect(
        journey.send(),
        cause="sfn-jsonata-error",
        resource=pay.arn,
        trigger=total.arn,
        innocent=(hold.arn, hold.role_arn, pay.role_arn, total.role_arn),
    )


@scenario(Kind.CASCADE, "lambda")
def reviewer_may_not_hand_the_token_back(world: World) -> Expect:
    """fraud-review's role lost states:SendTaskSuccess; the function logs the refusal and returns well. The orders wait
    for their token for ten minutes and end in a time-out."""
    cases = resources.queue(world, "fraud-cases", VisibilityTimeout="120")
    review = deploy(world, "fraud-review", "provided.al2023", reading(cases), timeout=20)
    send = {"QueueUrl": f"https://sqs.{world.region}.amazonaws.com/{world.account}/fraud-cases", "MessageBody.$": "$"}
    ask = task("sqs:sendMessage.waitForTaskToken", send, TimeoutSeconds=600)
    check = workflow(world, "order-check", {"Review": ask}, allow("sqs:SendMessage", cases))
    read_by(review, cases, BatchSize=1)
    queue_flow(world, "fraud-cases", Flow(5, 5, 5, 1, 1, 2))
    began = whole_minute(world, 34)
    denied = (
        "operation error SFN: SendTaskSuccess, https response error StatusCode: 400, RequestID: "
        f"{world.ids.request()}, api error AccessDeniedException: User: arn:aws:sts::{world.account}:assumed-role/"
        f"{review.role}/fraud-review is not authorized to perform: states:SendTaskSuccess on resource: {check.arn} "
        "because no identity-based policy allows the states:SendTaskSuccess action"
    )
    told = {"time": "{time}", "level": "ERROR", "msg": "could not hand back", "err": denied, "case": "k-11"}
    line = json.dumps(told, separators=(",", ":"))
    traffic(review, 5, 90, lines=(line,))
    executions(check, 5, 3, since=began, failing=600)
    role_changed(
        world, "PutRolePolicy", review.role, who="fraud-tf", when=world.ago(minutes=34, seconds=30),
        policyName=f"{review.role}-policy",
    )  # fmt: skip
    runs = []
    for number, minutes in enumerate((13, 19)):
        run = Run(check, f"o-{777 + number}", world.ago(minutes=minutes), {"order": f"o-{777 + number}"})
        run.enter("Review").ask(
            "sqs", "sendMessage.waitForTaskToken", parameters={"QueueUrl": send["QueueUrl"]}, timeoutInSeconds=600
        )
        run.add("TaskSubmitted", 0.05, resourceType="sqs", resource="sendMessage.waitForTaskToken", output="{}")
        run.refuse("States.Timeout", "", after=600, kind="TaskTimedOut")
        runs.append(run.end("FAILED", "States.Timeout"))
    list_runs(check, *runs)
    return Expect(
        runs[0].arn,
        cause="lambda-role-missing-permission",
        resource=review.role_arn,
        shown=(("sfn-callback-lost", check.arn),),
        innocent=(cases, check.role_arn),
    )


@scenario(Kind.HEALTHY, "stepfunctions")
def ledger_failed_nine_days_ago(world: World) -> Expect:
    """ledger-close ended in a time-out nine days ago; somebody mended it, and it has ended well ever since."""
    sums = deploy(world, "ledger-sum", "java21", memory=2048, timeout=300)
    close = workflow(world, "ledger-close", {"Sum": lambda_task(sums.arn)}, allow("lambda:InvokeFunction", sums.arn))
    traffic(sums, 1, 41000)
    executions(close, 0.2, 44)
    machine_changed(close, who="ledger-tf", when=world.ago(days=8, hours=20))
    changed(sums, CODE, who="ci-ledger", when=world.ago(hours=6), publish=False)
    old = Run(close, "close-0311", world.ago(days=9)).enter("Sum").invoke(sums.arn)
    old.refuse("States.Timeout", "", after=300, kind="TaskTimedOut").end("FAILED", "States.Timeout")
    runs = [old]
    for minutes in (12, 73):
        run = Run(close, f"close-{minutes}", world.ago(minutes=minutes)).enter("Sum").invoke(sums.arn)
        runs.append(run.answer("lambda", "invoke", after=41.2).leave("Sum").end("SUCCEEDED"))
    list_runs(close, *runs)
    return Expect(f"is {close.arn} alright?", innocent=(close.arn, close.role_arn, sums.arn, sums.role_arn))


@scenario(Kind.INSUFFICIENT, "stepfunctions")
def express_workflow_that_logs_nothing(world: World) -> Expect:
    """A third of cart-merge, an express workflow, fails; it writes no log, and AWS keeps no history of its kind."""
    merge = deploy(world, "cart-merge-items", "nodejs22.x")
    role = resources.role(
        world, "cart-merge-role", allow("lambda:InvokeFunction", merge.arn), assumed_by="states.amazonaws.com"
    )
    definition = {"StartAt": "Merge", "States": {"Merge": lambda_task(merge.arn)}}
    arn = resources.state_machine(world, "cart-merge", definition, role=role, kind="EXPRESS")
    machine = Workflow(world, "cart-merge", arn, role)
    traffic(merge, 60, 55)
    executions(machine, 90, 0.12, since=whole_minute(world, 22), share=0.33)
    changed(merge, CODE, who="ci-cart", when=world.ago(minutes=50), publish=False)
    for operation in ("ListExecutions", "DescribeExecution", "GetExecutionHistory"):
        world.aws.inject("stepfunctions", operation, NOT_EXPRESS)
    return Expect("state machine cart-merge", status="inconclusive", innocent=(merge.arn, merge.role_arn, arn, role))


@scenario(Kind.ALARM, "lambda")
def half_a_million_parcels_through_a_narrow_door(world: World) -> Expect:
    """A distributed map over a manifest calls parcel-rate, whose reserved concurrency somebody cut to four; more
    children fail than are tolerated. Nothing but an alarm on the parent."""
    rate = deploy(world, "parcel-rate", "java21", memory=1024, reserved=4)
    item = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Rate",
        "States": {
            "Rate": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": rate.arn, "Payload.$": "$"},
                "End": True,
            }
        },
    }
    every = {
        "Type": "Map", "ItemProcessor": item, "MaxConcurrency": 500, "ToleratedFailurePercentage": 5.0,
        "Label": "Each", "End": True,
    }  # fmt: skip
    nightly = workflow(world, "rate-parcels", {"Each": every}, allow(["lambda:InvokeFunction", "states:*"]))
    began = whole_minute(world, 20)
    traffic(rate, 400, 300)
    start = whole_minute(world, 20)
    name = {"FunctionName": rate.name}
    signals.metric(world, "AWS/Lambda", "Throttles", name, [counted(900)] * 20, start=start, unit="Count")
    signals.metric(world, "AWS/Lambda", "ConcurrentExecutions", name, [{4.0: 30}] * 20, start=start, unit="Count")
    executions(nightly, 0.4, 300, since=began, failing=45)
    changed(
        rate, "PutFunctionConcurrency20171031", who="cost-guard", when=world.ago(minutes=21),
        reservedConcurrentExecutions=4,
    )  # fmt: skip
    run = Run(nightly, "night-1121", world.ago(minutes=9)).enter("Each", "Map")
    mapped = world.arn("states", f"mapRun:rate-parcels/Each:{world.ids.request()}")
    run.add("MapStateStarted", 0.0, length=0).add("MapRunStarted", 0.2, mapRunArn=mapped)
    said = "The specified tolerated failure threshold was exceeded"
    run.add("MapRunFailed", 44, error="States.ExceedToleratedFailureThreshold", cause=said)
    run.add("MapStateFailed", 0.0).end("FAILED", "States.ExceedToleratedFailureThreshold", said)
    list_runs(nightly, run)
    child = Workflow(
        world, "rate-parcels/Each", world.arn("states", "stateMachine:rate-parcels/Each"), nightly.role_arn
    )
    words = (
        f"Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: {world.ids.request()}) (SDK Attempt Count: 3)"
    )
    inner = Run(child, world.ids.request(), world.ago(minutes=8, seconds=50)).enter("Rate").invoke(rate.arn)
    inner.fail("Lambda.TooManyRequestsException", words).keep()
    counts = {
        "pending": 0,
        "running": 0,
        "succeeded": 480,
        "failed": 61,
        "timedOut": 0,
        "aborted": 300,
        "total": 841,
        "resultsWritten": 0,
    }
    described = {
        "mapRunArn": mapped, "executionArn": run.arn, "status": "FAILED", "startDate": run.began, "stopDate": run.now,
        "maxConcurrency": 500, "toleratedFailurePercentage": 5.0, "toleratedFailureCount": 0,
        "itemCounts": counts, "executionCounts": counts,
    }  # fmt: skip
    world.aws.serve("stepfunctions", "DescribeMapRun", described, when={"mapRunArn": mapped})
    listed = {
        "mapRuns": [
            {
                "executionArn": run.arn,
                "mapRunArn": mapped,
                "stateMachineArn": nightly.arn,
                "startDate": run.began,
                "stopDate": run.now,
            }
        ]
    }
    world.aws.serve("stepfunctions", "ListMapRuns", listed, when={"executionArn": run.arn})
    world.aws.serve(
        "stepfunctions",
        "ListExecutions",
        {"executions": [{**inner.listed, "mapRunArn": mapped}]},
        when={"mapRunArn": mapped},
    )
    watches, where = ("AWS/States", "ExecutionsFailed"), {"StateMachineArn": nightly.arn}
    text = metric_alarm(world, "rate-parcels-failed", watches, where, world.ago(minutes=7), value=1, threshold=0)
    return Expect(
        text,
        cause="lambda-throttle-reserved",
        resource=rate.arn,
        shown=(("sfn-map-item-failed", nightly.arn),),
        innocent=(nightly.role_arn, rate.role_arn),
    )


@scenario(Kind.ALARM, "stepfunctions")
def transcription_polled_until_the_bell(world: World) -> Expect:
    """talk-text polls a transcription every minute; a talk of three hours takes longer than the whole workflow may.
    One poll was refused on the way, tried again and answered."""
    poll = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:transcribe:getTranscriptionJob",
        "Parameters": {"TranscriptionJobName.$": "$.talk"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3}],
        "Next": "Done?",
    }
    done = {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.TranscriptionJob.TranscriptionJobStatus", "StringEquals": "COMPLETED", "Next": "Ready"}
        ],
        "Default": "Pause",
    }
    states = {
        "Poll": poll,
        "Done?": done,
        "Pause": {"Type": "Wait", "Seconds": 60, "Next": "Poll"},
        "Ready": {"Type": "Succeed"},
    }
    talk = workflow(world, "talk-text", states, allow("transcribe:GetTranscriptionJob"), TimeoutSeconds=900)
    executions(talk, 0.3, 410, since=whole_minute(world, 40), share=0.5, ended="TimedOut", failing=900)
    machine_changed(talk, who="talk-cdk", when=world.ago(hours=9))
    elsewhere(world, CODE, "talk-upload", who="ci-talks", when=world.ago(minutes=43), publish=False)
    run = Run(talk, "keynote", world.ago(minutes=21), {"talk": "keynote"})
    for number in range(15):
        run.enter("Poll").ask(
            "aws-sdk:transcribe", "getTranscriptionJob", parameters={"TranscriptionJobName": "keynote"}
        )
        if number == 5:
            run.refuse("Transcribe.LimitExceededException", "Rate exceeded (Service: Transcribe, Status Code: 429)")
            run.ask(
                "aws-sdk:transcribe", "getTranscriptionJob", after=2.0, parameters={"TranscriptionJobName": "keynote"}
            )
        run.answer("aws-sdk:transcribe", "getTranscriptionJob", after=0.1).leave("Poll")
        run.enter("Done?", "Choice").leave("Done?", "Choice").enter("Pause", "Wait")
        if number < 14:
            run.leave("Pause", "Wait", after=60)
    run.end("TIMED_OUT", "States.Timeout", after=50)
    list_runs(talk, run)
    watches, where = ("AWS/States", "ExecutionsTimedOut"), {"StateMachineArn": talk.arn}
    text = metric_alarm(world, "talk-text-timed-out", watches, where, world.ago(minutes=5), value=1, threshold=0)
    return Expect(text, cause="sfn-execution-timeout", resource=talk.arn, innocent=(talk.role_arn,))


@scenario(Kind.SINGLE, "iam")
def fail_state_hides_what_was_caught(world: World) -> Expect:
    """book-berth catches everything, tells the harbour and ends in its own Fail state; what it caught is a policy of
    the organization that forbids the write."""
    table = resources.table(world, "berths", key="berth")
    topic = resources.topic(world, "harbour-office")
    put = {"TableName": "berths", "Key": {"berth": {"S.$": "$.berth"}}}
    update = task("dynamodb:updateItem", put, "Booked")
    update["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Tell"}]
    states = {
        "Book": update,
        "Booked": {"Type": "Succeed"},
        "Tell": task("sns:publish", {"TopicArn": topic, "Message": "berth not booked"}, "Give up"),
        "Give up": {
            "Type": "Fail",
            "Error": "BerthNotBooked",
            "Cause": "The berth could not be booked, ask the harbour office",
        },
    }
    book = workflow(world, "book-berth", states, allow("dynamodb:UpdateItem", table), allow("sns:Publish", topic))
    began = whole_minute(world, 15)
    executions(book, 7, 0.6, since=began, failing=0.7)
    machine_changed(book, who="harbour-cdk", when=world.ago(hours=3))
    elsewhere(world, CODE, "berth-show", who="ci-harbour", when=world.ago(minutes=17), publish=False)
    words = (
        f"User: {book.session} is not authorized to perform: dynamodb:UpdateItem on resource: {table} with an explicit "
        "deny in a service control policy (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: "
        f"AccessDeniedException; Request ID: {world.ids.request()}; Proxy: null)"
    )
    runs = []
    for number, minutes in enumerate((4, 10)):
        run = Run(book, f"berth-{40 + number}", world.ago(minutes=minutes), {"berth": f"E{number}"}).enter("Book")
        run.ask("dynamodb", "updateItem", parameters={"TableName": "berths"})
        run.refuse("DynamoDB.AmazonDynamoDBException", words).leave("Book").enter("Tell")
        run.ask("sns", "publish", parameters={"TopicArn": topic}).answer("sns", "publish", after=0.1).leave("Tell")
        run.enter("Give up", "Fail")
        runs.append(run.end("FAILED", "BerthNotBooked", "The berth could not be booked, ask the harbour office"))
    list_runs(book, *runs)
    return Expect(
        "state machine book-berth fails",
        cause="iam-explicit-deny-scp",
        resource=book.role_arn,
        accept=(("sfn-role-denied", book.arn),),
        innocent=(table, topic),
    )
