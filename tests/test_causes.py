"""The catalogue of causes: complete, and worded so that every row fits where it is shown."""

import re
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.causes import CAUSES, EVERY_CAUSE, cause

FIXED_CODES = (Path(__file__).parent / "data" / "cause_codes.txt").read_text().split()
PAGE = re.compile(r"https://docs\.aws\.amazon\.com/[A-Za-z0-9-]+/latest/[A-Za-z]+/[A-Za-z0-9_.-]+\.html")
TITLE = re.compile(r"[a-z].{8,58}[^ .,:;!]")
REMEDY = re.compile(r"[A-Z][^\n]{8,158}\.")
SENTENCE_END = re.compile(r"\.(?=\s|$)")


def test_codes_are_the_fixed_ones_each_once():
    assert sorted(row.code for row in EVERY_CAUSE) == sorted(FIXED_CODES)


def test_every_code_finds_its_own_cause():
    assert [code for code in FIXED_CODES if cause(code).code != code] == []


def test_titles_are_unique_within_a_service():
    seen = Counter((row.service, row.title) for row in EVERY_CAUSE)

    assert [where for where, times in seen.items() if times > 1] == []


def test_titles_fit_a_headline_after_their_resource():
    assert [row.title for row in EVERY_CAUSE if not TITLE.fullmatch(row.title)] == []


def test_remedies_are_one_or_two_short_sentences():
    unfit = [
        row.remedy
        for row in EVERY_CAUSE
        if not REMEDY.fullmatch(row.remedy) or len(SENTENCE_END.findall(row.remedy)) > 2
    ]

    assert unfit == []


def test_sources_are_pages_of_the_aws_documentation():
    assert [row.source for row in EVERY_CAUSE if not PAGE.fullmatch(row.source)] == []


@pytest.mark.parametrize(
    "code",
    ["lambda-unhandled-exception", "lambda-timeout", "apigw-lambda-timeout-504", "sfn-child-failed", "sqs-backlog"],
)
def test_cause_in_the_shape_of_a_symptom_is_generic(code):
    assert cause(code).generic


@pytest.mark.parametrize(
    "code",
    ["lambda-timeout-all-invocations-after-change", "apigw-malformed-proxy", "ddb-provisioned-exceeded", "lambda-oom"],
)
def test_cause_that_explains_others_is_not_generic(code):
    assert not cause(code).generic


def test_unknown_code_names_the_nearest():
    with pytest.raises(KeyError, match=r"'lambda-timout'.*nearest: .*lambda-timeout"):
        cause("lambda-timout")


def test_code_unlike_any_other_says_so():
    with pytest.raises(KeyError, match="none is near"):
        cause("zzzz")


def test_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        CAUSES["lambda-oom"] = cause("lambda-timeout")
    with pytest.raises(ValidationError):
        cause("lambda-oom").title = "changed"
