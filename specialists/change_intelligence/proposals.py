"""Taking a change back: a function's setting to its earlier value, an alias to the version that it pointed to."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.change_intelligence.evidence import LATEST, AliasState, FunctionRevisions, KnownChange, RevisionChange
from specialists.change_intelligence.told import Delta, Told, tell
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.changekinds import Aspect, plain_name
from specialists.kit.proposals import KEPT_AS_CODE, function_name, shown
from specialists.kit.series import MetricSeries

FUNCTION = ":function:"
ROOM = 1.2
"""How much longer than the longest run of the baseline a timeout has to be."""

LONGEST_SECONDS = 900
NEAR = timedelta(hours=1)


class Setting(NamedTuple):
    """A function's setting that can be put back: its name, the kind of action, how its text becomes a parameter.

    `lowered`: only where the change made it less, as more of it breaks nothing.
    """

    name: str
    kind: str
    value: Callable[[str], int | str]
    word: str
    lowered: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("Timeout", "lambda.set_timeout", int, "timeout", lowered=True),
    Setting("MemorySize", "lambda.set_memory", int, "memory", lowered=True),
    Setting("Handler", "lambda.set_handler", str, "handler"),
    Setting("Runtime", "lambda.set_runtime", str, "runtime"),
)

CONCERNS: Mapping[str, frozenset[str]] = {
    "deploy-regression": frozenset(setting.name for setting in SETTINGS),
    "lambda-timeout-all-invocations-after-change": frozenset({"Timeout", "MemorySize"}),
    "lambda-oom": frozenset({"MemorySize"}),
    "lambda-handler-not-found": frozenset({"Handler"}),
    "lambda-class-not-found": frozenset({"Handler"}),
}
"""The settings whose change explains a cause."""

CODE_CAUSES = (
    "deploy-regression",
    "lambda-import-error-python",
    "lambda-import-error-node",
    "lambda-import-native-arch",
    "lambda-handler-not-found",
    "lambda-class-not-found",
    "lambda-syntax-error",
    "lambda-permission-on-files",
    "lambda-bootstrap-missing",
    "lambda-unhandled-exception",
    "lambda-missing-env-var",
)
"""Causes that another version of a function does not have."""


@proposal(*CONCERNS)
def restore_setting(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer a setting as it was before a change that explains the verdict: cited, or made just before it began."""
    if FUNCTION not in accepted.resource:
        return
    for told in _suspects(accepted, bundle):
        if any(isinstance(change, RevisionChange) and change.version != LATEST for change in told.seen):
            continue  # a published version keeps its settings: only calling another one helps
        for delta in told.deltas:
            setting = next((s for s in SETTINGS if s.name == delta.name), None)
            if setting is None or setting.name not in CONCERNS[accepted.cause] or not (delta.old and delta.new):
                continue
            if delta.lowered or not setting.lowered:
                yield _restored(accepted, told, delta, setting)


def _restored(accepted: RankedHypothesis, told: Told, delta: Delta, setting: Setting) -> ProposedAction:
    name = function_name(accepted.resource)
    unit = f" {delta.unit}" if delta.unit else ""
    return proposed(
        setting.kind,
        call=("lambda", "UpdateFunctionConfiguration"),
        parameters={"FunctionName": name, setting.name: setting.value(delta.old)},
        resource=accepted.resource,
        title=f"Restore the {setting.word} of `{name}` to {delta.old}{unit}",
        rationale=f"`{told.who}` {told.what} at {told.at:%H:%M} UTC, and it failed from then on.",
        expected_effect="New invocations run with the earlier value within a minute.",
        risk=Risk.LOW,
        undo=f"Set the {setting.word} to {delta.new}{unit} again.",
        verification=f"Errors of `{name}` fall to 0.",
        effect=Effect.UNDOES,
        trade_off=f"what the change was made for is undone with it; {KEPT_AS_CODE}",
        evidence=shown(accepted, *told.seen[:1]),
    )


@proposal("lambda-timeout-all-invocations-after-change")
def outlast_the_usual_run(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer a timeout above what runs used to take, where nothing tells the one from before the change."""
    cited = [told for told in _cited(accepted, bundle) for d in told.deltas if d.name == "Timeout" and not d.old]
    usual = max(
        (
            s
            for s in bundle.of(MetricSeries, accepted.resource)
            if s.metric == "Duration" and s.statistic == "Maximum" and s.baseline
        ),
        key=lambda s: s.usual_peak,
        default=None,
    )
    if not cited or usual is None:
        return
    now = next(d.new for d in cited[-1].deltas if d.name == "Timeout")
    seconds = min(math.ceil(ROOM * usual.usual_peak / 1000), LONGEST_SECONDS)
    if not now.isdecimal() or seconds <= int(now):
        return
    name = function_name(accepted.resource)
    yield proposed(
        "lambda.set_timeout",
        call=("lambda", "UpdateFunctionConfiguration"),
        parameters={"FunctionName": name, "Timeout": seconds},
        resource=accepted.resource,
        title=f"Raise the timeout of `{name}` to {seconds} s",
        rationale=f"Runs took up to {usual.usual_peak / 1000:.1f} s before the timeout was set to {now} s.",
        expected_effect="Runs as long as the usual ones end well again within a minute.",
        risk=Risk.LOW,
        undo=f"Set the timeout to {now} s again.",
        verification=f"Errors of `{name}` fall to 0, and Duration rises above {now} s.",
        effect=Effect.MENDS,
        trade_off=f"callers wait longer for a run that hangs; {KEPT_AS_CODE}",
        evidence=shown(accepted, *cited[-1].seen[:1], usual),
    )


@proposal(*CODE_CAUSES)
def point_alias_back(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the version that an alias pointed to before a deployment moved it, within the hour before the failure."""
    if FUNCTION not in accepted.resource:
        return
    for alias in bundle.of(AliasState, accepted.resource):
        for told in _moves(accepted, bundle):
            earlier = _version_before(bundle, alias, told)
            if earlier and not alias.weights:
                yield _pointed_back(accepted, alias, earlier, told)
                break


def _moves(accepted: RankedHypothesis, bundle: EvidenceBundle) -> list[Told]:
    """Return the suspect changes of the version that is called, the newest first."""
    return [told for told in _suspects(accepted, bundle) if told.aspects & {Aspect.ALIAS, Aspect.CODE}][::-1]


def _version_before(bundle: EvidenceBundle, alias: AliasState, told: Told) -> str:
    """Return the version that the alias pointed to before: as told, else published just before; empty if unknown."""
    for change in told.seen:
        name = change.parameters.get("name", alias.alias)
        if change.parameters.get("functionVersion") == alias.version and name == alias.alias:
            earlier = _told_before(bundle, change, alias)
            return earlier if earlier.isdecimal() and earlier != alias.version else ""
    published = {change.version for change in told.seen if isinstance(change, RevisionChange)}
    revisions = bundle.first(FunctionRevisions, alias.resource)
    if alias.version not in published or revisions is None or not alias.version.isdecimal():
        return ""
    older = [r.version for r in revisions.published if r.version.isdecimal() and int(r.version) < int(alias.version)]
    return max(older, key=int, default="")


def _told_before(bundle: EvidenceBundle, change: Change, alias: AliasState) -> str:
    known = change.before.get("functionVersion", "") if isinstance(change, KnownChange) else ""
    earlier = [
        c.parameters["functionVersion"]
        for c in sorted(bundle.of(Change, alias.resource), key=lambda c: (str(c.observed_at), c.event_id))
        if c.took_effect
        and plain_name(c) in {"UpdateAlias", "CreateAlias"}
        and c.parameters.get("name") == alias.alias
        and str(c.observed_at) < str(change.observed_at)
        and "functionVersion" in c.parameters
    ]
    return known or (earlier[-1] if earlier else "")


def _pointed_back(accepted: RankedHypothesis, alias: AliasState, version: str, told: Told) -> ProposedAction:
    name = function_name(accepted.resource)
    return proposed(
        "lambda.point_alias",
        call=("lambda", "UpdateAlias"),
        parameters={
            "FunctionName": name,
            "Name": alias.alias,
            "FunctionVersion": version,
            "RoutingConfig": {"AdditionalVersionWeights": {}},
        },
        resource=accepted.resource,
        title=f"Point `{name}:{alias.alias}` back to version {version}",
        rationale=f"`{told.who}` {told.what} at {told.at:%H:%M} UTC, and it failed from then on.",
        expected_effect="Calls by the alias run the earlier version within seconds.",
        risk=Risk.LOW,
        undo=f"Point the alias to version {alias.version} again.",
        verification=f"Errors of `{name}:{alias.alias}` fall to 0.",
        effect=Effect.UNDOES,
        trade_off="what the new version brought is gone until it is mended; data it wrote may not suit the earlier one",
        evidence=shown(accepted, *told.seen[:1], alias),
    )


def _cited(accepted: RankedHypothesis, bundle: EvidenceBundle) -> list[Told]:
    """Return the changes of the resource that the hypothesis rests on, oldest first."""
    told = _changes(accepted.resource, bundle)
    return [one for one in told if {change.id for change in one.seen} & set(accepted.evidence)]


def _suspects(accepted: RankedHypothesis, bundle: EvidenceBundle) -> list[Told]:
    """Return the changes that the hypothesis rests on, and those of the hour before it began, oldest first."""
    cited, since = _cited(accepted, bundle), accepted.since
    told = _changes(accepted.resource, bundle)
    return [one for one in told if one in cited or (since and timedelta() <= since - one.at <= NEAR)]


def _changes(resource: str, bundle: EvidenceBundle) -> tuple[Told, ...]:
    revisions = {item.resource: item for item in bundle.of(FunctionRevisions, resource)}
    called = {(a.resource, v) for a in bundle.of(AliasState, resource) for v in (a.version, *a.weights)}
    return tell(bundle.of(Change, resource), revisions, called)


PROPOSALS: tuple[Proposal, ...] = (restore_setting, outlast_the_usual_run, point_alias_back)
