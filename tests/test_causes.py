"""The catalogue of causes: complete, and worded so that every row fits where it is shown."""

import re
from collections import Counter
from pathlib import Path

import pytest
from domain.causes import CAUSES, EVERY_CAUSE, Cause, cause
from pydantic import ValidationError

FIXED_CODES = (Path(__file__).parent / "data" / "cause_codes.txt").read_text().split()
PAGE = re.compile(r"https://docs\.aws\.amazon\.com/[A-Za-z-]+/latest/[A-Za-z-]+/[A-Za-z0-9_.-]+\.html")

every_cause = pytest.mark.parametrize("row", EVERY_CAUSE, ids=lambda row: row.code)


def test_codes_are_the_fixed_ones_each_once():
    assert sorted(row.code for row in EVERY_CAUSE) == sorted(FIXED_CODES)


def test_titles_are_unique_within_a_service():
    seen = Counter((row.service, row.title) for row in EVERY_CAUSE)

    assert [where for where, times in seen.items() if times > 1] == []


@every_cause
def test_title_fits_a_headline_after_its_resource(row: Cause):
    assert 10 <= len(row.title) <= 60
    assert row.title == row.title.strip()
    assert not row.title.endswith((".", "!", ":"))


@every_cause
def test_title_starts_in_lower_case_unless_with_a_name(row: Cause):
    first = row.title.split()[0]
    names = {"Python", "Lambda", "CORS", "ResultPath", "PutEvents", "KMS", "EC2", "Block", "Secrets"}

    assert first[0].islower() or first in names


@every_cause
def test_remedy_is_one_or_two_short_sentences(row: Cause):
    sentences = re.findall(r"[.!?](?=\s|$)", row.remedy)

    assert row.remedy[0].isupper()
    assert row.remedy.endswith(".")
    assert len(row.remedy) <= 160
    assert 1 <= len(sentences) <= 2


@every_cause
def test_source_is_one_page_of_the_aws_documentation(row: Cause):
    assert PAGE.fullmatch(row.source)


@pytest.mark.parametrize(
    "code",
    ["lambda-unhandled-exception", "lambda-timeout", "apigw-lambda-timeout-504", "sfn-child-failed", "sqs-backlog"],
)
def test_shape_of_a_symptom_is_generic(code: str):
    assert cause(code).generic


@pytest.mark.parametrize(
    "code",
    ["lambda-timeout-all-invocations-after-change", "apigw-malformed-proxy", "ddb-provisioned-exceeded", "lambda-oom"],
)
def test_cause_that_explains_others_is_not_generic(code: str):
    assert not cause(code).generic


def test_unknown_code_names_the_nearest():
    with pytest.raises(KeyError, match=r"lambda-timout.*nearest: .*lambda-timeout"):
        cause("lambda-timout")


def test_code_unlike_any_other_says_so():
    with pytest.raises(KeyError, match="none is near"):
        cause("zzzz")


def test_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CAUSES["lambda-oom"] = cause("lambda-timeout")  # type: ignore[index]
    with pytest.raises(ValidationError):
        cause("lambda-oom").title = "changed"  # type: ignore[misc]
