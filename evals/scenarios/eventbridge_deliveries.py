"""Rules, buses and schedules that deliver to what is closed, gone, changed, too late or out of sight."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._events import EVENTS, bus_flow, bus_rule, let_in, rule_changed, rule_flow
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    elsewhere,
    traffic,
    whole_minute,
)
from evals.scenarios._messages import Flow, queue_flow, read_by, reading
from evals.scenarios._runtimes import Fault
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


@scenario(Kind.INSUFFICIENT, "eventbridge")
def partners_bus_takes_nothing_any_more(world: World) -> Expect:
    """Rule to-partner sends to a bus of another account, which we cannot read; it fails since half an hour and has no
    queue for what was not delivered."""
    theirs = "arn:aws:events:eu-west-1:444455556666:event-bus/partner-inbox"
    role = resources.role(world, "to-partner-role", allow("events:PutEvents", theirs), assumed_by=EVENTS)
    pattern = {"source": ["shop.orders"], "detail-type": ["OrderShipped"]}
    rule = bus_rule(world, "shop", "to-partner", [{"Id": "partner", "Arn": theirs, "RoleArn": role}], pattern)
    audit = deploy(world, "order-audit", "python3.12")
    other = bus_rule(world, "shop", "order-audit", [{"Id": "1", "Arn": audit.arn}], {"source": ["shop.orders"]})
    let_in(world, audit.name, other)
    bus_flow(world, "shop", "to-partner", 12, since=whole_minute(world, 30))
    bus_flow(world, "shop", "order-audit", 31)
    traffic(audit, 31, 40)
    changed(audit, CODE, who="ci-orders", when=world.ago(minutes=33), publish=False)
    return Expect(rule, status="inconclusive", innocent=(other, audit.arn, audit.role_arn, role, rule))


@scenario(Kind.TWO_FAULTS, "eventbridge")
def queue_lets_in_a_rule_of_another_name(world: World) -> Expect:
    """Terraform renamed the rule that feeds picks; the policies of the queue and of its dead-letter queue let in
    EventBridge, but only from the rule's old name."""
    old = world.arn("events", "rule/order-paid")

    def lets_in(queue: str, rule: str) -> str:
        statement = {
            "Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sqs:SendMessage",
            "Resource": world.arn("sqs", queue), "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }  # fmt: skip
        return policy_document(statement)

    picks = resources.queue(world, "picks", Policy=lets_in("picks", old))
    undelivered = resources.queue(world, "picks-undelivered", Policy=lets_in("picks-undelivered", old))
    target = {"Id": "picks", "Arn": picks, "DeadLetterConfig": {"Arn": undelivered}}
    pattern = {"source": ["shop.payments"], "detail-type": ["OrderPaid"]}
    rule = bus_rule(world, "default", "warehouse-order-paid", [target], pattern)
    began = whole_minute(world, 26)
    for name, when in (("PutRule", began), ("PutTargets", began)):
        kind = [("AWS::Events::Rule", "warehouse-order-paid")]
        request = {"name" if name == "PutRule" else "rule": "warehouse-order-paid"}
        signals.cloudtrail_event(world, name, "events", kind, who="warehouse-tf", when=when, request=request)
    rule_changed(world, "DeleteRule", "order-paid", who="warehouse-tf", when=began)
    start = began
    where = {"RuleName": "warehouse-order-paid"}
    for name in (
        "MatchedEvents",
        "TriggeredRules",
        "Invocations",
        "FailedInvocations",
        "InvocationsFailedToBeSentToDlq",
    ):
        signals.metric(world, "AWS/Events", name, where, [{1.0: 15}] * 26, start=start, unit="Count")
    rule_flow(world, "order-paid", 15, until=began)
    picker = deploy(world, "picker", "provided.al2023", reading(picks))
    read_by(picker, picks)
    queue_flow(world, "picks", Flow(15, 15, 15, 1, 1, 1), since=began, then=Flow())
    changed(picker, CODE, who="ci-warehouse", when=world.ago(minutes=48), publish=False)
    return Expect(
        "rule warehouse-order-paid delivers nothing",
        cause="eb-target-no-permission",
        resource=rule,
        also=(("eb-dlq-undeliverable", rule),),
        innocent=(picker.arn, picker.role_arn),
    )


@scenario(Kind.SINGLE, "eventbridge")
def workflow_behind_a_rule_was_deleted(world: World) -> Expect:
    """Rule seat-booked starts a workflow that somebody deleted, and tells a function, which works: half of its
    deliveries fail."""
    gone = world.arn("states", "stateMachine:seat-upgrade")
    role = resources.role(world, "seat-booked-role", allow("states:StartExecution", gone), assumed_by=EVENTS)
    mail = deploy(world, "seat-mail", "python3.12")
    targets = [{"Id": "upgrade", "Arn": gone, "RoleArn": role}, {"Id": "mail", "Arn": mail.arn}]
    pattern = {"source": ["air.seats"], "detail-type": ["SeatBooked"]}
    rule = bus_rule(world, "air", "seat-booked", targets, pattern)
    let_in(world, mail.name, rule)
    began = whole_minute(world, 18)
    bus_flow(world, "air", "seat-booked", 8, since=began, targets=2)
    traffic(mail, 8, 110)
    kind = [("AWS::StepFunctions::StateMachine", gone)]
    signals.cloudtrail_event(
        world, "DeleteStateMachine", "states", kind, who="mara", when=began, request={"stateMachineArn": gone}
    )
    changed(mail, CODE, who="ci-air", when=world.ago(minutes=21), publish=False)
    watches, where = ("AWS/Events", "FailedInvocations"), {"EventBusName": "air", "RuleName": "seat-booked"}
    text = metric_alarm(world, "seat-booked-failed", watches, where, began + timedelta(minutes=2), value=8, threshold=1)
    return Expect(
        text,
        cause="eb-target-missing",
        resource=rule,
        says=("mara",),
        innocent=(mail.arn, mail.role_arn, role),
    )


@scenario(Kind.CHANGE, "eventbridge")
def template_no_longer_hands_the_lines_over(world: World) -> Expect:
    """Somebody shortened the input template of rule order-placed: the Ruby function behind it raises since, and was
    not touched for weeks."""
    reserve = deploy(world, "reserve-lines", "ruby3.3")
    pattern = {"source": ["shop.orders"], "detail-type": ["OrderPlaced"]}
    shaped = {"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"id": <id>}'}
    rule = bus_rule(
        world, "default", "order-placed", [{"Id": "reserve", "Arn": reserve.arn, "InputTransformer": shaped}], pattern
    )
    let_in(world, reserve.name, rule)
    began = whole_minute(world, 23)
    words = 'key not found: "lines"'
    stack = ["/var/task/app.rb:14:in `fetch'", "/var/task/app.rb:14:in `handler'"]
    shown = json.dumps({"errorMessage": words, "errorType": "Function<KeyError>", "stackTrace": stack})
    fault = Fault("Function<KeyError>", words, (f"Error raised from handler method\n{shown}",))
    traffic(reserve, 9, 70, fault=fault, since=began)
    bus_flow(world, "default", "order-placed", 9)
    kind = [("AWS::Events::Rule", "order-placed")]
    request = {
        "rule": "order-placed",
        "targets": [
            {
                "id": "reserve",
                "arn": reserve.arn,
                "inputTransformer": {"inputPathsMap": {"id": "$.detail.id"}, "inputTemplate": '{"id": <id>}'},
            }
        ],
    }
    signals.cloudtrail_event(world, "PutTargets", "events", kind, who="ilka", when=began, request=request)
    changed(reserve, CODE, who="ci-stock", when=world.ago(days=12), publish=False)
    elsewhere(world, CODE, "release-lines", who="ci-stock", when=world.ago(minutes=25), publish=False)
    return Expect(
        "rule order-placed",
        cause="eb-input-transformer",
        resource=rule,
        says=("ilka",),
        omits=("release-lines",),
        innocent=(reserve.role_arn,),
    )


@scenario(Kind.INSUFFICIENT, "eventbridge")
def readings_refused_somewhere_in_the_region(world: World) -> Expect:
    """PutEvents answers 200 and refuses every fifth entry of meter-publish, which nobody logs. The metrics count what
    was refused on all buses together, so that the bus is suspect and no more."""
    store = deploy(world, "meter-store", "python3.13")
    rule = bus_rule(world, "grid", "meter-read", [{"Id": "1", "Arn": store.arn}], {"source": ["grid.meters"]})
    let_in(world, store.name, rule)
    bus_flow(world, "grid", "meter-read", 12)
    traffic(store, 12, 33)
    began = whole_minute(world, 26)
    start = whole_minute(world, HISTORY_MINUTES)
    times = [start + timedelta(minutes=n) for n in range(HISTORY_MINUTES)]
    put: list[Reported] = [{1.0: 15} for _ in times]
    refused: list[Reported] = [{1.0: 3} if at >= began else None for at in times]
    for name, values in (("PutEventsEntriesCount", put), ("PutEventsFailedEntriesCount", refused)):
        signals.metric(world, "AWS/Events", name, {}, values, start=start, unit="Count")
    changed(store, CODE, who="ci-meters", when=world.ago(minutes=29), publish=False)
    bus = world.arn("events", "event-bus/grid")
    return Expect(
        f"readings are missing on {bus}",
        status="inconclusive",
        shown=(("eb-put-failed-entries", bus),),
        innocent=(rule, store.arn, store.role_arn),
    )


@scenario(Kind.CHANGE, "eventbridge")
def schedule_with_an_end_date(world: World) -> Expect:
    """Somebody gave the schedule of dunning-letters an end date when a campaign ended; it is past."""
    letters = deploy(world, "dunning-letters", "dotnet8", memory=512)
    role = resources.role(
        world, "dunning-schedule", allow("lambda:InvokeFunction", letters.arn), assumed_by="scheduler.amazonaws.com"
    )
    moment = world.ago(minutes=50)
    arn = world.client("scheduler").create_schedule(
        Name="dunning-letters",
        ScheduleExpression="rate(10 minutes)",
        EndDate=moment,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": letters.arn, "RoleArn": role},
    )["ScheduleArn"]
    kind = [("AWS::Scheduler::Schedule", "dunning-letters")]
    signals.cloudtrail_event(
        world, "UpdateSchedule", "scheduler", kind, who="petra", when=world.ago(minutes=58),
        request={"name": "dunning-letters", "endDate": f"{moment:%b %d, %Y, %I:%M:%S %p}"},
    )  # fmt: skip
    changed(letters, CODE, who="ci-dunning", when=world.ago(minutes=70), publish=False)
    return Expect(
        f"{arn} does not run any more",
        cause="eb-schedule-wrong",
        resource=arn,
        says=("petra",),
        innocent=(letters.arn, letters.role_arn, role),
    )
