"""When a connection is due, as tables."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from refresh_token.core.claims import Failure
from refresh_token.core.grant_life import GrantLife
from refresh_token.fleet.due import (
    Keeping,
    Retry,
    after_failure,
    asked_to_wait,
    attempts_after,
    core_policy,
    epoch,
    next_due,
)
from refresh_token.fleet.states import State
from tests.support.fakes import NOW
from tests.support.fleet import pair_of
from tests.support.windows import WINDOWS

DAY, HOUR, MINUTE, SECOND = (timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))
FOREVER = GrantLife()
NEXT: dict[str, tuple[timedelta | None, GrantLife, str, float, timedelta]] = {
    # life of the token, of the grant, policy, u -> due after
    "at the start of the window": (90 * DAY, FOREVER, "warm", 0, 83 * DAY),
    "at the middle of it at the latest": (90 * DAY, FOREVER, "warm", 1, 86.5 * DAY),
    "in a scaled window": (HOUR, FOREVER, "warm", 0, 40 * MINUTE),
    "in a scaled window, late": (HOUR, FOREVER, "auto", 1, 50 * MINUTE),
    "of unknown expiry": (None, FOREVER, "warm", 0.5, timedelta()),
    "expired": (-HOUR, FOREVER, "warm", 0.5, timedelta()),
    "before the grant ends idle": (90 * DAY, GrantLife(idle=60 * DAY), "warm", 0, 40 * DAY),
    "when the operator says": (90 * DAY, GrantLife(idle=60 * DAY, refresh_after=7 * DAY), "warm", 0, 7 * DAY),
    "and not later than needed": (90 * DAY, GrantLife(idle=60 * DAY, refresh_after=50 * DAY), "warm", 0, 40 * DAY),
    "when the operator says, and no more": (90 * DAY, GrantLife(refresh_after=7 * DAY), "demand", 0, 7 * DAY),
    "on demand: before it ends idle": (HOUR, GrantLife(idle=60 * DAY), "demand", 0, 40 * DAY),
    "on demand: to look again": (HOUR, FOREVER, "demand", 0, 30 * DAY),
    "on demand, expired": (-HOUR, FOREVER, "demand", 0, 30 * DAY),
    "short, of its own accord": (7 * MINUTE - SECOND, FOREVER, "auto", 0, 30 * DAY),
    "not short enough": (7 * MINUTE, FOREVER, "auto", 0, 280 * SECOND),
    "two ticks and more before it expires": (7 * MINUTE, FOREVER, "auto", 1, 280 * SECOND),
    "in time": (12 * MINUTE, FOREVER, "auto", 1, 580 * SECOND),
    "spread evenly": (12 * MINUTE, FOREVER, "auto", 0.5, 530 * SECOND),
    "as late as otherwise": (14 * MINUTE, FOREVER, "auto", 1, 700 * SECOND),
    "short, but to be kept warm": (2 * MINUTE, FOREVER, "warm", 1, 80 * SECOND),
}


@pytest.mark.parametrize("what", NEXT)
def test_a_connection_is_due(what: str) -> None:
    life, grant_life, policy, u, after = NEXT[what]
    since = NOW if life is None or life > timedelta() else NOW - 2 * HOUR
    pair = pair_of(expires_at=None if life is None else NOW + life, refreshed_at=since)
    keeping = Keeping(windows=WINDOWS, grant_life=grant_life, policy=policy)
    measured_from = since if "demand" in policy and grant_life != FOREVER else NOW
    assert next_due(pair, keeping, now=NOW, u=u) == epoch(measured_from + after)


@pytest.mark.parametrize("policy", ["warm", "demand"])
def test_it_is_when_its_grant_begins_to_end(policy: str) -> None:
    keeping = Keeping(windows=WINDOWS, grant_life=GrantLife(absolute=60 * DAY), policy=policy)
    pair = pair_of(granted_at=NOW - 25 * DAY)
    assert next_due(pair, keeping, now=NOW, u=0) == epoch(NOW + 25 * DAY)
    then = NOW + 25 * DAY
    later = next_due(pair, keeping, now=then, u=0)
    assert later == epoch(then + 30 * DAY if policy == "demand" else NOW + 83 * DAY)
    assert next_due(pair, keeping, now=then + DAY, u=0, untold=True) == epoch(then + DAY)
    assert next_due(pair, keeping, now=NOW, u=0, untold=True) == epoch(then)


def test_a_grant_waits_for_the_providers_margin() -> None:
    """After two thirds of its life it is too early: this provider takes refreshes on the token's last day only."""
    windows = replace(WINDOWS, margin=DAY)
    keeping = Keeping(windows=windows, grant_life=GrantLife(idle=60 * DAY), policy="demand")
    assert next_due(pair_of(expires_at=NOW + 50 * DAY), keeping, now=NOW, u=0) == epoch(NOW + 49 * DAY)


def test_without_an_access_token_it_is_now() -> None:
    for policy in ("warm", "demand", "auto"):
        pair = pair_of("", expires_at=None, refreshed_at=None)
        assert next_due(pair, Keeping(windows=WINDOWS, grant_life=FOREVER, policy=policy), now=NOW, u=1) == epoch(NOW)


def test_due_times_spread_over_the_window() -> None:
    keeping = Keeping(windows=WINDOWS, grant_life=FOREVER)
    times = [next_due(pair_of(), keeping, now=NOW, u=u / 10) for u in range(11)]
    assert times == sorted(set(times))


def test_what_is_due_is_in_its_window() -> None:
    """A due time is whole seconds. Rounded down, a worker would find the token still fresh."""
    at = NOW + timedelta(microseconds=1)
    assert datetime.fromtimestamp(epoch(at), NOW.tzinfo) == NOW + SECOND


@pytest.mark.parametrize(
    ("policy", "life", "expected"),
    [
        ("warm", MINUTE, "always"),
        ("demand", DAY, "demand"),
        ("auto", DAY, "always"),
        ("auto", MINUTE, "demand"),
        ("auto", None, "always"),
    ],
)
def test_the_core_gets_its_policy(policy: str, life: timedelta | None, expected: str) -> None:
    assert core_policy(policy, life) == expected


DOWN, NAMED = timedelta(minutes=1), timedelta(minutes=30)
FAILED: dict[str, tuple[int, timedelta | None, timedelta, float, timedelta]] = {
    # attempts, the token's life left, retry at, u -> due after
    "first": (1, None, DOWN, 0, MINUTE),
    "first, jittered, after the cooldown": (1, None, DOWN, 1, MINUTE),
    "second": (2, None, DOWN, 0, 2 * MINUTE),
    "second, jittered": (2, None, DOWN, 1, MINUTE),
    "fifth": (5, None, DOWN, 0, 16 * MINUTE),
    "at most an hour": (99, None, DOWN, 0, HOUR),
    "before the token expires": (7, 20 * MINUTE, DOWN, 0, 10 * MINUTE),
    "not too often before it expires": (7, 90 * SECOND, DOWN, 0, MINUTE),
    "as it expires": (7, timedelta(), DOWN, 0, HOUR),
    "after it has expired": (7, -MINUTE, DOWN, 0, HOUR),
    "not before the provider allows": (1, 20 * MINUTE, NAMED, 0, 30 * MINUTE),
    "never counted": (0, None, timedelta(), 1, 30 * SECOND),
}


@pytest.mark.parametrize("what", FAILED)
def test_a_failed_refresh_is_tried_again(what: str) -> None:
    attempts, left, retry, u, after = FAILED[what]
    failure = Failure("IssuerUnavailableException", NOW + retry)
    expires_at = None if left is None else NOW + left
    found = after_failure(failure, attempts=attempts, expires_at=expires_at, now=NOW, u=u)
    assert found == Retry(State.COOLING, epoch(NOW + after))


@pytest.mark.parametrize(
    ("asked", "until"), [(None, MINUTE), (5.0, MINUTE), (1800.0, 30 * MINUTE), (float("inf"), DAY), (1e9, DAY)]
)
def test_what_a_provider_asks_is_heeded(asked: float | None, until: timedelta) -> None:
    failure = Failure("IssuerUnavailableException", NOW + MINUTE, refused=True, retry_after=asked)
    heeded = asked_to_wait(failure, now=NOW)
    assert heeded == replace(failure, retry_at=NOW + until)
    assert heeded.retry_after is None, "once"


@pytest.mark.parametrize(("asked", "attempts"), [(None, 4), (0.0, 3), (30.0, 3)])
def test_only_failures_without_a_time_are_counted(asked: float | None, attempts: int) -> None:
    assert attempts_after(3, Failure("IssuerUnavailableException", NOW, retry_after=asked)) == attempts


def test_a_refused_grant_is_not() -> None:
    refused = Failure("IssuerUnavailableException", NOW, refused=True)
    assert after_failure(refused, attempts=1, expires_at=None, now=NOW, u=0) == Retry(State.REFUSED, None)
