"""When a provider is braked, and when it is not any more."""

import pytest

from refresh_token import errors
from refresh_token.fleet.brake import Brake, counts, decide, slowed, with_backlog

NOW = 1_000
BEFORE = 700


@pytest.mark.parametrize(
    ("sent", "failures", "braked"),
    [
        (600, 299, False),
        (600, 300, True),
        (600, 0, False),
        (12, 9, False),  # too few to tell
        (12, 10, True),
        (0, 10, True),  # they were sent before
        (0, 0, False),
    ],
)
def test_most_refreshes_of_a_tick_fail(*, sent: int, failures: int, braked: bool) -> None:
    assert decide(Brake(sent, failures), now=NOW) == (NOW if braked else None)


@pytest.mark.parametrize(
    ("sent", "failures", "braked"),
    [
        (5, 5, True),
        (5, 3, True),
        (5, 2, False),
        (1, 1, True),
        (1, 0, False),
        (5, 300, True),  # those of the ticks before
        (0, 0, True),  # nobody tried
    ],
)
def test_probes_open_it(*, sent: int, failures: int, braked: bool) -> None:
    assert decide(Brake(sent, failures, BEFORE), now=NOW) == (BEFORE if braked else None)


@pytest.mark.parametrize(
    ("sent", "waited", "waiting", "tried"),
    [
        (600, 0, 0, 600),
        (600, 0, 400, 600),  # SQS may tell late that they are gone
        (0, 900, 600, 300),
        (5, 900, 600, 305),
        (5, 900, 2_000, 5),
    ],
)
def test_a_backlog_counts_as_tried(*, sent: int, waited: int, waiting: int, tried: int) -> None:
    assert with_backlog(Brake(sent, 40, waiting=waited), waiting=waiting) == Brake(tried, 40, waiting=waited)


@pytest.mark.parametrize(
    ("sent", "failures", "now_sent"),
    [(600, 600, 5), (600, 400, 200), (5, 0, 5), (0, 10, 5), (600, 0, 500)],
)
def test_a_braked_provider_gets_what_worked(sent: int, failures: int, now_sent: int) -> None:
    assert slowed(Brake(sent, failures, BEFORE), 500) == now_sent


@pytest.mark.parametrize(("looked_at", "since"), [(NOW - 29, BEFORE), (NOW - 30, None), (NOW + 99, None)])
def test_another_dispatcher_decides_nothing_at_once(looked_at: int, since: int | None) -> None:
    assert decide(Brake(5, 0, BEFORE, looked_at), now=NOW) == since


SAID_ABOUT_THE_PROVIDER = {
    "IssuerUnavailableException",
    "IssuerProtocolException",
    "ConfigurationException",
    "ReauthorizationRequiredException",
    "TokenNotStoredException",
}


@pytest.mark.parametrize("error", errors.ALL)
def test_only_some_failures_count(error: type[errors.RefreshTokenError]) -> None:
    assert counts(error("it failed")) == (error.__name__ in SAID_ABOUT_THE_PROVIDER)
