"""What is offered for a function, and what is not where a parameter is unknown."""

from typing import Any

import pytest

from domain.action import Effect, Risk
from specialists.awslambda.evidence import (
    AccountLimits,
    Alias,
    Aliases,
    EventSources,
    FunctionConfiguration,
    InvocationReports,
    Mapping,
    ProvisionedConcurrency,
    ProvisionedConfigs,
    ReservedConcurrency,
)
from specialists.awslambda.proposals import concurrency, settings, sources
from specialists.awslambda.reports import Report
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.series import MetricSeries
from tests.specialists.proposals_building import (  # fmt: skip
    CANCEL,
    ENABLE,
    KEY,
    MAPPING,
    OTHER_KEY,
    Offer,
    Scene,
    change,
    label,
    offered,
    offers,
    series,
)
from tests.support.probing import NOW

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:incoming"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
LOST = "arn:aws:sqs:eu-west-1:123456789012:lost"
ZERO, FEW, OOM, LOOP = "lambda-reserved-zero", "lambda-throttle-reserved", "lambda-oom", "lambda-recursive-loop"
SPILLED, SPLIT = "lambda-provisioned-spillover", "lambda-alias-routing-bad-version"
POISON, BEHIND = "stream-poison-record", "stream-consumer-slow"
SOURCE = "lambda:Get"


def reserved(amount: int | None) -> ReservedConcurrency:
    return ReservedConcurrency(resource=FUNCTION, source=SOURCE, reserved=amount)


def put(at: float, amount: str) -> Change:
    return change(FUNCTION, "PutFunctionConcurrency20171031", at, {"reservedConcurrentExecutions": amount})


def removed(at: float) -> Change:
    return change(FUNCTION, "DeleteFunctionConcurrency20171031", at, {"functionName": "orders"})


def account(unreserved: int) -> AccountLimits:
    return AccountLimits(
        resource=FUNCTION,
        source=SOURCE,
        concurrent_executions=1000,
        unreserved_concurrent_executions=unreserved,
        code_bytes_limit=1,
        code_bytes_used=0,
    )


def runs(**fields: Any) -> FunctionConfiguration:
    return FunctionConfiguration(resource=FUNCTION, source=SOURCE, **fields)


def kept(*requested: int, status: str = "READY") -> ProvisionedConfigs:
    configs = tuple(
        ProvisionedConcurrency(qualifier=f"live{n}", requested=amount, available=amount, status=status)
        for n, amount in enumerate(requested)
    )
    return ProvisionedConfigs(resource=FUNCTION, source=SOURCE, configs=configs)


def used(peak: float) -> MetricSeries:
    return series(FUNCTION, "ConcurrentExecutions", {"FunctionName": "orders"}, 1, peak, statistic="Maximum")


def aliases(**weights: float) -> Aliases:
    alias = Alias(name="live", version="8", weights={name[1:]: share for name, share in weights.items()})
    return Aliases(resource=FUNCTION, source=SOURCE, aliases=(alias,))


def fared(version: str, invocations: float, errors: float) -> tuple[MetricSeries, MetricSeries]:
    where = {"FunctionName": "orders", "Resource": "orders:live", "ExecutedVersion": version}
    return series(FUNCTION, "Invocations", where, invocations), series(FUNCTION, "Errors", where, errors)


def reads(source: str, **fields: Any) -> EventSources:
    mapping = Mapping(uuid=MAPPING, source_arn=source, **fields)
    return EventSources(resource=FUNCTION, source=SOURCE, mappings=(mapping,))


def key(state: str, arn: str = KEY) -> KeyState:
    return KeyState(resource=FUNCTION, source="kms:DescribeKey", key_arn=arn, state=state)


def one(kind: str, effect: Effect, **parameters: Any) -> tuple[Offer, ...]:
    return ((kind, effect, parameters),)


def reserves(effect: Effect, amount: int) -> tuple[Offer, ...]:
    return one("lambda.set_reservation", effect, FunctionName="orders", ReservedConcurrentExecutions=amount)


UNRESERVED = one("lambda.remove_reservation", Effect.MENDS, FunctionName="orders")
PUT_BACK = one("lambda.remove_reservation", Effect.UNDOES, FunctionName="orders")
MEMORY = one("lambda.set_memory", Effect.RELIEVES, FunctionName="orders", MemorySize=1024)
BIGGER = one("lambda.set_memory", Effect.RELIEVES, FunctionName="orders", MemorySize=4096)
HEAP = "lambda-oom-node-heap"
OWN_HEAP = runs(memory_mb=2048, env_names=("NODE_OPTIONS",))


def ended(used: int) -> InvocationReports:
    report = Report(at=NOW, memory_mb=2048, max_memory_mb=used, status="error")
    return InvocationReports(resource=FUNCTION, source=SOURCE, log_group="/aws/lambda/orders", reports=(report,))


WARM = one(
    "lambda.set_provisioned",
    Effect.MENDS,
    FunctionName="orders",
    Qualifier="live0",
    ProvisionedConcurrentExecutions=8,
)
STOPPED = one("lambda.stop", Effect.RELIEVES, FunctionName="orders", ReservedConcurrentExecutions=0)
ENABLED = one("lambda.enable_mapping", Effect.MENDS, UUID=MAPPING, Enabled=True)
GIVEN_UP = one(
    "lambda.limit_retries", Effect.MENDS, UUID=MAPPING, BisectBatchOnFunctionError=True, MaximumRetryAttempts=3
)
OLD_FAILS = (*fared("7", 100, 0), *fared("8", 100, 60))
NEW_FAILS = (*fared("8", 100, 1), *fared("9", 100, 60))


def points(version: str) -> tuple[Offer, ...]:
    none: dict[str, dict[str, float]] = {"AdditionalVersionWeights": {}}
    return one(
        "lambda.point_alias",
        Effect.UNDOES,
        FunctionName="orders",
        Name="live",
        FunctionVersion=version,
        RoutingConfig=none,
    )


CONCURRENCY = (
    Scene(
        "reservation it had",
        concurrency.restore_reservation,
        ZERO,
        FUNCTION,
        (reserved(0), put(-90, "50"), put(5, "0")),
        reserves(Effect.UNDOES, 50),
    ),
    Scene("before unknown", concurrency.restore_reservation, ZERO, FUNCTION, (reserved(0), put(5, "0"))),
    Scene(
        "none before",
        concurrency.restore_reservation,
        ZERO,
        FUNCTION,
        (reserved(0), put(-90, "50"), removed(-80), put(5, "0")),
    ),
    Scene(
        "change not cited",
        concurrency.restore_reservation,
        ZERO,
        FUNCTION,
        (reserved(0), put(-90, "50"), put(5, "0")),
        cites=(0,),
    ),
    Scene(
        "reservation used up",
        concurrency.raise_reservation,
        FEW,
        FUNCTION,
        (reserved(50), account(900)),
        reserves(Effect.RELIEVES, 100),
    ),
    Scene(
        "account has little to give",
        concurrency.raise_reservation,
        FEW,
        FUNCTION,
        (reserved(50), account(120)),
        reserves(Effect.RELIEVES, 70),
    ),
    Scene("account has nothing to give", concurrency.raise_reservation, FEW, FUNCTION, (reserved(50), account(100))),
    Scene("account not known", concurrency.raise_reservation, FEW, FUNCTION, (reserved(50),)),
    Scene("reserved 0", concurrency.remove_reservation, ZERO, FUNCTION, (reserved(0),), UNRESERVED),
    Scene(
        "reserved 0 instead of nothing",
        concurrency.remove_reservation,
        ZERO,
        FUNCTION,
        (reserved(0), removed(-80), put(5, "0")),
        PUT_BACK,
    ),
    Scene("nothing reserved", concurrency.remove_reservation, ZERO, FUNCTION, (reserved(None),)),
    Scene("reservation not seen", concurrency.remove_reservation, FEW, FUNCTION, ()),
    Scene("spillover", concurrency.raise_provisioned, SPILLED, FUNCTION, (kept(5), used(7.5)), WARM),
    Scene("need not measured", concurrency.raise_provisioned, SPILLED, FUNCTION, (kept(5),)),
    Scene("enough is kept", concurrency.raise_provisioned, SPILLED, FUNCTION, (kept(5), used(5))),
    Scene("not ready yet", concurrency.raise_provisioned, SPILLED, FUNCTION, (kept(5, status="IN_PROGRESS"), used(8))),
    Scene("which of two is not known", concurrency.raise_provisioned, SPILLED, FUNCTION, (kept(5, 5), used(8))),
    Scene("loop", concurrency.stop_the_loop, LOOP, FUNCTION, (reserved(None),), STOPPED),
    Scene("loop stopped already", concurrency.stop_the_loop, LOOP, FUNCTION, (reserved(0),)),
    Scene("how to undo it is not known", concurrency.stop_the_loop, LOOP, FUNCTION, ()),
)
SETTINGS = (
    Scene("out of memory", settings.raise_memory, OOM, FUNCTION, (runs(memory_mb=512),), MEMORY),
    Scene("heap held by options", settings.raise_memory, HEAP, FUNCTION, (OWN_HEAP, ended(used=431))),
    Scene("heap as large as memory", settings.raise_memory, HEAP, FUNCTION, (OWN_HEAP, ended(used=1990)), BIGGER),
    Scene("memory not known", settings.raise_memory, OOM, FUNCTION, ()),
    Scene("no more memory to have", settings.raise_memory, OOM, FUNCTION, (runs(memory_mb=10_240),)),
    Scene(
        "a published version cannot be changed",
        settings.raise_memory,
        OOM,
        FUNCTION,
        (runs(memory_mb=512), runs(memory_mb=512, qualifier="live", version="8")),
    ),
    Scene(
        "storage full",
        settings.enlarge_storage,
        "lambda-tmp-full",
        FUNCTION,
        (runs(),),
        one("lambda.set_storage", Effect.RELIEVES, FunctionName="orders", EphemeralStorage={"Size": 1024}),
    ),
    Scene(
        "no more storage to have", settings.enlarge_storage, "lambda-tmp-full", FUNCTION, (runs(ephemeral_mb=10_240),)
    ),
    Scene(
        "new version fails",
        settings.leave_the_bad_version,
        SPLIT,
        FUNCTION,
        (aliases(v9=0.1), *NEW_FAILS),
        points("8"),
    ),
    Scene(
        "old version fails", settings.leave_the_bad_version, SPLIT, FUNCTION, (aliases(v7=0.1), *OLD_FAILS), points("7")
    ),
    Scene("versions not measured", settings.leave_the_bad_version, SPLIT, FUNCTION, (aliases(v9=0.1), *NEW_FAILS[:2])),
    Scene("alias not split", settings.leave_the_bad_version, SPLIT, FUNCTION, (aliases(), *NEW_FAILS)),
    Scene(
        "both fail",
        settings.leave_the_bad_version,
        SPLIT,
        FUNCTION,
        (aliases(v9=0.1), *fared("8", 100, 30), *fared("9", 100, 60)),
    ),
    Scene("key going", settings.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion"),), (CANCEL, ENABLE)),
    Scene("key disabled", settings.revive_key, "lambda-kms-disabled", FUNCTION, (key("Disabled"),), (ENABLE,)),
    Scene("key works", settings.revive_key, "lambda-kms-disabled", FUNCTION, (key("Enabled"),)),
    Scene("another key", settings.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion", OTHER_KEY),)),
)
SOURCES = (
    Scene("mapping off", sources.enable_mapping, "esm-disabled", FUNCTION, (reads(QUEUE, state="Disabled"),), ENABLED),
    Scene("mapping on", sources.enable_mapping, "esm-disabled", FUNCTION, (reads(QUEUE),)),
    Scene("source not known", sources.enable_mapping, "esm-disabled", FUNCTION, (reads("", state="Disabled"),)),
    Scene(
        "tried without end",
        sources.limit_retries,
        POISON,
        FUNCTION,
        (reads(STREAM, retries=-1, on_failure=LOST),),
        GIVEN_UP,
    ),
    Scene("what is given up goes nowhere", sources.limit_retries, POISON, FUNCTION, (reads(STREAM, retries=-1),)),
    Scene("limited already", sources.limit_retries, POISON, FUNCTION, (reads(STREAM, retries=2, on_failure=LOST),)),
    Scene(
        "behind",
        sources.raise_parallelization,
        BEHIND,
        FUNCTION,
        (reads(STREAM, parallelization=2),),
        one("lambda.set_parallelization", Effect.RELIEVES, UUID=MAPPING, ParallelizationFactor=4),
    ),
    Scene("at its most", sources.raise_parallelization, BEHIND, FUNCTION, (reads(STREAM, parallelization=10),)),
    Scene("factor not known", sources.raise_parallelization, BEHIND, FUNCTION, (reads(STREAM),)),
    Scene("a queue has none", sources.raise_parallelization, BEHIND, FUNCTION, (reads(QUEUE, parallelization=2),)),
)
SCENES = (*CONCURRENCY, *SETTINGS, *SOURCES)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected


def test_undoing_names_the_exact_value_of_now() -> None:
    [memory] = offered(Scene("oom", settings.raise_memory, OOM, FUNCTION, (runs(memory_mb=512),)))
    [alias] = offered(Scene("split", settings.leave_the_bad_version, SPLIT, FUNCTION, (aliases(v9=0.1), *NEW_FAILS)))

    assert memory.undo == "Set the memory back to 512 MB."
    assert alias.undo == "Point the alias to version 8 again, with the weights 0.1 to version 9."


def test_stopping_a_function_is_a_high_risk() -> None:
    [action] = offered(Scene("loop", concurrency.stop_the_loop, LOOP, FUNCTION, (reserved(7),)))

    assert action.risk is Risk.HIGH
    assert action.undo == "Set the reservation back to 7."
