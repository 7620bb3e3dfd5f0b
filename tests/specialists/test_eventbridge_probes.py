"""The EventBridge probes against the local AWS, and against moto over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from aws.session import AwsConfig, ReadSession
from domain.evidence import EvidenceBundle, load_evidence
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.contract import Look
from specialists.eventbridge import SPECIALIST
from specialists.eventbridge.evidence import (
    Destination,
    NearbyBuses,
    RoleAccess,
    RuleState,
    Targets,
)
from specialists.eventbridge.probes import access, roles, state, telemetry
from specialists.kit.change import Change, ChangeCount
from specialists.registry import all_specialists
from tests.specialists.eventbridge_building import (
    BUS,
    DEFAULT_RULE,
    DLQ,
    FUNCTION,
    MACHINE,
    OWN,
    PATTERN,
    PIPE,
    PUBLISHED,
    QUEUE,
    ROLE,
    RULE,
    SCHEDULE,
    bus,
    bus_rules,
    minute,
    on_bus,
    targets,
)
from tests.support.probing import NOW, WINDOW, look_with

TOPIC = "arn:aws:sns:eu-west-1:123456789012:news"
GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/orders"


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return World(_local, now=NOW)


def read(probe, arn: str = RULE, **more):
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == arn
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def make_rule(world: World, **settings) -> None:
    events = world.client("events")
    events.create_event_bus(Name="shop")
    events.put_rule(**{"Name": "order-placed", "EventBusName": "shop", "EventPattern": PATTERN} | settings)


def make_targets(world: World, *found) -> None:
    world.client("events").put_targets(Rule="order-placed", EventBusName="shop", Targets=list(found))


def make_function(world: World, *, permitted: str = "") -> None:
    role = resources.role(world, "fn")
    resources.function(world, "send-mail", role=role)
    if permitted:
        world.client("lambda").add_permission(
            FunctionName="send-mail",
            StatementId="events",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=permitted,
        )


def seen_at(world: World, *arns: str, target: str = RULE, **fields) -> dict[str, Destination]:
    """Look at targets with every probe of access."""
    known = targets(*arns, resource=target, **fields)
    found = [e for probe in access.ACCESS_PROBES for e in read(probe, target, seen=[known])]
    return {e.arn: e for e in found if isinstance(e, Destination)}


def test_a_rule_of_a_custom_bus_is_read(world: World) -> None:
    make_rule(world, State="DISABLED")

    found = read(state.rule)[0]

    assert (found.exists, found.enabled, found.bus, found.name) == (True, False, "shop", "order-placed")
    assert json.loads(found.pattern) == json.loads(PATTERN)


def test_a_rule_of_the_default_bus_is_read(moto_url: str) -> None:
    boto3.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")

    found = read(state.rule, DEFAULT_RULE)[0]

    assert (found.enabled, found.bus, found.schedule) == (True, "default", "rate(1 day)")


@pytest.mark.parametrize("with_bus", [True, False])
def test_a_missing_rule_is_told_from_a_missing_bus(world: World, with_bus: bool) -> None:
    if with_bus:
        world.client("events").create_event_bus(Name="shop")

    found = read(state.rule)[0]

    assert (found.exists, found.bus_exists) == (False, with_bus)
    assert read(state.targets) == []
    assert [e.rules for e in read(state.rules_of_bus)] == ([()] if with_bus else [])


def test_targets_carry_queue_retries_role_and_transformer(world: World) -> None:
    make_rule(world)
    make_targets(
        world,
        {
            "Id": "mail",
            "Arn": FUNCTION,
            "DeadLetterConfig": {"Arn": DLQ},
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 120},
            "InputTransformer": {"InputPathsMap": {"id": "$.detail.id"}, "InputTemplate": '{"id": <id>}'},
        },
        {"Id": "machine", "Arn": MACHINE, "RoleArn": ROLE},
    )

    machine, mail = read(state.targets)[0].targets

    assert (mail.arn, mail.dead_letter_arn, mail.retries, mail.max_age_seconds) == (FUNCTION, DLQ, 3, 120)
    assert (dict(mail.paths), mail.template) == ({"id": "$.detail.id"}, '{"id": <id>}')
    assert (machine.role_arn, machine.retries, machine.template) == (ROLE, None, "")


def test_a_rule_without_targets_is_told(world: World) -> None:
    make_rule(world)

    assert read(state.targets)[0].summary() == "It has no targets"


def test_the_rules_of_a_bus_are_listed(world: World) -> None:
    make_rule(world)
    world.client("events").put_rule(Name="audit", EventBusName="shop", EventPattern=PATTERN, State="DISABLED")

    from_rule, from_bus = read(state.rules_of_bus)[0], read(state.rules_of_bus, BUS)[0]

    assert next((r.name, r.state, r.arn, r.by_pattern) for r in from_bus.rules) == (
        "audit",
        "DISABLED",
        RULE.replace("order-placed", "audit"),
        True,
    )
    assert from_rule.rules == from_bus.rules
    assert "switched off: audit" in from_bus.summary()


def test_a_bus_and_its_absence_are_read(world: World) -> None:
    absent = read(state.bus, BUS)[0]
    world.client("events").create_event_bus(Name="shop-eu")
    nearby = read(state.nearby_buses, BUS, seen=[absent])[0]
    world.client("events").create_event_bus(Name="shop")

    assert not absent.exists
    assert isinstance(nearby, NearbyBuses)
    assert nearby.names == ("shop-eu",)
    assert read(state.bus, BUS)[0].exists
    assert read(state.nearby_buses, BUS, seen=[bus()]) == []


def test_a_schedule_is_read_with_its_target(world: World) -> None:
    scheduler = world.client("scheduler")
    scheduler.create_schedule_group(Name="jobs")
    scheduler.create_schedule(
        Name="nightly",
        GroupName="jobs",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        State="DISABLED",
        EndDate=datetime(2027, 1, 1, tzinfo=UTC),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": FUNCTION, "RoleArn": ROLE, "DeadLetterConfig": {"Arn": DLQ}},
    )

    found, goal = read(state.schedule, SCHEDULE)

    assert (found.state, found.expression, found.timezone) == ("DISABLED", "cron(0 3 * * ? *)", "Europe/Berlin")
    assert found.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (goal.targets[0].arn, goal.targets[0].role_arn, goal.targets[0].dead_letter_arn) == (FUNCTION, ROLE, DLQ)


def test_a_missing_schedule_is_told(world: World) -> None:
    assert [e.exists for e in read(state.schedule, SCHEDULE)] == [False]


def test_a_pipe_and_its_absence_are_read(world: World) -> None:
    assert [e.exists for e in read(state.pipe, PIPE)] == [False]

    answer = {
        "Arn": PIPE,
        "Name": "orders-to-shop",
        "DesiredState": "RUNNING",
        "CurrentState": "STOPPED",
        "StateReason": "not authorized",
        "Source": QUEUE,
        "Target": FUNCTION,
        "RoleArn": ROLE,
        "LastModifiedTime": NOW,
    }
    world.aws.serve("pipes", "DescribePipe", answer)
    found, goal = read(state.pipe, PIPE)

    assert (found.state, found.reason, found.source_arn, found.modified_at) == ("STOPPED", "not authorized", QUEUE, NOW)
    assert (goal.targets[0].arn, goal.targets[0].role_arn) == (FUNCTION, ROLE)


@pytest.mark.parametrize(
    ("permitted", "admits"), [("", False), (RULE, True), (RULE.replace("order-placed", "other"), False)]
)
def test_a_functions_policy_lets_the_rule_in_or_not(world: World, permitted, admits) -> None:
    make_function(world, permitted=permitted)

    found = seen_at(world, FUNCTION)[FUNCTION]

    assert (found.exists, found.admits) == (True, admits)


def test_targets_that_do_not_exist_are_evidence(world: World) -> None:
    arns = (FUNCTION, f"{FUNCTION}:live", QUEUE, TOPIC, MACHINE, BUS, GROUP)

    found = seen_at(world, *arns, dead_letter_arn=DLQ)

    assert {arn: d.exists for arn, d in found.items()} == dict.fromkeys((*arns, DLQ), False)


def test_queues_topics_and_log_groups_are_judged_by_their_policies(world: World) -> None:
    send = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}
    resources.queue(world, "mails", Policy=resources.policy_document({**send, "Action": "sqs:SendMessage"}))
    resources.queue(world, "mails-dead")
    resources.topic(world, "news", Policy=resources.policy_document({**send, "Action": "sns:Publish"}))
    logs = world.client("logs")
    logs.create_log_group(logGroupName="/aws/events/orders")
    logs.put_resource_policy(
        policyName="events",
        policyDocument=resources.policy_document({**send, "Action": "logs:*", "Resource": f"{GROUP}:*"}),
    )

    found = seen_at(world, QUEUE, TOPIC, GROUP, dead_letter_arn=DLQ)

    assert {arn: d.admits for arn, d in found.items()} == {QUEUE: True, TOPIC: True, GROUP: True, DLQ: False}
    assert found[DLQ].why == "it has no policy"


def test_a_queue_under_awss_own_key_keeps_rules_out(world: World) -> None:
    send = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    resources.queue(world, "mails", Policy=resources.policy_document(send), KmsMasterKeyId="alias/aws/sqs")

    found = seen_at(world, QUEUE)[QUEUE]

    assert found.admits is False
    assert "alias/aws/sqs" in found.why


def test_schedules_deliver_under_their_role_and_not_under_the_targets_policy(world: World) -> None:
    make_function(world)

    assert seen_at(world, FUNCTION, target=SCHEDULE)[FUNCTION].admits is None


def test_targets_elsewhere_are_not_judged(world: World) -> None:
    far = FUNCTION.replace("eu-west-1", "us-east-1")

    found = seen_at(world, far)[far]

    assert (found.exists, found.why) == (None, "it is in another account or Region")


def test_one_target_that_cannot_be_read_does_not_hide_the_others(world: World) -> None:
    make_function(world)
    world.aws.inject("lambda", "GetFunctionConfiguration", ACCESS_DENIED, when={"FunctionName": "a"})
    known = targets(FUNCTION.replace("send-mail", "a"), FUNCTION)
    found = []

    with pytest.raises(ClientError, match="AccessDenied"):
        found.extend(one_by_one(access.target_functions, known))

    assert [d.arn for d in found if isinstance(d, Destination)] == [FUNCTION]


def one_by_one(probe, known):
    """Yield as the probe does: the runner keeps what came before an error."""
    target = resource_from_arn(RULE)
    aws = ReadSession(AwsConfig(region=target.region), probe.reads).clients("", target.region)
    yield from probe.run(Look(aws, target, WINDOW, EvidenceBundle([known]), ServiceGraph.of([target]), NOW))


def test_who_closed_a_target_is_looked_up_only_when_it_is_closed(world: World) -> None:
    make_function(world)
    signals.cloudtrail_event(
        world,
        "RemovePermission20150331v2",
        "lambda",
        [("AWS::Lambda::Function", "send-mail")],
        who="mia",
        when=minute(5),
    )

    found = read(access.target_functions, seen=[targets(FUNCTION)])
    world.client("lambda").add_permission(
        FunctionName="send-mail", StatementId="s", Action="lambda:*", Principal="events.amazonaws.com"
    )

    assert [type(e) for e in found] == [Destination, Change]
    assert found[1].who == "mia"
    assert [type(e) for e in read(access.target_functions, seen=[targets(FUNCTION)])] == [Destination]


def role_seen(world: World, *statements, assumed_by: str = "events.amazonaws.com") -> RoleAccess:
    resources.role(world, "deliver", *statements, assumed_by=assumed_by)
    return read(roles.target_roles, seen=[targets(MACHINE, role_arn=ROLE)])[0]


def test_a_role_that_may_deliver_stands_in_no_way(world: World) -> None:
    found = role_seen(world, resources.allow("states:StartExecution", MACHINE))

    assert (found.exists, found.trusts, found.allowed, found.refusal) == (True, True, True, "")


@pytest.mark.parametrize(
    ("statement", "service", "refusal"),
    [
        (("states:StopExecution", MACHINE), "events.amazonaws.com", "is not allowed states:StartExecution"),
        (("states:StartExecution", MACHINE), "lambda.amazonaws.com", "does not trust events.amazonaws.com"),
    ],
)
def test_a_role_without_trust_or_permission_refuses(world: World, statement, service, refusal) -> None:
    assert refusal in role_seen(world, resources.allow(*statement), assumed_by=service).refusal


def test_a_decision_that_hangs_on_unknown_context_is_none(world: World) -> None:
    result = {
        "EvalActionName": "states:StartExecution",
        "EvalDecision": "implicitDeny",
        "MissingContextValues": ["aws:SourceVpc"],
    }
    world.aws.serve("iam", "SimulatePrincipalPolicy", {"EvaluationResults": [result]})

    assert role_seen(world).allowed is None


def test_a_missing_role_refuses(world: World) -> None:
    assert "does not exist" in read(roles.target_roles, seen=[targets(MACHINE, role_arn=ROLE)])[0].refusal


def test_a_schedules_role_must_reach_its_dead_letter_queue_too(world: World) -> None:
    resources.role(world, "deliver", assumed_by="scheduler.amazonaws.com")
    known = targets(FUNCTION, resource=SCHEDULE, role_arn=ROLE, dead_letter_arn=DLQ)

    found = read(roles.target_roles, SCHEDULE, seen=[known])

    assert [(e.target_arn, e.action) for e in found] == [
        (FUNCTION, "lambda:InvokeFunction"),
        (DLQ, "sqs:SendMessage"),
    ]
    assert all(e.trusts for e in found)


def test_a_rules_metrics_are_read_by_minute_and_by_hour(world: World) -> None:
    signals.metric(world, "AWS/Events", "MatchedEvents", OWN, [3.0] * 10, start=minute(0))
    signals.metric(world, "AWS/Events", "MatchedEvents", {"RuleName": "order-placed"}, [99.0], start=minute(0))
    signals.metric(world, "AWS/Events", "Invocations", OWN, [1.0], start=NOW - timedelta(days=6))

    recent = {s.metric: s for s in read(telemetry.rule_metrics)}
    weekly = {s.metric: s for s in read(telemetry.usual_metrics)}

    assert recent["MatchedEvents"].total == 30
    assert recent["InvocationsFailedToBeSentToDlq"].points == ()
    assert (weekly["Invocations"].period_seconds, len(weekly["Invocations"].baseline)) == (3600, 1)


def test_the_traffic_of_the_bus_is_read_from_its_other_rules_and_the_account(world: World) -> None:
    other = {"EventBusName": "shop", "RuleName": "audit"}
    signals.metric(world, "AWS/Events", "MatchedEvents", other, [2.0], start=minute(1))
    signals.metric(world, "AWS/Events", "MatchedEvents", OWN, [7.0], start=minute(1))
    signals.metric(world, "AWS/Events", "PutEventsEntriesCount", {}, [5.0], start=minute(1))
    known = bus_rules(on_bus("audit"), on_bus("order-placed"), resource=RULE)

    found = read(telemetry.bus_traffic, seen=[known])

    assert sorted((s.metric, s.total) for s in found) == [("MatchedEvents", 2), ("PutEventsEntriesCount", 5)]
    assert len(read(telemetry.bus_traffic, BUS, seen=[bus_rules(on_bus("audit"), on_bus("order-placed"))])) == 3


def test_schedules_are_counted_by_group_pipes_by_name_and_target_functions_by_errors(world: World) -> None:
    signals.metric(world, "AWS/Scheduler", "TargetErrorCount", {"ScheduleGroup": "jobs"}, [2.0], start=minute(1))
    signals.metric(
        world, "AWS/EventBridge/Pipes", "ExecutionFailed", {"PipeName": "orders-to-shop"}, [3.0], start=minute(1)
    )
    signals.metric(world, "AWS/Lambda", "Errors", {"FunctionName": "send-mail"}, [4.0], start=minute(1))

    group = {s.metric: s.total for s in read(telemetry.schedule_metrics, SCHEDULE)}
    pipes = {s.metric: s.total for s in read(telemetry.pipe_metrics, PIPE)}
    errors = read(telemetry.target_errors, seen=[targets(f"{FUNCTION}:live", FUNCTION, QUEUE)])

    assert group["TargetErrorCount"] == 2
    assert pipes["ExecutionFailed"] == 3
    assert [(s.metric, s.total) for s in errors] == [("Errors", 4), ("Throttles", 0)]


def test_what_callers_logged_about_the_bus_is_read(world: World) -> None:
    signals.log(
        world,
        "/aws/lambda/checkout",
        [(minute(18), '{"FailedEntryCount":1}'), (minute(18), "all is well")],
    )

    lines = read(telemetry.caller_errors, BUS, graph=PUBLISHED)

    assert [event.message for event in lines[0].events] == ['{"FailedEntryCount":1}']
    assert read(telemetry.caller_errors, BUS) == []


def test_changes_are_counted_and_none_is_an_answer_too(world: World) -> None:
    none = read(telemetry.own_changes)
    signals.cloudtrail_event(
        world,
        "DisableRule",
        "events",
        [("AWS::Events::Rule", "order-placed")],
        who="mia",
        when=minute(5),
        request={"name": "order-placed", "eventBusName": "shop"},
    )

    disabled, count = read(telemetry.own_changes)

    assert [(type(e), e.events) for e in none] == [(ChangeCount, 0)]
    assert (disabled.event_name, disabled.who, disabled.observed_at) == ("DisableRule", "mia", minute(5))
    assert count.events == 1


def test_a_refused_look_is_raised_for_the_runner(world: World) -> None:
    world.aws.inject("events", "DescribeRule", ACCESS_DENIED)

    with pytest.raises(ClientError, match="AccessDenied"):
        read(state.rule)


def test_every_look_is_read_only(world: World) -> None:
    make_rule(world)
    make_function(world)
    for probe in SPECIALIST.probes:
        if probe.only is None or {t.value for t in probe.only} & {"AWS::Events::Rule"}:
            read(probe, seen=[targets(FUNCTION, MACHINE, role_arn=ROLE), bus_rules(on_bus("audit"), resource=RULE)])

    assert len(world.aws.calls) > 10
    assert world.aws.writes() == ()


def test_the_specialist_is_found_and_its_looks_are_described() -> None:
    assert SPECIALIST in all_specialists()
    assert all(len(probe.doc) > 40 for probe in SPECIALIST.probes)
    assert {RuleState, Targets} <= {kind for probe in SPECIALIST.probes for kind in probe.yields}


def test_who_deleted_a_machine_is_found_under_its_arn(world: World) -> None:
    kind = [("AWS::StepFunctions::StateMachine", MACHINE)]
    signals.cloudtrail_event(world, "DeleteStateMachine", "states", kind, who="mara", when=minute(5))
    found = read(access.target_machines_and_buses, seen=[targets(MACHINE)])

    assert [e.who for e in found if isinstance(e, Change)] == ["mara"]
