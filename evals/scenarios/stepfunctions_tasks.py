"""Workflows whose tasks fail at what they call: a function, a table, a topic, a worker."""

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
from evals.scenarios._runtimes import python
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.CASCADE, "lambda")
def charge_reads_a_field_that_checkout_renamed(world: World) -> Expect:
    """card-charge was released with a new field name and raises KeyError; every order ends in its state Charge."""
    reserve = deploy(world, "stock-reserve", "java21", memory=1024)
    charge = deploy(world, "card-charge", "python3.12", last_modified=world.ago(minutes=26))
    states = {"Reserve": lambda_task(reserve.arn, "Charge"), "Charge": lambda_task(charge.arn)}
    orders = workflow(world, "fulfil-order", states, allow("lambda:InvokeFunction", [reserve.arn, charge.arn]))
    intake = deploy(world, "order-intake", "nodejs22.x", allow(["states:StartExecution"], orders.arn))
    stage = resources.rest_api(world, "shop-orders", [("POST", "/orders", intake.arn)])
    began = whole_minute(world, 25)
    fault = python("KeyError", "'payment_ref'", ("/var/task/app.py", 31, "charge"), ("/var/task/app.py", 12, "handler"))
    traffic(charge, 22, 240, fault=fault, since=began)
    for function, took in ((reserve, 130), (intake, 45)):
        traffic(function, 22, took)
    executions(orders, 22, 2.1, since=began, failing=0.8)
    changed(charge, CODE, who="ci-payments", when=world.ago(minutes=26), publish=False)
    elsewhere(world, CODE, "card-refund", who="ci-payments", when=world.ago(minutes=24), publish=False)
    journey = WorkflowJourney(world, at := world.ago(minutes=4, seconds=10))
    run = Run(orders, "order-88412", at).enter("Reserve").invoke(reserve.arn).answer("lambda", "invoke", after=0.16)
    payload = '{"errorMessage": "\'payment_ref\'", "errorType": "KeyError", "requestId": "%s", "stackTrace": []}'
    run.leave("Reserve").enter("Charge").invoke(charge.arn).fail("KeyError", payload % world.ids.request())
    list_runs(orders, run)
    parent = journey.api(stage, "POST", "/orders", intake.name, 0.07, status=202)
    start = journey.start(orders, 0.02, 0.03)
    journey.function(intake, 0.006, 0.06, parent=parent, calls=[start])
    first, second = journey.invoke(reserve.name, 0.1, 0.16), journey.invoke(charge.name, 0.31, 0.1, status=200)
    steps = (journey.state("Reserve", 0.1, 0.17, first), journey.state("Charge", 0.3, 0.12, second, failed=True))
    journey.execution(run, 0.45, *steps, failed=True, parent=str(start["id"]))
    journey.function(reserve, 0.12, 0.13, parent=str(first["id"]))
    journey.function(charge, 0.32, 0.08, parent=str(second["id"]), fault=fault)
    innocent = (orders.arn, orders.role_arn, reserve.arn, intake.arn, charge.role_arn)
    return Expect(journey.send(), cause="lambda-unhandled-exception", resource=charge.arn, innocent=innocent)


@scenario(Kind.SINGLE, "stepfunctions")
def claims_table_went_with_last_years_data(world: World) -> Expect:
    """A clean-up dropped claims-2025; the portal gets its 202 and all of the trace is HTTP 200, but claims end at
    PutItem."""
    table = world.arn("dynamodb", "table/claims-2025")
    put = {"TableName": "claims-2025", "Item": {"claim": {"S.$": "$.claim"}}}
    states = {"Store": task("dynamodb:putItem", put, "Confirm"), "Confirm": {"Type": "Succeed"}}
    intake = workflow(world, "claims-intake", states, allow("dynamodb:PutItem", table))
    submit = deploy(world, "claim-submit", "dotnet8", allow(["states:StartExecution"], intake.arn), memory=512)
    stage = resources.rest_api(world, "claims", [("POST", "/claims", submit.arn)])
    resources.table(world, "claims-2026", key="claim")
    began = whole_minute(world, 21)
    traffic(submit, 9, 88)
    executions(intake, 9, 0.9, since=began, failing=0.3)
    dropped = [("AWS::DynamoDB::Table", "claims-2025")]
    signals.cloudtrail_event(
        world, "DeleteTable", "dynamodb", dropped, who="housekeeping", when=began, request={"tableName": "claims-2025"}
    )
    changed(submit, CODE, who="ci-claims", when=world.ago(hours=7), publish=False)
    words = (
        "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: "
        f"{world.ids.request()}) (SDK Attempt Count: 1)"
    )
    runs = []
    for minutes in (3, 6, 11):
        run = Run(intake, f"claim-{7000 - minutes}", world.ago(minutes=minutes, seconds=-1), {"claim": f"C{minutes}"})
        run.enter("Store").ask("dynamodb", "putItem", parameters={"TableName": "claims-2025"})
        runs.append(run.fail("DynamoDB.ResourceNotFoundException", words))
    list_runs(intake, *runs)
    journey = WorkflowJourney(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/claims", submit.name, 0.11, status=202)
    journey.function(submit, 0.006, 0.1, parent=parent, calls=[journey.start(intake, 0.04, 0.045)])
    innocent = (intake.arn, intake.role_arn, submit.arn, submit.role_arn, world.arn("dynamodb", "table/claims-2026"))
    return Expect(journey.send(), cause="ddb-table-not-found", resource=table, innocent=innocent)


@scenario(Kind.DENIED, "stepfunctions")
def role_of_the_courier_workflow_was_made_anew(world: World) -> Expect:
    """book-courier's new role lacks SNS; the history may not be read, but how the execution ended may."""
    topic = resources.topic(world, "courier-bookings")
    publish = task("sns:publish", {"TopicArn": topic, "Message.$": "$.parcel"})
    quote = deploy(world, "courier-quote", "python3.13")
    states = {"Quote": lambda_task(quote.arn, "Announce"), "Announce": publish}
    book = workflow(world, "book-courier", states, allow("lambda:InvokeFunction", quote.arn))
    traffic(quote, 14, 310)
    executions(book, 14, 1.4, since=whole_minute(world, 16), failing=0.9)
    machine_changed(book, who="cdk-deploy", when=world.ago(minutes=17))
    elsewhere(world, CODE, "courier-track", who="ci-courier", when=world.ago(minutes=15), publish=False)
    words = (
        f"User: {book.session} is not authorized to perform: SNS:Publish on resource: {topic} because no identity-based"
        f" policy allows the SNS:Publish action (Service: Sns, Status Code: 403, Request ID: {world.ids.request()})"
    )
    journey = WorkflowJourney(world, at := world.ago(minutes=5, seconds=30))
    run = Run(book, "parcel-50117", at).enter("Quote").invoke(quote.arn).answer("lambda", "invoke", after=0.34)
    run.leave("Quote").enter("Announce").ask("sns", "publish", parameters={"TopicArn": topic})
    list_runs(book, run.fail("SNS.AuthorizationErrorException", words))
    call = journey.invoke(quote.name, 0.07, 0.33)
    announce = journey.sns(topic, 0.5, 0.09)
    steps = (journey.state("Quote", 0.06, 0.36, call), journey.state("Announce", 0.47, 0.13, announce, failed=True))
    journey.execution(run, 0.63, *steps, failed=True)
    journey.function(quote, 0.09, 0.3, parent=str(call["id"]))
    world.aws.inject("stepfunctions", "GetExecutionHistory", ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="sfn-role-denied",
        resource=book.arn,
        accept=(("lambda-role-missing-permission", book.role_arn),),
        innocent=(topic, quote.arn, quote.role_arn),
        gaps=("states:GetExecutionHistory",),
    )


@scenario(Kind.INSUFFICIENT, "stepfunctions")
def plotter_reports_a_failure_without_a_reason(world: World) -> Expect:
    """The plotter in the workshop is an activity worker: it reports `Failed`, and what failed is on its own disk."""
    activity = world.arn("states", "activity:plotter")
    states = {"Plot": {"Type": "Task", "Resource": activity, "TimeoutSeconds": 3600, "End": True}}
    plot = workflow(world, "plot-plan", states)
    executions(plot, 1, 190, since=whole_minute(world, 33), share=0.5, failing=205)
    notify = deploy(world, "plan-mail", "python3.12")
    traffic(notify, 2, 150)
    changed(notify, CODE, who="ci-plans", when=world.ago(minutes=35), publish=False)
    runs = []
    for number, minutes in enumerate((9, 21)):
        run = Run(plot, f"plan-{31 + number}", world.ago(minutes=minutes), {"sheet": f"A{number}"}).enter("Plot")
        run.add("ActivityScheduled", 0.02, resource=activity, timeoutInSeconds=3600)
        run.add("ActivityStarted", 1.7, workerName="workshop-2")
        run.add("ActivityFailed", 203.0, error="Failed", cause="see plotter log")
        runs.append(run.end("FAILED", "Failed", "see plotter log"))
    list_runs(plot, *runs)
    innocent = (notify.arn, notify.role_arn, plot.role_arn)
    return Expect("state machine plot-plan fails now and then", status="inconclusive", innocent=innocent)
