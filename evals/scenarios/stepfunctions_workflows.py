"""Workflows that end by themselves: a path without a field, a limit, a child, a hand that stopped them, or well."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._executions import (
    Run,
    WorkflowJourney,
    executions,
    lambda_task,
    list_runs,
    machine_changed,
    task,
    workflow,
)
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED, THROTTLED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "stepfunctions")
def label_wants_a_postcode_that_pickups_lack(world: World) -> Expect:
    """The new definition of print-label reads $.address.postcode; orders for pick-up have none. Starts still work."""
    render = deploy(world, "label-render", "nodejs22.x", memory=512)
    labels = workflow(world, "print-label", {"Render": lambda_task(render.arn)}, allow("lambda:InvokeFunction"))
    pack = deploy(world, "pack-done", "java17", allow(["states:StartExecution"], labels.arn), memory=1024)
    began = whole_minute(world, 17)
    traffic(render, 30, 160)
    traffic(pack, 40, 75)
    executions(labels, 40, 0.8, since=began, share=0.25, failing=0.2)
    machine_changed(labels, who="ci-labels", when=began)
    changed(pack, CODE, who="ci-warehouse", when=world.ago(minutes=50), publish=False)
    words = (
        "An error occurred while executing the state 'Render' (entered at the event id #2). The JSONPath "
        "'$.address.postcode' specified for the field 'postcode.$' could not be found in the input "
        '\'{"order":"P-%s","pickup":"store 14"}\''
    )
    journey = WorkflowJourney(world, at := world.ago(minutes=4, seconds=20))
    runs = []
    for number, begun in enumerate((at, world.ago(minutes=7), world.ago(minutes=13))):
        run = Run(labels, f"P-{620 - number}", begun, {"order": f"P-{620 - number}", "pickup": "store 14"})
        runs.append(run.enter("Render").end("FAILED", "States.Runtime", words % (620 - number)))
    list_runs(labels, *runs)
    journey.function(pack, 0.0, 0.09, calls=[journey.start(labels, 0.03, 0.04)])
    innocent = (render.arn, render.role_arn, labels.role_arn, pack.arn, pack.role_arn)
    return Expect(journey.send(), cause="sfn-jsonpath-missing", resource=labels.arn, innocent=innocent)


@scenario(Kind.THROTTLED, "stepfunctions")
def mart_load_outgrew_its_time_limit(world: World) -> Expect:
    """The Glue job behind nightly-mart takes 22 minutes since the year's data came in; its state allows 20.
    Step Functions throttles our own reads for a while."""
    glue = task("glue:startJobRun.sync", {"JobName": "mart-load"}, TimeoutSeconds=1200)
    mart = workflow(world, "nightly-mart", {"Load": glue}, allow(["glue:StartJobRun", "glue:GetJobRun"]))
    executions(mart, 0.05, 640, since=whole_minute(world, 30), failing=1200)
    resources.bucket(world, "mart-staging")
    elsewhere(world, CODE, "mart-mail", who="ci-bi", when=world.ago(minutes=57), publish=False)
    run = Run(mart, "2026-11-21", world.ago(minutes=41)).enter("Load")
    run.ask("glue", "startJobRun.sync", parameters={"JobName": "mart-load"}, timeoutInSeconds=1200)
    submitted = json.dumps({"JobRunId": "jr_5be1", "JobName": "mart-load"})
    run.add("TaskSubmitted", 0.6, resourceType="glue", resource="startJobRun.sync", output=submitted)
    run.refuse("States.Timeout", "", after=1199.4, kind="TaskTimedOut")
    list_runs(mart, run.end("FAILED", "States.Timeout"))
    for operation in ("DescribeStateMachine", "ListExecutions", "DescribeExecution"):
        world.aws.inject("stepfunctions", operation, THROTTLED, times=2)
    return Expect(
        f"{mart.arn} failed this morning", cause="sfn-timeout-task", resource=mart.arn, innocent=(mart.role_arn,)
    )


@scenario(Kind.CASCADE, "stepfunctions")
def new_country_has_no_branch_in_the_child(world: World) -> Expect:
    """month-end runs one invoice-run for each country; since Norway came in, the child's Choice by currency has no rule
    for NOK and no default."""
    send = deploy(world, "invoice-send", "python3.12", timeout=60)
    rules = [{"Variable": "$.currency", "StringEquals": money, "Next": "Send"} for money in ("EUR", "GBP")]
    states = {"ByCurrency": {"Type": "Choice", "Choices": rules}, "Send": lambda_task(send.arn)}
    child = workflow(world, "invoice-run", states, allow("lambda:InvokeFunction", send.arn))
    nested = task("states:startExecution.sync:2", {"StateMachineArn": child.arn, "Input.$": "$"})
    parent = workflow(world, "month-end", {"Invoice": nested}, allow("states:*"))
    traffic(send, 3, 2300)
    for machine in (parent, child):
        executions(machine, 0.3, 4, since=whole_minute(world, 12), share=0.5)
    changed(send, CODE, who="ci-invoices", when=world.ago(hours=3), publish=False)
    words = (
        "An error occurred while executing the state 'ByCurrency' (entered at the event id #2). "
        "Failed to transition out of the state. The state's input did not match any Choice rule, and it has no Default."
    )
    inner = Run(child, "NO-2026-11", world.ago(minutes=9, seconds=-1), {"country": "NO", "currency": "NOK"})
    inner.enter("ByCurrency", "Choice").end("FAILED", "States.NoChoiceMatched", words).keep()
    outer = Run(parent, "2026-11-NO", world.ago(minutes=9), {"country": "NO"}).enter("Invoice")
    outer.ask("states", "startExecution.sync:2", parameters={"StateMachineArn": child.arn})
    answer = {"ExecutionArn": inner.arn, "StartDate": 1.0}
    outer.add("TaskSubmitted", 0.2, resourceType="states", resource="startExecution.sync:2", output=json.dumps(answer))
    cause = {"Error": inner.error, "Cause": words, "ExecutionArn": inner.arn, "Status": "FAILED", "Name": inner.name}
    list_runs(parent, outer.fail("States.TaskFailed", json.dumps({**cause, "StateMachineArn": child.arn}), after=1.1))
    innocent = (parent.arn, parent.role_arn, child.role_arn, send.arn)
    return Expect(outer.arn, cause="sfn-no-choice", resource=child.arn, innocent=innocent)


@scenario(Kind.SINGLE, "stepfunctions")
def reindex_stopped_by_hand(world: World) -> Expect:
    """Nadia stopped a reindex that slowed the shop's search, and told nobody: the next morning it is just missing."""
    shard = deploy(world, "reindex-shard", "java21", memory=2048, timeout=600)
    states = {"Shards": {**lambda_task(shard.arn, "Swap"), "TimeoutSeconds": 600}, "Swap": {"Type": "Succeed"}}
    index = workflow(world, "reindex-search", states, allow("lambda:InvokeFunction", shard.arn))
    traffic(shard, 1, 48000)
    executions(index, 0.02, 900, since=whole_minute(world, 25), ended="Aborted", failing=320)
    changed(shard, CODE, who="ci-search", when=world.ago(hours=5), publish=False)
    run = Run(index, "full-0412", world.ago(minutes=32)).enter("Shards").invoke(shard.arn)
    run.end("ABORTED", after=402).keep()
    stopped = [("AWS::StepFunctions::Execution", run.arn)]
    request = {"executionArn": run.arn}
    signals.cloudtrail_event(world, "StopExecution", "states", stopped, who="nadia", when=run.now, request=request)
    return Expect(
        f"why did {run.arn} not finish?",
        cause="sfn-aborted",
        resource=index.arn,
        innocent=(index.role_arn, shard.arn, shard.role_arn),
    )


@scenario(Kind.HEALTHY, "stepfunctions")
def lambda_stumbled_once_and_the_state_tried_again(world: World) -> Expect:
    """Lambda itself answered 500 for one Invoke of tax-rate; the state's Retry waited a second and the invoice was
    written."""
    rate = deploy(world, "tax-rate", "python3.12")
    write = deploy(world, "invoice-write", "python3.12")
    states = {"Rate": lambda_task(rate.arn, "Write"), "Write": lambda_task(write.arn)}
    invoice = workflow(world, "make-invoice", states, allow("lambda:InvokeFunction"))
    for function, took in ((rate, 35), (write, 120)):
        traffic(function, 50, took)
    executions(invoice, 50, 0.7)
    machine_changed(invoice, who="ci-invoices", when=world.ago(hours=2))
    passing = "Service exception (Service: Lambda, Status Code: 500, Request ID: 5c1f) (SDK Attempt Count: 1)"
    journey = WorkflowJourney(world, at := world.ago(minutes=6, seconds=40))
    run = Run(invoice, "inv-20991", at).enter("Rate").invoke(rate.arn).refuse("Lambda.ServiceException", passing)
    run.invoke(rate.arn, after=1.0).answer("lambda", "invoke", after=0.06).leave("Rate")
    run.enter("Write").invoke(write.arn).answer("lambda", "invoke", after=0.15).leave("Write").end("SUCCEEDED")
    list_runs(invoice, run)
    stumbled = journey.invoke(rate.name, 0.1, 0.09, status=500)
    again, last = journey.invoke(rate.name, 1.2, 0.06), journey.invoke(write.name, 1.35, 0.15)
    steps = (journey.state("Rate", 0.06, 1.22), journey.state("Write", 1.3, 0.21, last))
    steps[0]["subsegments"] = [stumbled, again]
    journey.execution(run, 1.55, *steps)
    journey.function(rate, 1.21, 0.04, parent=str(again["id"]))
    journey.function(write, 1.36, 0.13, parent=str(last["id"]))
    innocent = (invoice.arn, invoice.role_arn, rate.arn, write.arn)
    return Expect(journey.send(), innocent=innocent)


@scenario(Kind.DENIED, "stepfunctions")
def failed_somewhere_and_no_execution_may_be_read(world: World) -> Expect:
    """One in three of kyc-check fails, say the metrics; neither an execution nor a history may be read."""
    score = deploy(world, "kyc-score", "dotnet8", memory=512)
    check = workflow(world, "kyc-check", {"Score": lambda_task(score.arn)}, allow("lambda:InvokeFunction", score.arn))
    traffic(score, 12, 400)
    executions(check, 12, 1.6, since=whole_minute(world, 20), share=0.33)
    journey = WorkflowJourney(world, at := world.ago(minutes=8))
    run = Run(check, "kyc-7713", at).enter("Score").invoke(score.arn).answer("lambda", "invoke", after=0.41)
    list_runs(check, run.leave("Score").end("FAILED", "States.DataLimitExceeded", "The state/task 'Score' returned"))
    call = journey.invoke(score.name, 0.08, 0.4)
    journey.execution(run, 0.6, journey.state("Score", 0.06, 0.44, call, failed=True), failed=True)
    journey.function(score, 0.09, 0.38, parent=str(call["id"]))
    denied = ("DescribeExecution", "ListExecutions", "GetExecutionHistory")
    for operation in denied:
        world.aws.inject("stepfunctions", operation, ACCESS_DENIED)
    innocent = (score.arn, score.role_arn, check.role_arn)
    return Expect(journey.send(), status="inconclusive", innocent=innocent, gaps=("states:DescribeExecution",))
