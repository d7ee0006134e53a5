"""Calculates the cost of a month of one token pair, and of its consumers (`prices.py`; X-Ray has a free tier)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.prices import DAYS, HOURS, US_EAST_1

_AT: Final = US_EAST_1

TICKS: Final = HOURS / 6
"""`prod` ticks every six hours."""
REFRESHES: Final = DAYS / 83
"""A token of 90 days is refreshed 7 days before its expiry."""
FREE_TRACES: Final = 100_000
ALARM_METRICS: Final = 16
COMPOSITE_ALARMS: Final = 2
METRICS: Final = 7
"""Each tick sends five states, SecondsUntilExpiry and Ticked."""
MEMORY_GB: Final = 0.5
COLD_SECONDS: Final = 1.0
"""A high estimate: a tick finds no warm environment, and 512 MB come with about a third of a processor."""
WARM_SECONDS: Final = 0.015
"""A high estimate for a warm answer with one network call."""
ANSWER_LOG_BYTES: Final = 400
"""Lambda's own three lines. The function logs nothing for an answer."""


@dataclass(frozen=True)
class Item:
    """One line of the bill, in USD per month."""

    what: str
    formula: str
    usd: float


def pair() -> list[Item]:
    """Return the cost of one token pair, which does not depend on the number of consumers."""
    return [
        Item("secret", "0.40", _AT.secret),
        Item("keys for the secret and the alarm topic", "2 x 1.00", 2 * _AT.key),
        Item("alarms", f"{ALARM_METRICS} metrics x 0.10", ALARM_METRICS * _AT.alarm_metric),
        Item("composite alarms", f"{COMPOSITE_ALARMS} x 0.50", COMPOSITE_ALARMS * _AT.composite_alarm),
        Item("metrics", f"{METRICS} x {TICKS:.0f} ticks x 0.30 / 730 h", METRICS * TICKS * _AT.metric_hour),
        Item(
            "ticks: schedule, two reads, KMS, invocation",
            f"{TICKS:.0f} x (1.125 / million + 0.08 / 10,000 + 0.20 / million + 0.5 GB x 1 s x 0.0000133334)",
            TICKS
            * (
                _AT.schedule
                + _AT.read_unit
                + _AT.secret_call
                + _AT.key_call
                + _AT.invocation
                + MEMORY_GB * COLD_SECONDS * _AT.gb_second
            ),
        ),
        Item(
            "refreshes: 3 more calls (2 with KMS), 2 lock writes",
            f"{REFRESHES:.2f} x (3 x 0.05 / 10,000 + 2 x 0.03 / 10,000 + 2 x 0.625 / million)",
            REFRESHES * (3 * _AT.secret_call + 2 * _AT.key_call + 2 * _AT.write_unit),
        ),
    ]


def reads(a_day: int) -> list[Item]:
    """Return the additional cost of this number of requests per day, spread evenly."""
    month = a_day * DAYS
    # Lambda traces the first request of each second, and 5 % of the others.
    seconds = 86_400 * DAYS
    traces = month if month < seconds else seconds + 0.05 * (month - seconds)
    return [
        Item("GetSecretValue", f"{month / 1e6:.2f} million x 0.05 / 10,000", month * _AT.secret_call),
        Item("KMS", f"{month / 1e6:.2f} million x 0.03 / 10,000", month * _AT.key_call),
        Item("invocations", f"{month / 1e6:.2f} million x 0.20 / million", month * _AT.invocation),
        Item(
            "duration",
            f"{month / 1e6:.2f} million x 0.5 GB x 15 ms x 0.0000133334",
            month * MEMORY_GB * WARM_SECONDS * _AT.gb_second,
        ),
        Item("logs", f"{month / 1e6:.2f} million x 400 bytes x 0.50 / GB", month * ANSWER_LOG_BYTES / 1e9 * _AT.log_gb),
        Item(
            "traces",
            f"({traces / 1e6:.2f} - 0.1) million x 5.00 / million",
            max(0.0, traces - FREE_TRACES) * _AT.trace,
        ),
    ]


def markdown(items: Sequence[Item]) -> str:
    """Return the items as a table with their total."""
    rows = [f"| {item.what} | {item.formula} | {item.usd:.4f} |" for item in items]
    total = f"| **total** | | **{sum(item.usd for item in items):.2f}** |"
    return "\n".join(["| what | calculation | USD per month |", "|---|---|---|", *rows, total])
