"""Laws of shape over the registry: what holds for every specialist, probe, rule and read."""

import inspect
import re
from collections import Counter

import pytest

from aws.reads import NEVER, read
from domain.causes import CAUSES
from orchestrator.reads import every_read, policy
from remediation.catalogue import KINDS
from specialists.contract import Probe, Rule, Specialist, SpecialistKind
from specialists.registry import all_specialists

PROBES = [(s, p) for s in all_specialists() for p in s.probes]
RULES = [(s, r) for s in all_specialists() for r in s.rules]
NAMES = frozenset(
    [
        "lambda",
        "apigateway",
        "stepfunctions",
        "iam",
        "dynamodb",
        "s3",
        "sqs",
        "sns",
        "eventbridge",
        "vpc",
        "signal-analysis",
        "historical-incident",
        "change-intelligence",
        "risk-blast-radius",
        "knowledge-rag",
        "execution-proposal",
    ]
)

DISCOVERED = ("trace.", "alarm.")
"""The kinds of evidence that discovery brings, before any specialist looks."""


def _label(item: object) -> str:
    return getattr(item, "name", str(item))


@pytest.mark.parametrize("specialist", all_specialists(), ids=_label)
def test_a_specialist_has_a_known_name_and_looks_and_judges(specialist: Specialist) -> None:
    planning = specialist.kind is SpecialistKind.PLANNING

    assert specialist.name in NAMES
    assert 0 < specialist.limit_seconds <= 30
    assert (specialist.plan is not None) is planning
    assert all(bool(part) is not planning for part in (specialist.handles, specialist.probes, specialist.rules))


@pytest.mark.parametrize(("specialist", "probe"), PROBES, ids=_label)
def test_a_probe_says_what_it_reads_in_words_and_in_actions(specialist: Specialist, probe: Probe) -> None:
    assert len(probe.doc.split()) >= 4
    assert probe.reads or specialist.kind is SpecialistKind.CROSS_CUTTING, "a service is looked at in AWS"
    assert probe.yields


@pytest.mark.parametrize(("specialist", "probe"), PROBES, ids=_label)
def test_what_a_probe_needs_some_probe_of_its_specialist_or_the_trace_brings(
    specialist: Specialist, probe: Probe
) -> None:
    brought = {kind for other in specialist.probes for kind in other.yields if other is not probe}

    assert all(need in brought or need.kind.startswith(DISCOVERED) for need in probe.needs)


@pytest.mark.parametrize(("specialist", "rule"), RULES, ids=_label)
def test_a_rule_is_a_pure_generator_over_evidence_that_its_specialist_can_see(
    specialist: Specialist, rule: Rule
) -> None:
    seen = {kind for probe in specialist.probes for kind in probe.yields}

    assert inspect.isgeneratorfunction(rule.judge)
    assert all(kind in seen or kind.kind.startswith(DISCOVERED) for kind in rule.sees), rule.name


@pytest.mark.parametrize(("specialist", "rule"), RULES, ids=_label)
def test_no_rule_types_a_confidence(specialist: Specialist, rule: Rule) -> None:
    assert not re.search(r"confidence\s*=", inspect.getsource(rule.judge))


@pytest.mark.parametrize("specialist", all_specialists(), ids=_label)
def test_the_names_of_a_specialists_probes_and_rules_are_its_own(specialist: Specialist) -> None:
    names = Counter([*(p.name for p in specialist.probes), *(f"rule {r.name}" for r in specialist.rules)])

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("operation", sorted(NEVER), ids=":".join)
def test_what_shows_secrets_or_data_cannot_be_declared(operation: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not an operation that a probe may use"):
        read(*operation)


@pytest.mark.parametrize(
    "operation", ["DeleteTable", "UpdateFunctionCode", "PutItem", "Publish", "InvokeAsync", "CreateRole"]
)
def test_what_writes_cannot_be_declared(operation: str) -> None:
    with pytest.raises(ValueError, match="not an operation that a probe may use"):
        read("any", operation)


def test_the_policy_has_every_action_once_and_no_wildcard() -> None:
    statement = policy()["Statement"][0]  # type: ignore[index]
    actions = statement["Action"]

    assert actions == sorted({r.action for r in every_read()})
    assert not [action for action in actions if "*" in action]


def test_every_cause_that_a_proposal_mends_is_known_and_every_kind_is_in_the_catalogue() -> None:
    proposals = [p for s in all_specialists() for p in s.proposals]

    assert all(code in CAUSES for p in proposals for code in p.causes)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
