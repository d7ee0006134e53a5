"""How much a tick sends, and when it arrives."""

import pytest

from refresh_token.fleet.pacing import LEASE, PERIOD, Pace, budget_of, lease_end, shares_of


@pytest.mark.parametrize("rate", [1, 10, 1000])
@pytest.mark.parametrize("waiting", [0, 0.5, 0.98, 1, 7])
def test_messages_arrive_no_faster_than_the_rate(rate: int, waiting: float) -> None:
    queued = int(waiting * rate * PERIOD)
    pace = Pace(rate, 1_000, queued)
    delays = [pace.delay(place, now=1_000) for place in range(budget_of(rate, queued=queued))]
    assert len(delays) == max(0, rate * PERIOD - queued)
    assert delays == sorted(delays)
    assert all(delays.count(second) <= rate for second in range(PERIOD))
    assert all(queued // rate <= delay < PERIOD for delay in delays), "behind those that wait, before the next tick"


def test_what_is_sent_late_arrives_no_later() -> None:
    pace = Pace(10, 1_000)
    assert [pace.delay(300, now=1_000 + elapsed) for elapsed in (0, 10, 30, 45)] == [30, 20, 0, 0]


@pytest.mark.parametrize(
    ("queued", "sent", "shares"),
    [
        (7, {}, {}),
        (7, {"figma": 0}, {"figma": 7}),
        (7, {"figma": 0, "linear": 0}, {"figma": 4, "linear": 4}),
        (300, {"figma": 595, "linear": 5}, {"figma": 298, "linear": 3}),
        (300, {"figma": 0, "linear": 100}, {"figma": 0, "linear": 300}),
    ],
)
def test_what_waits_counts_against_its_provider(queued: int, sent: dict[str, int], shares: dict[str, int]) -> None:
    assert shares_of(queued, sent) == shares


def test_a_lease_counts_from_the_arrival() -> None:
    assert lease_end(1_000, 59) == 1_059 + LEASE
