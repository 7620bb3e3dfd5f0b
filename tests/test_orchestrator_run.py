"""One specialist's run: parallel, patient with broken looks, on time, and never in the event loop's way."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from aws.reads import Read, read
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Fact, Hypothesis
from domain.gap import GapReason
from domain.resource import ResourceType, resource_from_arn
from domain.result import SpecialistStatus
from orchestrator.dispatch import dispatch
from orchestrator.route import Route
from sandbox.aws import LocalAws, faults
from specialists.contract import Case, Look, Plan, Probe, Specialist, SpecialistKind
from specialists.plan import run_planning
from specialists.run import Run, run_specialist
from tests.support.running import (
    HERE,
    NOW,
    WINDOW,
    LaterSign,
    Sign,
    assignment,
    judging,
    looking,
    sign,
    specialist,
    tools,
)

GET_TABLE = read("dynamodb", "DescribeTable")


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture(autouse=True)
def account(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)


async def ran(
    who: Specialist, *targets: Any, reads: tuple[Read, ...] = (), trace: EvidenceBundle | None = None, **settings: Any
) -> Run:
    with tools(reads, **settings) as equipment:
        return await run_specialist(assignment(who, *targets, trace=trace), equipment, lambda _: None)


# --- parallel


async def test_all_looks_whose_inputs_are_known_start_at_once() -> None:
    together = threading.Barrier(12, timeout=5)
    probes = [looking(f"look_{n}", lambda look, n=n: (together.wait(), [sign(str(n))])[1]) for n in range(12)]
    run = await ran(specialist(*probes))

    assert run.result.status is SpecialistStatus.SUCCESS
    assert len(run.evidence) == 12


async def test_a_look_waits_for_what_it_needs_and_sees_it() -> None:
    def first(look: Look) -> list[Sign]:
        return [sign("a clue")]

    def second(look: Look) -> list[LaterSign]:
        (seen,) = look.seen.of(Sign)
        return [LaterSign(resource=HERE.id, source="test:Later", text=f"after {seen.text}")]

    run = await ran(specialist(looking("second", second, needs=[Sign]), looking("first", first)))

    assert [e.text for e in run.evidence if isinstance(e, LaterSign)] == ["after a clue"]


async def test_a_look_that_another_one_needs_goes_before_those_that_nobody_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("specialists.run.HEAD_START_SECONDS", 1.0)
    begun: list[str] = []

    def noted(name: str, *needs: type[Evidence]) -> Probe:
        probe = looking(name, lambda look: (begun.append(name), [sign(name)])[1], needs=needs)
        return probe if name == "needed" else replace(probe, yields=(LaterSign,))

    await ran(specialist(noted("alone"), noted("needed"), noted("waiting", Sign)))

    assert begun == ["needed", "waiting", "alone"]


async def test_a_look_whose_input_never_comes_is_left_out_without_a_gap() -> None:
    run = await ran(specialist(looking("second", lambda look: [sign("x")], needs=[LaterSign])))

    assert (run.result.looks, run.result.gaps, run.evidence) == (0, (), ())


async def test_what_the_trace_shows_of_the_target_is_an_input() -> None:
    probe = looking("second", lambda look: [sign("seen")], needs=[LaterSign])
    known = EvidenceBundle([LaterSign(resource=HERE.id, source="trace")])

    assert len((await ran(specialist(probe), trace=known)).evidence) == 1


async def test_a_look_runs_only_at_the_types_it_fits() -> None:
    queue = resource_from_arn("arn:aws:sqs:eu-west-1:123456789012:q")
    probe = looking("queues", lambda look: [sign("q", look.target)], only=frozenset({ResourceType.QUEUE}))

    assert [e.resource for e in (await ran(specialist(probe), HERE, queue)).evidence] == [queue.id]


async def test_two_hundred_slow_looks_leave_the_event_loop_alone() -> None:
    def slow(look: Look) -> list[Sign]:
        time.sleep(0.05)
        return [sign(look.target.name, look.target)]

    targets = [resource_from_arn(f"arn:aws:lambda:eu-west-1:123456789012:function:f{n}") for n in range(200)]
    trace = EvidenceBundle(sign(f"traced {n}", targets[n % 200]) for n in range(1000))
    rounds, done = 0, asyncio.Event()

    async def count() -> None:
        nonlocal rounds
        while not done.is_set():
            await asyncio.sleep(0.005)
            rounds += 1

    with tools() as equipment:
        equipment.session.home_account()  # as discovery does before
        counting = asyncio.ensure_future(count())
        plan = assignment(specialist(looking("slow", slow)), *targets, trace=trace)
        run = await run_specialist(plan, equipment, lambda _: None)
        done.set()
        await counting

    assert len(run.evidence) == 200
    assert rounds > 10, "the loop went on coming round while two hundred looks slept"


# --- failing looks


async def test_what_a_look_yields_before_it_breaks_is_kept() -> None:
    def breaks(look: Look) -> Iterator[Sign]:
        yield sign("one")
        yield sign("two")
        raise ValueError("page three is broken")

    run = await ran(specialist(looking("pages", breaks)))

    assert {e.summary() for e in run.evidence} == {"one", "two"}
    assert run.result.status is SpecialistStatus.PARTIAL
    assert [(g.reason, "page three is broken" in g.message) for g in run.result.gaps] == [(GapReason.FAILED, True)]


async def test_looks_that_all_fail_are_a_failed_specialist_not_a_healthy_one() -> None:
    def breaks(look: Look) -> list[Sign]:
        raise KeyError("x")

    assert (await ran(specialist(looking("one", breaks)))).result.status is SpecialistStatus.FAILED


def _asks(client: str, method: str, **parameters: Any) -> Any:
    return lambda look: getattr(getattr(look.aws, client), method)(**parameters) and []


REFUSED = [
    (_asks("dynamodb", "describe_table", TableName="t"), read("dynamodb", "DescribeTable")),
    (_asks("lambda_", "get_function_configuration", FunctionName="f"), read("lambda", "GetFunctionConfiguration")),
    (_asks("iam", "get_role", RoleName="r"), read("iam", "GetRole")),
    (_asks("ec2", "describe_subnets"), read("ec2", "DescribeSubnets")),
    (_asks("sqs", "get_queue_attributes", QueueUrl="http://x/1/q"), read("sqs", "GetQueueAttributes")),
    (_asks("s3", "get_bucket_policy", Bucket="some-bucket"), read("s3", "GetBucketPolicy")),
    (_asks("s3", "get_bucket_encryption", Bucket="some-bucket"), read("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration")),
    (_asks("stepfunctions", "describe_state_machine", stateMachineArn="arn:aws:states:eu-west-1:123456789012:stateMachine:m"), read("stepfunctions", "DescribeStateMachine")),
    (_asks("apigateway", "get_rest_apis"), read("apigateway", "GetRestApis", "apigateway:GET")),
    (_asks("cloudwatch", "get_metric_data", MetricDataQueries=[], StartTime=NOW, EndTime=NOW), read("cloudwatch", "GetMetricData")),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "needed"), REFUSED, ids=[r.operation for _, r in REFUSED])
async def test_a_denied_look_names_the_exact_action_to_grant(aws: LocalAws, ask: Any, needed: Read) -> None:
    aws.inject(needed.service, needed.operation, faults.ACCESS_DENIED)
    other = read("logs", "DescribeLogGroups")
    run = await ran(specialist(looking("look", ask, other, needed)), reads=(other, needed))

    (gap,) = run.result.gaps
    assert gap.reason is GapReason.ACCESS_DENIED
    assert gap.action is not None
    assert gap.action.startswith(needed.action.split(":")[0])
    assert gap.action in gap.message


async def test_an_action_that_aws_names_itself_wins_over_the_declared_one(aws: LocalAws) -> None:
    refused = faults.ACCESS_DENIED._replace(message="User: x is not authorized to perform: kms:Decrypt on resource: y")
    aws.inject("dynamodb", "DescribeTable", refused)
    run = await ran(specialist(looking("look", REFUSED[0][0], GET_TABLE)), reads=(GET_TABLE,))

    assert run.result.gaps[0].action == "kms:Decrypt"


async def test_an_action_in_lower_case_is_named_as_it_was_declared(aws: LocalAws) -> None:
    refused = faults.ACCESS_DENIED._replace(message="x is not authorized to perform: dynamodb:describetable on y")
    aws.inject("dynamodb", "DescribeTable", refused)
    run = await ran(specialist(looking("look", REFUSED[0][0], GET_TABLE)), reads=(GET_TABLE,))

    assert run.result.gaps[0].action == "dynamodb:DescribeTable"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.THROTTLED, GapReason.THROTTLED),
        (faults.SERVER_ERROR, GapReason.FAILED),
        (faults.DROPPED, GapReason.FAILED),
        (faults.HANG, GapReason.TIMED_OUT),
        (None, GapReason.NOT_FOUND),
    ],
)
async def test_a_broken_call_is_a_gap_with_its_reason(aws: LocalAws, fault: Any, reason: GapReason) -> None:
    if fault is not None:
        aws.inject("dynamodb", "DescribeTable", fault)
    patience = 0.3 if fault is faults.HANG else 10
    run = await ran(
        specialist(looking("look", REFUSED[0][0], GET_TABLE)), reads=(GET_TABLE,), read_timeout_seconds=patience
    )

    assert [(g.reason, g.action) for g in run.result.gaps] == [(reason, None)]


async def test_a_target_in_an_account_that_cannot_be_read_is_a_gap() -> None:
    foreign = resource_from_arn("arn:aws:lambda:eu-west-1:999999999999:function:f")
    run = await ran(specialist(looking("look", lambda look: [sign("x", look.target)])), foreign)

    assert [(g.action, "999999999999" in g.message) for g in run.result.gaps] == [("sts:AssumeRole", True)]


async def test_an_undeclared_operation_is_refused_before_any_network(aws: LocalAws) -> None:
    run = await ran(specialist(looking("look", REFUSED[0][0], GET_TABLE)), reads=())

    assert "NotAllowed" in run.result.gaps[0].message
    assert [c.operation for c in aws.calls if c.service == "dynamodb"] == []


# --- rules


async def test_a_rule_that_raises_is_a_status_and_hides_no_other_rule() -> None:
    def broken(case: Case) -> Iterator[Hypothesis]:
        yield case.hypothesis("lambda-timeout", "before it broke", proof=case.all(Sign))
        raise ZeroDivisionError

    def good(case: Case) -> Iterator[Any]:
        yield case.fact("seen", *case.all(Sign))

    rules = [judging("broken", broken), judging("good", good)]
    result = (await ran(specialist(looking("look", lambda look: [sign("x")]), rules=rules))).result

    assert result.status is SpecialistStatus.FAILED
    assert result.message == "rule broken failed: ZeroDivisionError"
    assert [f.statement for f in result.facts] == ["seen"]
    assert [h.summary for h in result.hypotheses] == ["before it broke"]


async def test_rules_see_evidence_without_secrets() -> None:
    key = "AKIA" + "Q3EGRZ7J2NBX5KLW"
    seen: list[str] = []
    rules = [judging("spy", lambda case: seen.extend(e.text for e in case.all(Sign)) or [])]
    run = await ran(specialist(looking("look", lambda look: [sign(f"the key is {key}")]), rules=rules))

    assert key not in "".join(seen) + "".join(str(e.dump()) for e in run.evidence)
    assert len(seen) == 1


async def test_a_finding_that_two_rules_state_alike_stands_once() -> None:
    rules = [judging(name, lambda case: [case.fact("seen", *case.all(Sign))]) for name in ("one", "two")]

    assert len((await ran(specialist(looking("look", lambda look: [sign("x")]), rules=rules))).result.facts) == 1


# --- time


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Hanging looks wait for this, so that no thread outlives its test."""
    release = threading.Event()
    yield release
    release.set()


async def test_a_hanging_look_costs_only_itself(held: threading.Event) -> None:
    def hangs(look: Look) -> Iterator[Sign]:
        yield sign("before it hung")
        held.wait(30)

    probes = [looking("hangs", hangs), looking("works", lambda look: [sign("fine")])]
    rules = [judging("counts", lambda case: [case.fact(f"{len(case.all(Sign))} seen", *case.all(Sign))])]
    began = time.perf_counter()
    result = (await ran(specialist(*probes, rules=rules, limit=4))).result

    assert time.perf_counter() - began < 4
    assert result.status is SpecialistStatus.TIMEOUT
    assert [f.statement for f in result.facts] == ["2 seen"]
    assert [(g.probe, g.reason) for g in result.gaps] == [("hangs", GapReason.TIMED_OUT)]


async def test_looks_that_hang_in_every_thread_do_not_keep_the_rules_from_what_was_seen(held: threading.Event) -> None:
    def hangs(look: Look) -> Iterator[Sign]:
        yield sign(look.target.name, look.target)
        held.wait(30)

    targets = [resource_from_arn(f"arn:aws:lambda:eu-west-1:123456789012:function:f{n}") for n in range(4)]
    rules = [
        judging(
            "counts", lambda case: [case.fact(f"{case.target.name} seen", *case.all(Sign))] if case.all(Sign) else []
        )
    ]
    run = await asyncio.wait_for(
        ran(specialist(looking("hangs", hangs), rules=rules, limit=6), *targets, threads=4), 12
    )

    assert len(run.result.facts) == 4


async def dispatched(
    *who: Specialist, seconds: float, reads: tuple[Read, ...] = ()
) -> tuple[tuple[Run, ...], list[str]]:
    order: list[str] = []
    routes = [Route(one, (HERE,), "a test") for one in who]
    plan = assignment(who[0])
    with tools(reads, seconds=seconds) as equipment:
        runs = await dispatch(
            routes, equipment, window=WINDOW, graph=plan.graph, trace=EvidenceBundle(), now=NOW,
            working=lambda *_: None, finished=lambda result: order.append(result.name),
        )  # fmt: skip
    return runs, order


async def test_the_overall_limit_keeps_every_finished_result(held: threading.Event) -> None:
    quick = specialist(looking("quick", lambda look: [sign("fine")]), name="quick")
    slow = specialist(looking("slow", lambda look: [held.wait(30)]), name="slow")
    began = time.perf_counter()
    runs, order = await dispatched(slow, quick, seconds=4)

    assert time.perf_counter() - began < 5
    assert {r.result.name: r.result.status for r in runs} == {
        "slow": SpecialistStatus.TIMEOUT,
        "quick": SpecialistStatus.SUCCESS,
    }
    assert order == ["quick", "slow"]


async def test_specialists_run_at_the_same_time() -> None:
    together = threading.Barrier(5, timeout=5)
    crowd = [
        specialist(looking("look", lambda look: (together.wait(), [sign("x")])[1]), name=f"s{n}") for n in range(5)
    ]
    runs, _ = await dispatched(*crowd, seconds=10)

    assert [r.result.status for r in runs] == [SpecialistStatus.SUCCESS] * 5


async def test_no_call_is_made_after_the_deadline(aws: LocalAws) -> None:
    going = threading.Event()

    def endless(look: Look) -> Iterator[Sign]:
        going.set()
        while True:
            with suppress(look.aws.dynamodb.exceptions.ResourceNotFoundException):
                look.aws.dynamodb.describe_table(TableName="t")

    run = await ran(specialist(looking("endless", endless, GET_TABLE), limit=3.0), reads=(GET_TABLE,))
    await asyncio.sleep(1.2)
    made = len(aws.calls)
    await asyncio.sleep(0.3)

    assert going.is_set()
    assert run.result.status is SpecialistStatus.TIMEOUT
    assert made > 1
    assert len(aws.calls) == made


async def test_boto3_does_not_try_again_after_the_deadline(aws: LocalAws) -> None:
    aws.inject("dynamodb", "DescribeTable", faults.delay(0.6))
    aws.inject("dynamodb", "DescribeTable", faults.SERVER_ERROR)
    await ran(specialist(looking("look", REFUSED[0][0], GET_TABLE), limit=1.3), reads=(GET_TABLE,), max_attempts=8)
    await asyncio.sleep(1.5)
    made = len([c for c in aws.calls if c.service == "dynamodb"])
    await asyncio.sleep(0.8)

    assert 1 <= len([c for c in aws.calls if c.service == "dynamodb"]) == made <= 3


async def test_calls_are_counted_per_specialist_and_in_all(aws: LocalAws) -> None:
    with tools((GET_TABLE,)) as equipment:
        who = specialist(looking("look", REFUSED[0][0], GET_TABLE))
        run = await run_specialist(assignment(who), equipment, lambda _: None)

    assert run.result.usage.aws_calls >= 1
    assert equipment.meter.calls == run.result.usage.aws_calls


async def test_looks_together_see_all_targets_of_a_place_and_rules_together_judge_once() -> None:
    there = HERE.model_copy(update={"id": HERE.id + "2", "name": "f2"})
    far = HERE.model_copy(update={"id": HERE.id.replace("eu-west-1", "us-east-1"), "region": "us-east-1"})
    asked: list[tuple[str, ...]] = []
    judged: list[int] = []

    def look(look: Look) -> Iterator[Sign]:
        asked.append(tuple(t.id for t in look.targets))
        yield from (sign("seen", t) for t in look.targets)

    def judge(case: Case) -> Iterator[Fact]:
        judged.append(len(case.evidence.of(Sign)))
        yield case.fact("all of them", *case.evidence.of(Sign))

    together = replace(looking("together", look), together=True)
    who = specialist(together, rules=[replace(judging("once", judge), together=True)])
    with tools() as kit:
        run = await run_specialist(assignment(who, HERE, there, far), kit, lambda _: None)

    assert sorted(asked) == [(HERE.id, there.id), (far.id,)]
    assert judged == [3]
    assert run.result.looks == 2


async def test_a_plan_that_breaks_or_hangs_leaves_a_verdict_without_actions(held: threading.Event) -> None:
    def hangs() -> Plan:
        held.wait(5)
        return Plan(())

    def breaks() -> Plan:
        raise ValueError("no plan")

    planner = Specialist("execution-proposal", {}, (), (), kind=SpecialistKind.PLANNING, limit_seconds=0.2)
    late = await run_planning(planner, hangs, "last")
    broken = await run_planning(planner, breaks, "last")

    assert (late[0], late[1].status) == (Plan(()), SpecialistStatus.TIMEOUT)
    assert (broken[0], broken[1].status) == (Plan(()), SpecialistStatus.FAILED)
    assert "ValueError" in broken[1].message
