"""Which changes of a function are offered to be taken back: those whose earlier value is known."""

from typing import Any

import pytest

from domain.action import Effect
from specialists.change_intelligence import proposals as of
from specialists.change_intelligence.evidence import (
    AliasState,
    DeploymentChange,
    FunctionRevisions,
    Revision,
    RevisionChange,
)
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries
from tests.specialists.proposals_building import Offer, Scene, change, label, minute, offers, series

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
REGRESSED, TIMED_OUT, OOM = "deploy-regression", "lambda-timeout-all-invocations-after-change", "lambda-oom"
CRASHES = "lambda-unhandled-exception"
SOURCE = "lambda:ListVersionsByFunction"


def configured(at: float, resource: str = FUNCTION, error: str | None = None, **settings: str) -> Change:
    change_ = change(resource, "UpdateFunctionConfiguration20150331v2", at, settings, error=error)
    return change_.model_copy(update={"event_source": "lambda.amazonaws.com"})


def moved(at: float, version: str, alias: str = "live") -> Change:
    told = {"functionName": "orders", "name": alias, "functionVersion": version}
    change_ = change(FUNCTION, "UpdateAlias20150331", at, told)
    return change_.model_copy(update={"event_source": "lambda.amazonaws.com"})


def revised(at: float, version: str = "$LATEST", old: dict[str, str] | None = None, **new: str) -> RevisionChange:
    return RevisionChange(
        resource=FUNCTION,
        source=SOURCE,
        observed_at=minute(at),
        event_id=f"orders:{version}",
        event_name="UpdateFunctionCode" if "codeSha256" in new else "UpdateFunctionConfiguration",
        event_source="lambda.amazonaws.com",
        who="unknown",
        parameters=new,
        before=old or {},
        version=version,
    )


def deployed(old: str, new: str) -> DeploymentChange:
    return DeploymentChange(
        resource=FUNCTION,
        source="codedeploy:BatchGetDeployments",
        observed_at=minute(2),
        event_id="d-1",
        event_name="CodeDeploy deployment",
        event_source="codedeploy.amazonaws.com",
        who="CodeDeploy (user)",
        application="orders",
        status="Succeeded",
        parameters={"functionVersion": new},
        before={"functionVersion": old},
    )


def points_to(version: str, alias: str = "live", **weights: float) -> AliasState:
    shares = {name[1:]: share for name, share in weights.items()}
    return AliasState(resource=FUNCTION, source="lambda:ListAliases", alias=alias, version=version, weights=shares)


def published(*versions: str) -> FunctionRevisions:
    listed = tuple(Revision(version=version, at=minute(-1000 + int(version))) for version in versions)
    return FunctionRevisions(resource=FUNCTION, source=SOURCE, latest=Revision(version="$LATEST"), published=listed)


def took(*milliseconds: float) -> MetricSeries:
    where = {"FunctionName": "orders"}
    return series(FUNCTION, "Duration", where, 3000, usual=milliseconds, statistic="Maximum")


def restores(kind: str, **setting: Any) -> tuple[Offer, ...]:
    return ((f"lambda.{kind}", Effect.UNDOES, {"FunctionName": "orders", **setting}),)


def points_back(version: str, alias: str = "live") -> tuple[Offer, ...]:
    none: dict[str, dict[str, float]] = {"AdditionalVersionWeights": {}}
    asked = {"FunctionName": "orders", "Name": alias, "FunctionVersion": version, "RoutingConfig": none}
    return (("lambda.point_alias", Effect.UNDOES, asked),)


LONGER = (("lambda.set_timeout", Effect.MENDS, {"FunctionName": "orders", "Timeout": 10}),)

SETTINGS = (
    Scene(
        "timeout, by an earlier request",
        of.restore_setting,
        TIMED_OUT,
        FUNCTION,
        (configured(-90, timeout="30"), configured(5, timeout="3")),
        restores("set_timeout", Timeout=30),
    ),
    Scene(
        "timeout, by the version before",
        of.restore_setting,
        REGRESSED,
        FUNCTION,
        (revised(5, old={"timeout": "30"}, timeout="3"),),
        restores("set_timeout", Timeout=30),
    ),
    Scene(
        "memory",
        of.restore_setting,
        OOM,
        FUNCTION,
        (configured(-90, memorySize="1024"), configured(5, memorySize="128")),
        restores("set_memory", MemorySize=1024),
    ),
    Scene(
        "memory cut just before it ran out, not cited",
        of.restore_setting,
        OOM,
        FUNCTION,
        (configured(-90, memorySize="1024"), configured(5, memorySize="128")),
        restores("set_memory", MemorySize=1024),
        cites=(),
        since=minute(6),
    ),
    Scene(
        "memory cut after it ran out",
        of.restore_setting,
        OOM,
        FUNCTION,
        (configured(-90, memorySize="1024"), configured(9, memorySize="128")),
        cites=(),
        since=minute(6),
    ),
    Scene(
        "handler",
        of.restore_setting,
        "lambda-handler-not-found",
        FUNCTION,
        (revised(5, old={"handler": "app.main"}, handler="app.mian"),),
        restores("set_handler", Handler="app.main"),
    ),
    Scene(
        "runtime",
        of.restore_setting,
        REGRESSED,
        FUNCTION,
        (revised(5, old={"runtime": "python3.11"}, runtime="python3.13"),),
        restores("set_runtime", Runtime="python3.11"),
    ),
    Scene(
        "of a published version",
        of.restore_setting,
        REGRESSED,
        FUNCTION,
        (revised(5, "9", old={"timeout": "30"}, timeout="3"), points_to("9")),
    ),
    Scene("before unknown", of.restore_setting, TIMED_OUT, FUNCTION, (configured(5, timeout="3"),)),
    Scene(
        "raised",
        of.restore_setting,
        REGRESSED,
        FUNCTION,
        (configured(-90, timeout="3"), configured(5, timeout="30")),
    ),
    Scene(
        "not what explains it",
        of.restore_setting,
        OOM,
        FUNCTION,
        (configured(-90, timeout="30"), configured(5, timeout="3")),
    ),
    Scene(
        "not cited",
        of.restore_setting,
        TIMED_OUT,
        FUNCTION,
        (configured(-90, timeout="30"), configured(5, timeout="3")),
        cites=(),
    ),
    Scene(
        "refused",
        of.restore_setting,
        REGRESSED,
        FUNCTION,
        (configured(-90, timeout="30"), configured(5, timeout="3", error="AccessDenied")),
    ),
    Scene(
        "not a function's",
        of.restore_setting,
        REGRESSED,
        TABLE,
        (configured(-90, TABLE, timeout="30"), configured(5, TABLE, timeout="3")),
    ),
    Scene(
        "timeout below the usual runs",
        of.outlast_the_usual_run,
        TIMED_OUT,
        FUNCTION,
        (configured(5, timeout="3"), took(7500, 8200)),
        LONGER,
    ),
    Scene("usual runs not measured", of.outlast_the_usual_run, TIMED_OUT, FUNCTION, (configured(5, timeout="3"),)),
    Scene(
        "usual runs shorter",
        of.outlast_the_usual_run,
        TIMED_OUT,
        FUNCTION,
        (configured(5, timeout="3"), took(900, 1100)),
    ),
    Scene(
        "timeout before known: that one is better",
        of.outlast_the_usual_run,
        TIMED_OUT,
        FUNCTION,
        (configured(-90, timeout="30"), configured(5, timeout="3"), took(7500, 8200)),
    ),
)
ALIASES = (
    Scene(
        "alias moved",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), moved(-90, "8"), moved(5, "9")),
        points_back("8"),
    ),
    Scene(
        "alias moved just before it failed, not cited",
        of.point_alias_back,
        CRASHES,
        FUNCTION,
        (points_to("9"), moved(-90, "8"), moved(5, "9")),
        points_back("8"),
        cites=(),
        since=minute(6),
    ),
    Scene(
        "alias moved long before it failed",
        of.point_alias_back,
        CRASHES,
        FUNCTION,
        (points_to("9"), moved(-90, "8"), moved(-80, "9")),
        cites=(),
        since=minute(6),
    ),
    Scene(
        "alias moved after it failed",
        of.point_alias_back,
        CRASHES,
        FUNCTION,
        (points_to("9"), moved(-90, "8"), moved(9, "9")),
        cites=(),
        since=minute(6),
    ),
    Scene(
        "alias moved by CodeDeploy",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), deployed("7", "9")),
        points_back("7"),
    ),
    Scene(
        "version published before",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), revised(5, "9", codeSha256=""), published("6", "8", "9")),
        points_back("8"),
    ),
    Scene(
        "no version before",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), revised(5, "9", codeSha256=""), published("9")),
    ),
    Scene("version before unknown", of.point_alias_back, REGRESSED, FUNCTION, (points_to("9"), moved(5, "9"))),
    Scene(
        "another alias before",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), moved(-90, "8", "test"), moved(5, "9")),
    ),
    Scene(
        "moved on since", of.point_alias_back, REGRESSED, FUNCTION, (points_to("10"), moved(-90, "8"), moved(5, "9"))
    ),
    Scene(
        "before was $LATEST",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9"), moved(-90, "$LATEST"), moved(5, "9")),
    ),
    Scene(
        "alias is split",
        of.point_alias_back,
        REGRESSED,
        FUNCTION,
        (points_to("9", v8=0.5), moved(-90, "8"), moved(5, "9")),
    ),
    Scene("no alias", of.point_alias_back, REGRESSED, FUNCTION, (moved(-90, "8"), moved(5, "9"))),
)
SCENES = (*SETTINGS, *ALIASES)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
