"""Calculates the cost of a month from AWS's list prices for us-east-1, without free tiers except X-Ray's.

Sources: the pricing pages of Secrets Manager, Lambda (Arm), EventBridge Scheduler, DynamoDB on demand, CloudWatch,
X-Ray and KMS on aws.amazon.com, as of November 2026. Check them again before you rely on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOURS: Final = 730
DAYS: Final = 30.4

SECRET: Final = 0.40
"""One secret for a month."""
SECRET_CALL: Final = 0.05 / 10_000
INVOCATION: Final = 0.20 / 1e6
GB_SECOND: Final = 0.0000133334
TICK: Final = 1.00 / 1e6
LOCK_WRITE: Final = 0.625 / 1e6
LOCK_READ: Final = 0.125 / 1e6
ALARM_METRIC: Final = 0.10
"""AWS charges an alarm for each metric that it watches."""
COMPOSITE_ALARM: Final = 0.50
METRIC_HOUR: Final = 0.30 / HOURS
"""AWS charges a custom metric for each hour in which it is sent."""
KEY: Final = 1.00
KEY_CALL: Final = 0.03 / 10_000
"""`prod` encrypts the secret with its own key, so each read of the secret also calls KMS."""
LOG_GB: Final = 0.50
TRACE: Final = 5.00 / 1e6
FREE_TRACES: Final = 100_000

TICKS: Final = HOURS / 6
"""`prod` ticks every six hours."""
REFRESHES: Final = DAYS / 83
"""A token of 90 days is refreshed 7 days before its expiry."""
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
        Item("secret", "0.40", SECRET),
        Item("keys for the secret and the alarm topic", "2 x 1.00", 2 * KEY),
        Item("alarms", f"{ALARM_METRICS} metrics x 0.10", ALARM_METRICS * ALARM_METRIC),
        Item("composite alarms", f"{COMPOSITE_ALARMS} x 0.50", COMPOSITE_ALARMS * COMPOSITE_ALARM),
        Item("metrics", f"{METRICS} x {TICKS:.0f} ticks x 0.30 / 730 h", METRICS * TICKS * METRIC_HOUR),
        Item(
            "ticks: schedule, two reads, KMS, invocation",
            f"{TICKS:.0f} x (1.125 / million + 0.08 / 10,000 + 0.20 / million + 0.5 GB x 1 s x 0.0000133334)",
            TICKS * (TICK + LOCK_READ + SECRET_CALL + KEY_CALL + INVOCATION + MEMORY_GB * COLD_SECONDS * GB_SECOND),
        ),
        Item(
            "refreshes: 3 more calls (2 with KMS), 2 lock writes",
            f"{REFRESHES:.2f} x (3 x 0.05 / 10,000 + 2 x 0.03 / 10,000 + 2 x 0.625 / million)",
            REFRESHES * (3 * SECRET_CALL + 2 * KEY_CALL + 2 * LOCK_WRITE),
        ),
    ]


def reads(a_day: int) -> list[Item]:
    """Return the additional cost of this number of requests per day, spread evenly."""
    month = a_day * DAYS
    # Lambda traces the first request of each second, and 5 % of the others.
    seconds = 86_400 * DAYS
    traces = month if month < seconds else seconds + 0.05 * (month - seconds)
    return [
        Item("GetSecretValue", f"{month / 1e6:.2f} million x 0.05 / 10,000", month * SECRET_CALL),
        Item("KMS", f"{month / 1e6:.2f} million x 0.03 / 10,000", month * KEY_CALL),
        Item("invocations", f"{month / 1e6:.2f} million x 0.20 / million", month * INVOCATION),
        Item(
            "duration",
            f"{month / 1e6:.2f} million x 0.5 GB x 15 ms x 0.0000133334",
            month * MEMORY_GB * WARM_SECONDS * GB_SECOND,
        ),
        Item("logs", f"{month / 1e6:.2f} million x 400 bytes x 0.50 / GB", month * ANSWER_LOG_BYTES / 1e9 * LOG_GB),
        Item(
            "traces",
            f"({traces / 1e6:.2f} - 0.1) million x 5.00 / million",
            max(0.0, traces - FREE_TRACES) * TRACE,
        ),
    ]


def markdown(items: Sequence[Item]) -> str:
    """Return the items as a table with their total."""
    rows = [f"| {item.what} | {item.formula} | {item.usd:.4f} |" for item in items]
    total = f"| **total** | | **{sum(item.usd for item in items):.2f}** |"
    return "\n".join(["| what | calculation | USD per month |", "|---|---|---|", *rows, total])
