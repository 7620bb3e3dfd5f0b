"""What is offered for a rule or pipe, and what is not where a parameter is unknown."""

import pytest

from domain.action import Effect
from specialists.eventbridge import proposals as of
from specialists.eventbridge.evidence import BusRule, BusRules, Destination, PipeState, RuleState, Target, Targets
from specialists.kit.change import Change
from tests.specialists.proposals_building import Scene, change, label, offered, offers

RULE = "arn:aws:events:eu-west-1:123456789012:rule/shop/orders-placed"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/shop"
PIPE = "arn:aws:pipes:eu-west-1:123456789012:pipe/orders"
SCHEDULE = "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:ship"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:ship"
OFF, CLOSED, MISMATCH = "eb-rule-disabled", "eb-target-no-permission", "eb-pattern-mismatch"
OLD, NEW = '{"source":["com.shop"]}', '{"source":["com.shopp"]}'


def rule(**fields: object) -> RuleState:
    given = {"resource": RULE, "source": "events:DescribeRule", "exists": True, "name": "orders-placed", "bus": "shop"}
    return RuleState.model_validate({**given, **fields})


def pipe(state: str, desired: str) -> PipeState:
    return PipeState(
        resource=PIPE, source="pipes:DescribePipe", exists=True, name="orders", state=state, desired=desired
    )


def put(at: float, **parameters: str) -> Change:
    return change(RULE, "PutRule", at, {"name": "orders-placed", "eventBusName": "shop", **parameters})


def bus_rules(state: str) -> BusRules:
    known = BusRule(name="orders-placed", arn=RULE, state=state)
    return BusRules(resource=BUS, source="events:ListRules", bus="shop", rules=(known,))


def targets(arn: str) -> Targets:
    return Targets(resource=RULE, source="events:ListTargetsByRule", targets=(Target(id="1", arn=arn),))


def destination(arn: str, *, admits: bool | None = False, asked: str = RULE) -> Destination:
    return Destination(resource=asked, source="lambda:GetPolicy", arn=arn, exists=True, admits=admits)


def let_in(sid: str, **more: str) -> tuple[tuple[str, Effect, dict[str, str]], ...]:
    statement = {"StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    return (("lambda.let_in", Effect.MENDS, {"FunctionName": FUNCTION, **more, **statement, "SourceArn": RULE}),)


ENABLES = {"Name": "orders-placed", "EventBusName": "shop"}
MENDED, UNDONE = (("events.enable_rule", effect, ENABLES) for effect in (Effect.MENDS, Effect.UNDOES))
IS_OFF = rule(state="DISABLED")

SCENES = (
    Scene("rule off", of.enable_rule, OFF, RULE, (IS_OFF,), (MENDED,)),
    Scene(
        "rule off, by whom is known",
        of.enable_rule,
        OFF,
        RULE,
        (IS_OFF, change(RULE, "DisableRule", 2, {"name": "orders-placed"})),
        (UNDONE,),
    ),
    Scene("rule off, seen from its bus", of.enable_rule, OFF, RULE, (bus_rules("DISABLED"),), (MENDED,)),
    Scene("rule on", of.enable_rule, OFF, RULE, (rule(), bus_rules("ENABLED"))),
    Scene("rule gone", of.enable_rule, OFF, RULE, (rule(state="DISABLED", exists=False),)),
    Scene("rule of an AWS service", of.enable_rule, OFF, RULE, (rule(state="DISABLED", managed_by="autoscaling"),)),
    Scene("rule not seen", of.enable_rule, OFF, RULE, ()),
    Scene(
        "pipe stopped",
        of.start_pipe,
        OFF,
        PIPE,
        (pipe("STOPPED", "STOPPED"),),
        (("pipes.start", Effect.MENDS, {"Name": "orders"}),),
    ),
    Scene("pipe stopped by AWS", of.start_pipe, OFF, PIPE, (pipe("STOPPED", "RUNNING"),)),
    Scene("pipe failed", of.start_pipe, OFF, PIPE, (pipe("START_FAILED", "RUNNING"),)),
    Scene(
        "rule as it was",
        of.restore_rule,
        MISMATCH,
        RULE,
        (rule(pattern=NEW), put(-90, eventPattern=OLD, state="ENABLED"), put(5, eventPattern=NEW)),
        (("events.restore_rule", Effect.UNDOES, {**ENABLES, "EventPattern": OLD, "State": "ENABLED"}),),
    ),
    Scene("rule before unknown", of.restore_rule, MISMATCH, RULE, (rule(pattern=NEW), put(5, eventPattern=NEW))),
    Scene(
        "rule before known in part",
        of.restore_rule,
        MISMATCH,
        RULE,
        (rule(pattern=NEW), put(-90, eventPattern=OLD[:-2]), put(5, eventPattern=NEW)),
    ),
    Scene(
        "rule before had more than is known how to put",
        of.restore_rule,
        MISMATCH,
        RULE,
        (rule(pattern=NEW), put(-90, eventPattern=OLD, flavour="new"), put(5, eventPattern=NEW)),
    ),
    Scene(
        "rule before was the same",
        of.restore_rule,
        MISMATCH,
        RULE,
        (rule(pattern=NEW), put(-90, eventPattern=NEW), put(5, eventPattern=NEW)),
    ),
    Scene(
        "earlier change was refused",
        of.restore_rule,
        MISMATCH,
        RULE,
        (
            rule(pattern=NEW),
            change(RULE, "PutRule", -90, {"name": "orders-placed", "eventPattern": OLD}, error="AccessDenied"),
            put(5, eventPattern=NEW),
        ),
    ),
    Scene("a schedule is not put again", of.restore_rule, "eb-schedule-wrong", SCHEDULE, (put(5, eventPattern=NEW),)),
    Scene(
        "target closed",
        of.open_target,
        CLOSED,
        RULE,
        (targets(FUNCTION), destination(FUNCTION)),
        let_in("rca-c0060909ec"),
    ),
    Scene(
        "alias closed, the function accused",
        of.open_target,
        "lambda-trigger-no-resource-permission",
        FUNCTION,
        (targets(f"{FUNCTION}:live"), destination(f"{FUNCTION}:live")),
        let_in("rca-f22a508743", Qualifier="live"),
    ),
    Scene("target open", of.open_target, CLOSED, RULE, (targets(FUNCTION), destination(FUNCTION, admits=True))),
    Scene(
        "not known whether open", of.open_target, CLOSED, RULE, (targets(FUNCTION), destination(FUNCTION, admits=None))
    ),
    Scene("a queue is closed", of.open_target, CLOSED, RULE, (targets(QUEUE), destination(QUEUE))),
    Scene("no target of the rule", of.open_target, CLOSED, RULE, (targets(QUEUE), destination(FUNCTION))),
    Scene("target of another rule", of.open_target, CLOSED, f"{RULE}2", (targets(FUNCTION), destination(FUNCTION))),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected


def test_the_statement_lets_in_one_rule_and_says_how_to_take_it_back() -> None:
    [action] = offered(Scene("closed", of.open_target, CLOSED, RULE, (targets(FUNCTION), destination(FUNCTION))))

    assert action.parameters["SourceArn"] == RULE
    assert action.parameters["StatementId"] in action.undo
    assert action.resource == FUNCTION
