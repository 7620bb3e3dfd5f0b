"""Rules that start nothing any more: switched off, closed out, matching nothing, or set to the wrong hours."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._events import let_in, rule_changed, rule_flow, rule_week
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.DENIED, "eventbridge")
def rule_left_off_after_maintenance(world: World) -> Expect:
    """stock-moved was switched off for a maintenance and forgotten; who did it may not be read, that it is off may."""
    moved = deploy(world, "stock-moved", "nodejs22.x")
    pattern = {"source": ["shop.warehouse"], "detail-type": ["StockMoved"]}
    rule = resources.rule(world, "stock-moved", [moved.arn], pattern=pattern, enabled=False)
    counted = deploy(world, "stock-counted", "nodejs22.x")
    other = resources.rule(
        world, "stock-counted", [counted.arn], pattern={"source": ["shop.warehouse"], "detail-type": ["StockCounted"]}
    )
    let_in(world, moved.name, rule)
    let_in(world, counted.name, other)
    rule_flow(world, "stock-moved", 22, until=whole_minute(world, 41))
    rule_flow(world, "stock-counted", 6)
    traffic(counted, 6, 75)
    rule_changed(world, "DisableRule", "stock-moved", who="night-shift", when=world.ago(minutes=41, seconds=20))
    elsewhere(world, CODE, "stock-report", who="ci-stock", when=world.ago(minutes=44), publish=False)
    world.aws.inject("cloudtrail", "LookupEvents", ACCESS_DENIED)
    return Expect(
        f"{rule} starts nothing since lunch",
        cause="eb-rule-disabled",
        resource=rule,
        innocent=(other, moved.arn, counted.arn, moved.role_arn),
        gaps=("cloudtrail:LookupEvents",),
    )


@scenario(Kind.SINGLE, "eventbridge")
def permission_of_the_rule_removed(world: World) -> Expect:
    """A refactoring of refund-notify's permissions dropped the statement for its rule: every event is lost, while
    another rule goes on to deliver the same events to refund-audit."""
    notify = deploy(world, "refund-notify", "python3.12")
    audit = deploy(world, "refund-audit", "python3.12")
    rule = resources.rule(
        world, "refund-issued", [notify.arn], pattern={"source": ["shop.refunds"], "detail-type": ["RefundIssued"]}
    )
    beside = resources.rule(world, "refund-audited", [audit.arn], pattern={"source": ["shop.refunds"]})
    let_in(world, audit.name, beside)
    since = whole_minute(world, 27)
    rule_flow(world, "refund-issued", 9, failing_since=since)
    rule_flow(world, "refund-audited", 11)
    traffic(audit, 11, 48)
    changed(
        notify, "RemovePermission20150331v2", who="refunds-tf", when=world.ago(minutes=28, seconds=5),
        statementId="rule-refund-issued",
    )  # fmt: skip
    changed(audit, CODE, who="ci-refunds", when=world.ago(hours=9), publish=False)
    return Expect(
        "rule refund-issued",
        cause="eb-target-no-permission",
        resource=rule,
        accept=(("lambda-trigger-no-resource-permission", notify.arn),),
        innocent=(beside, audit.arn, notify.role_arn),
    )


@scenario(Kind.SINGLE, "eventbridge")
def detail_type_renamed_in_the_pattern(world: World) -> Expect:
    """Somebody changed invoice-paid's pattern to the next version of an event that nobody sends yet; the archive's
    rule still matches all that the bus receives."""
    booked = deploy(world, "invoice-book", "dotnet8")
    before = {"source": ["shop.billing"], "detail-type": ["InvoicePaid"]}
    after = {"source": ["shop.billing"], "detail-type": ["InvoicePaid.v2"]}
    rule = resources.rule(world, "invoice-paid", [booked.arn], pattern=after)
    resources.rule(
        world, "billing-archive", [world.arn("sqs", "billing-archive")], pattern={"source": ["shop.billing"]}
    )
    resources.queue(world, "billing-archive")
    let_in(world, booked.name, rule)
    moment = world.ago(minutes=33, seconds=30)
    rule_flow(world, "invoice-paid", 17, until=whole_minute(world, 33))
    rule_flow(world, "billing-archive", 25)
    for pattern, when in ((before, world.ago(hours=20)), (after, moment)):
        rule_changed(
            world, "PutRule", "invoice-paid", who="billing-tf", when=when,
            eventPattern=json.dumps(pattern), state="ENABLED",
        )  # fmt: skip
    changed(booked, CODE, who="ci-billing", when=world.ago(hours=3), publish=False)
    return Expect(
        "rule invoice-paid",
        cause="eb-pattern-mismatch",
        resource=rule,
        innocent=(booked.arn, booked.role_arn, world.arn("events", "rule/billing-archive")),
    )


@scenario(Kind.SINGLE, "eventbridge")
def schedule_written_in_local_hours(world: World) -> Expect:
    """price-sync ran every quarter of an hour; it was set to shop hours, as they read on a clock far from UTC, and so
    sleeps through the day."""
    sync = deploy(world, "price-sync", "java21", memory=512, timeout=60)
    hours = sorted((world.now.hour + shift) % 24 for shift in range(8, 17))
    expression = f"cron(0/15 {','.join(map(str, hours))} * * ? *)"
    rule = resources.rule(world, "price-sync", [sync.arn], schedule=expression)
    let_in(world, sync.name, rule)
    moment = world.ago(minutes=95)
    rule_week(world, "price-sync", dict.fromkeys(range(24), 4), until=moment)
    for text, when in (("rate(15 minutes)", world.ago(hours=23)), (expression, moment)):
        rule_changed(
            world, "PutRule", "price-sync", who="pricing-tf", when=when, scheduleExpression=text, state="ENABLED"
        )
    elsewhere(world, CODE, "price-show", who="ci-pricing", when=world.ago(minutes=97), publish=False)
    return Expect("rule price-sync", cause="eb-schedule-wrong", resource=rule, innocent=(sync.arn, sync.role_arn))


@scenario(Kind.HEALTHY, "eventbridge")
def nightly_job_that_is_not_due(world: World) -> Expect:
    """month-close runs once a day, hours ago with success; its code and a neighbour's rule were changed since."""
    close = deploy(world, "month-close", "python3.12", allow(["s3:PutObject"]), memory=1024, timeout=300)
    ran = world.ago(hours=6)
    rule = resources.rule(world, "month-close", [close.arn], schedule=f"cron(5 {ran.hour} * * ? *)")
    let_in(world, close.name, rule)
    rule_week(world, "month-close", {ran.hour: 1}, until=world.now)
    old = [(world.ago(days=2), f"[ERROR] {close.name}: ledger was locked, tried again with success")]
    signals.log(world, f"/aws/lambda/{close.name}", old)
    changed(close, CODE, who="ci-finance", when=world.ago(hours=2), publish=False)
    rule_changed(world, "TagResource", "month-close", who="finops", when=world.ago(hours=1, minutes=10))
    rule_changed(world, "DisableRule", "month-preview", who="finops", when=world.ago(hours=1, minutes=12))
    return Expect("rule month-close", innocent=(rule, close.arn, close.role_arn))
