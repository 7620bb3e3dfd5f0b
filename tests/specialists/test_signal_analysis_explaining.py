"""Which resource is said to explain the others: one that stands out, and none of two that are even."""

import pytest

from specialists.kit.signals import Excess
from specialists.signal_analysis.rules import explaining_the_others
from tests.specialists.signal_analysis_building import CALLER, FUNCTION, TABLE, statements


def excess(resource: str, rank: int, share: float) -> Excess:
    return Excess(resource=resource, source="xray:GetServiceGraph", rank=rank, share=share, over=3)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.5, 0.3, 0.2), (0.45, 0.2, 0.2)])
def test_none_of_several_that_are_about_even_explains_the_others(shares: tuple[float, ...]) -> None:
    names = (FUNCTION, TABLE, CALLER)
    seen = [excess(name, rank, share) for rank, (name, share) in enumerate(zip(names, shares, strict=False), 1)]

    assert statements(explaining_the_others, *seen) == []


@pytest.mark.parametrize("shares", [(1.0,), (0.7, 0.3), (0.6, 0.3, 0.1)])
def test_one_that_stands_out_is_named_with_its_share(shares: tuple[float, ...]) -> None:
    names = (TABLE, FUNCTION, CALLER)
    seen = [excess(name, rank, share) for rank, (name, share) in enumerate(zip(names, shares, strict=False), 1)]
    [told] = statements(explaining_the_others, *seen)

    assert told.startswith(f"DynamoDB table `orders` explains the others: {shares[0]:.0%}")
