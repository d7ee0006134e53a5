"""Calculates the cost of a month of a fleet: `python -m bench.fleet_cost --connections 10000 --life-days 90`."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench.cost import MEMORY_GB, WARM_SECONDS, Item, markdown
from bench.figures import grid
from bench.prices import DAYS, HOURS, REGIONS, US_EAST_1, Prices
from refresh_token.core.windows import WindowSettings

TICKS: Final = HOURS * 60
SLOTS: Final = 16
ALARM_METRICS: Final = 15
"""That the fleet's alarms watch."""
COMPOSITE_ALARMS: Final = 2
METRICS: Final = 14
"""A high estimate: each tick sends seven, and three for the provider; workers send the others when they refresh."""
POLLS: Final = 5 * 3 * TICKS
"""Receives of an idle queue: five pollers wait 20 seconds each (Lambda Developer Guide, "SQS scaling behavior")."""
TICK_SECONDS: Final = 0.5
"""A high estimate for a tick that finds little, with a third of a processor."""
REFRESH_SECONDS: Final = 0.6
"""A high estimate for one refresh, half of it the provider's."""
INDEX_BYTES: Final = 400
"""One entry in an index, with the 100 bytes that DynamoDB adds to each item."""

WINDOWS: Final = WindowSettings(advisory=timedelta(days=7), mandatory=timedelta(days=1))
LIVES: Final = {"90 days": timedelta(days=90), "one hour": timedelta(hours=1)}
SIZES: Final = (100, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the bill depends on."""

    connections: int
    life: timedelta = timedelta(days=90)
    """Of an access token."""
    item_bytes: int = 2_000
    """An item with two tokens of 700 bytes."""
    rotates: bool = False
    """Whether each refresh also replaces the refresh token: two calls of KMS more, and batches of one."""
    questions_a_day: int = 0

    @property
    def refreshes(self) -> float:
        """Refreshes of a month. On average, a connection is due after a quarter of its advisory window."""
        advisory = WINDOWS.scaled_to(self.life).advisory
        return self.connections * timedelta(days=DAYS) / (self.life - advisory * 3 / 4)


def bill(fleet: Fleet, at: Prices = US_EAST_1) -> list[Item]:
    """Return the cost of a month, without the stack of one secret that stands beside the fleet."""
    month, stored = fleet.refreshes, fleet.connections * (fleet.item_bytes + INDEX_BYTES) / 1e9
    units, kms = 3 * math.ceil(fleet.item_bytes / 1_024) + 4, 3 if fleet.rotates else 1
    requests = 2.1 if fleet.rotates else 0.3
    questions = fleet.questions_a_day * DAYS
    read_units = math.ceil(fleet.item_bytes / 4_096)
    seconds = MEMORY_GB * at.gb_second
    items = [
        Item("key of table and tokens", f"{at.key:.2f}", at.key),
        Item("alarms", f"{ALARM_METRICS} metrics x {at.alarm_metric:.2f}", ALARM_METRICS * at.alarm_metric),
        Item(
            "composite alarms",
            f"{COMPOSITE_ALARMS} x {at.composite_alarm:.2f}",
            COMPOSITE_ALARMS * at.composite_alarm,
        ),
        Item("metrics", f"{METRICS} x {at.metric_hour * HOURS:.2f}", METRICS * at.metric_hour * HOURS),
        Item(
            "ticks: schedule, invocation, 32 queries, 2 writes",
            f"{TICKS:,} x ({_millions(at.schedule + at.invocation)} + 16 x {_millions(at.read_unit)} "
            f"+ 2 x {_millions(at.write_unit)} + 0.5 GB x {TICK_SECONDS} s x {at.gb_second})",
            TICKS * (at.schedule + at.invocation + SLOTS * at.read_unit + 2 * at.write_unit + TICK_SECONDS * seconds),
        ),
        Item("polls of the queue", f"{POLLS:,} x {_millions(at.queue_request)}", POLLS * at.queue_request),
        Item(
            "storage with backup",
            f"{stored:.4g} GB x ({at.table_gb:.2f} + {at.backup_gb:.2f})",
            stored * (at.table_gb + at.backup_gb),
        ),
        Item(
            "refreshes: table",
            f"{month:,.0f} x ({units} x {_millions(at.write_unit)} + {read_units} x {_millions(at.read_unit)})",
            month * (units * at.write_unit + read_units * at.read_unit),
        ),
        Item(
            "refreshes: KMS", f"{month:,.0f} x {kms} x {at.key_call * 10_000:.2f} / 10,000", month * kms * at.key_call
        ),
        Item(
            "refreshes: queue",
            f"{month:,.0f} x {requests} x {_millions(at.queue_request)}",
            month * requests * at.queue_request,
        ),
        Item(
            "refreshes: workers",
            f"{month:,.0f} x ({_millions(at.invocation)} + 0.5 GB x {REFRESH_SECONDS} s x {at.gb_second})",
            month * (at.invocation + REFRESH_SECONDS * seconds),
        ),
        Item(
            "questions: invocation, one read",
            f"{questions / 1e6:.2f} million x ({_millions(at.invocation)} + {read_units} x {_millions(at.read_unit)} "
            f"+ 0.5 GB x {WARM_SECONDS * 1000:.0f} ms x {at.gb_second})",
            questions * (at.invocation + read_units * at.read_unit + WARM_SECONDS * seconds),
        ),
    ]
    return [item for item in items if item.usd]


def total(fleet: Fleet, at: Prices = US_EAST_1) -> float:
    """Return the sum of the bill."""
    return sum(item.usd for item in bill(fleet, at))


def as_secrets(fleet: Fleet, at: Prices = US_EAST_1) -> float:
    """Return what the same costs with a secret for each connection, refreshed by the calls of the stack of one."""
    refresh = 5 * at.secret_call + 3 * at.key_call + at.invocation + REFRESH_SECONDS * MEMORY_GB * at.gb_second
    watching = total(Fleet(connections=0), at)
    return fleet.connections * at.secret + fleet.refreshes * refresh + watching


def sizes(at: Prices = US_EAST_1) -> str:
    """Return the table of totals by size and life, beside secrets."""
    header = ["connections", *(f"tokens of {life}" for life in LIVES), "a secret each, tokens of 90 days"]
    rows = [
        [
            f"{size:,}",
            *(f"{total(Fleet(connections=size, life=life), at):,.2f}" for life in LIVES.values()),
            f"{as_secrets(Fleet(connections=size), at):,.2f}",
        ]
        for size in SIZES
    ]
    return grid(header, rows)


def _millions(usd: float) -> str:
    return f"{usd * 1e6:.4g} / million"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the bill of the fleet that the options describe."""
    parser = argparse.ArgumentParser(prog="python -m bench.fleet_cost", description=__doc__)
    parser.add_argument("--region", choices=sorted(REGIONS), default=US_EAST_1.region, help="whose list prices")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--life-days", type=float, default=90, help="life of an access token")
    parser.add_argument("--item-bytes", type=int, default=Fleet.item_bytes, help="size of a connection in the table")
    parser.add_argument("--rotates", action="store_true", help="each refresh replaces the refresh token")
    parser.add_argument("--questions-a-day", type=int, default=0, help="how often consumers ask, in all")
    options = vars(parser.parse_args(arguments))
    at = REGIONS[options.pop("region")]
    fleet = Fleet(life=timedelta(days=options.pop("life_days")), **options)
    sys.stdout.write(f"{at.region}, {at.as_of}:\n\n{markdown(bill(fleet, at))}\n\n")
    sys.stdout.write(f"As secrets: {as_secrets(fleet, at):,.2f}\n")


if __name__ == "__main__":
    main()
