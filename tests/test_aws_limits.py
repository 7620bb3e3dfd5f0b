"""Token buckets, on a clock of our own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aws.limits import RATES, Bucket, Limits, Rate

QUOTAS = {  # calls a second that AWS grants the whole account
    ("cloudtrail", "LookupEvents"): 2, ("lambda", "*"): 15, ("apigateway", "*"): 10, ("apigateway", "GetResources"): 2.5,
    ("apigatewayv2", "*"): 10, ("logs", "FilterLogEvents"): 5, ("sns", "*"): 30,
}  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_the_rest_is_paced() -> None:
    bucket = Bucket(Rate(2, 3), Clock())

    assert [bucket.reserve() for _ in range(6)] == [0, 0, 0, 0.5, 1.0, 1.5]


def test_time_gives_tokens_back_up_to_the_burst() -> None:
    clock = Clock()
    bucket = Bucket(Rate(2, 3), clock)
    for _ in range(5):
        bucket.reserve()
    clock.now += 60

    assert [bucket.reserve() for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.parametrize(("within", "wait"), [(0, None), (-1, None), (0.4, None), (0.5, 0.5), (9, 0.5)])
def test_a_call_that_could_not_wait_takes_no_token(within: float, wait: float | None) -> None:
    bucket = Bucket(Rate(2, 1), Clock())
    bucket.reserve()

    assert bucket.reserve(within) == wait
    assert bucket.reserve() == (0.5 if wait is None else 1.0)


def test_accounts_regions_and_services_have_buckets_of_their_own() -> None:
    limits = Limits({("lambda", "*"): Rate(1, 1)}, Clock())
    places = [("a", "r", "lambda"), ("b", "r", "lambda"), ("a", "s", "lambda"), ("a", "r", "sqs")]

    assert [limits.reserve(*place, "GetPolicy") for place in places] == [0, 0, 0, 0]
    assert limits.reserve("a", "r", "lambda", "ListAliases") == 1


def test_an_operation_with_a_limit_of_its_own_has_a_bucket_of_its_own() -> None:
    limits = Limits({("logs", "*"): Rate(1, 1), ("logs", "FilterLogEvents"): Rate(1, 1)}, Clock())

    assert limits.reserve("", "r", "logs", "FilterLogEvents") == 0
    assert limits.reserve("", "r", "logs", "DescribeLogGroups") == 0
    assert limits.reserve("", "r", "logs", "FilterLogEvents") == 1


def test_threads_take_every_token_once() -> None:
    bucket = Bucket(Rate(1, 40), Clock())
    together = threading.Barrier(16)

    def take(_: int) -> list[float | None]:
        together.wait()
        return [bucket.reserve() for _ in range(10)]

    with ThreadPoolExecutor(16) as pool:
        waits = sorted(w or 0 for taken in pool.map(take, range(16)) for w in taken)

    assert waits == [0] * 40 + list(range(1, 121))


@pytest.mark.parametrize("key", sorted(QUOTAS))
def test_our_rates_leave_half_of_awss_quota_to_people(key: tuple[str, str]) -> None:
    assert RATES[key].per_second <= 0.55 * QUOTAS[key]
