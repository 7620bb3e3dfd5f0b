"""Logs of other versions than the one that was called: one log group holds them all."""

import pytest

from domain.evidence import Evidence
from domain.findings import Hypothesis
from domain.resource import resource_from_arn
from specialists.awslambda import SPECIALIST
from specialists.awslambda.evidence import Alias, Aliases
from tests.specialists.awslambda_building import FN, config, logs, segment
from tests.support.probing import case_of, findings

RAISED = "[ERROR] KeyError: 'rate'\nTraceback (most recent call last):\n"
POINTS_AT_1 = (config(), config(qualifier="live", version="1"))


def stream(version: str) -> str:
    return f"2026/11/20/[{version}]9c3e1f0a5b7d4e21"


def aliases(**weights: float) -> Aliases:
    live = Alias(name="live", version="1", weights=weights)
    return Aliases(resource=FN, source="lambda:ListAliases", aliases=(live, Alias(name="beta", version="2")))


def raised(*evidence: Evidence, version: str = "2", called: str = ":live", well: bool = True) -> bool:
    lines = logs(RAISED, RAISED, stream=stream(version))
    case = case_of(resource_from_arn(f"{FN}{called}"), segment(failed=not well), lines, *evidence)
    found = findings(SPECIALIST.rules, case)
    return any(isinstance(f, Hypothesis) and f.cause == "lambda-unhandled-exception" for f in found)


def test_what_another_version_raised_is_not_told_of_an_alias_whose_request_went_well() -> None:
    assert not raised(*POINTS_AT_1, aliases())


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(raised(*POINTS_AT_1, aliases(), version="1"), id="it is the version that was called"),
        pytest.param(raised(*POINTS_AT_1, aliases(**{"2": 0.1})), id="the alias sends a share there"),
        pytest.param(raised(*POINTS_AT_1), id="the aliases could not be read"),
        pytest.param(raised(config(), aliases()), id="the version called is not known"),
        pytest.param(raised(config(), aliases(), called=""), id="no alias was called"),
        pytest.param(raised(*POINTS_AT_1, aliases(), well=False), id="the request failed"),
    ],
)
def test_it_is_told_where_it_may_be_the_same_code(shown: bool) -> None:
    assert shown
