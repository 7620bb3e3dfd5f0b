"""Ids are ours alone, and a button's value says which investigation, never what to do."""

import pytest

from bot.blocks import ids
from bot.blocks.report import report_messages
from bot.blocks.views import evidence_view, review_view
from tests.support import reports


def _values(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["value"]] if value.get("type") == "button" else []
        return own + [found for inner in value.values() for found in _values(inner)]
    return [found for inner in value for found in _values(inner)] if isinstance(value, list | tuple) else []


def test_every_id_is_distinct_and_marked_as_ours():
    named = [
        value for name, value in vars(ids).items() if name.isupper() and isinstance(value, str) and name != "INPUT"
    ]

    assert len(named) == len(set(named))
    assert [value for value in named if not value.startswith("rca_")] == []


def test_buttons_carry_the_investigation_and_a_position_only():
    report = reports.incident()
    found = _values([m.blocks for m in report_messages(report)] + [evidence_view(report), review_view(report, 0)])

    assert len(found) >= 12
    assert {ids.referred(value) for value in found} <= {ids.Reference(reports.ID, n) for n in (None, 0, 1)}


def test_a_reference_is_read_back():
    assert ids.referred(ids.reference("INV-7F3K")) == ids.Reference("INV-7F3K")
    assert ids.referred(ids.reference("INV-7F3K", 12)) == ids.Reference("INV-7F3K", 12)


@pytest.mark.parametrize(
    "value", ["", ":1", "INV 1", "INV-1:", "INV-1:-1", "INV-1:x", "INV-1:1:2", "INV-1:99999", "a" * 65, "x\n"]
)
def test_a_value_that_is_not_ours_is_refused(value: str):
    assert ids.referred(value) is None


def test_what_is_no_id_cannot_become_a_value():
    with pytest.raises(ValueError, match="not an investigation's id"):
        ids.reference("INV:1")


def test_grades_go_from_best_to_worst():
    assert [grade.name for grade in ids.GRADES] == ["exact", "one_hop_short", "right_area", "wrong"]
