"""The part of `tokenctl status` about a fleet."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from refresh_token.core.windows import iso_utc
from refresh_token.environment import SERVICE_NAME
from refresh_token.fleet.signals import FleetMetric
from refresh_token.signals import NAMESPACE, SERVICE
from tokenctl.connections.brakes import read_brakes
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.fleet_counts import FleetCounts, count_fleet
from tokenctl.connections.fleet_queues import Messages, count_messages
from tokenctl.connections.fleet_troubles import nobody_is_served, troubles_in
from tokenctl.errors import NONSENSE, GoneError, TokenctlError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.deploy_command import how_to_restore
from tokenctl.stack.side_by_side import limit_inside, no_answer, side_by_side

RATE_SPAN: Final = timedelta(minutes=5)
"""What the number of refreshes a second is the mean of."""

T = TypeVar("T")


def fleet_report(fleet: Fleet, now: datetime) -> dict[str, Any]:
    """Return the part; what can be left out is null if it cannot be read.

    Raises:
        TokenctlError: the table cannot be read.

    """
    gone: list[str] = []
    tasks: dict[str, Callable[[], Any]] = {
        "counts": partial(count_fleet, fleet, now),
        "brakes": partial(read_brakes, fleet),
        "rate": partial(_or_none, partial(_refreshes_per_second, fleet, now)),
        "queue": partial(_or_none, partial(_count, fleet, "QueueUrl", gone)),
        "lost": partial(_or_none, partial(_count, fleet, "DeadLetterQueueUrl", gone)),
    }
    found = dict(side_by_side(tasks, late=no_answer, limit=limit_inside()))
    counts: FleetCounts = found["counts"]
    providers = [
        {
            "provider": provider,
            "due": due.count,
            "oldestOverdueSeconds": _since(due.oldest, now),
            "brakedSince": _moment(found["brakes"].get(provider)),
        }
        for provider, due in counts.due.items()
    ]
    report = {
        "connections": sum(counts.by_state.values()),
        "complete": counts.complete,
        "byState": {state.value: count for state, count in counts.by_state.items()},
        "due": sum(due.count for due in counts.due.values()),
        "oldestOverdueSeconds": _since(counts.oldest, now),
        "providers": providers,
        "refreshesPerSecond": found["rate"],
        "maxRefreshesPerSecond": fleet.settings.refreshes_per_second,
        "queue": found["queue"] and {"waiting": found["queue"].waiting, "underWay": found["queue"].under_way},
        "deadLetters": found["lost"] and found["lost"].waiting,
    }
    return {
        **report,
        "troubles": [
            *(f"{what} is gone: {how_to_restore(fleet.target)}" for what in sorted(gone)),
            *map(str, troubles_in(report)),
        ],
        "nobodyIsServed": nobody_is_served(report),
    }


def _since(at: float | None, now: datetime) -> int:
    return 0 if at is None else max(int(now.timestamp() - at), 0)


def _moment(at: float | None) -> str | None:
    return None if at is None else iso_utc(datetime.fromtimestamp(at, UTC))


def _count(fleet: Fleet, output: str, gone: list[str]) -> Messages | None:
    try:
        return count_messages(fleet, output)
    except GoneError as error:
        gone.append(error.what)
    return None


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (TokenctlError, *NONSENSE):
        return None


def _refreshes_per_second(fleet: Fleet, now: datetime) -> float | None:
    """Return how many refreshes succeeded a second lately; None if the functions have reported none."""
    client = fleet.target.aws.client("cloudwatch")
    service = fleet.function.function_variables[SERVICE_NAME]
    with translate_aws_errors():
        answer = client.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=FleetMetric.REFRESHED,
            Dimensions=[{"Name": SERVICE, "Value": service}],
            StartTime=now - RATE_SPAN,
            EndTime=now,
            Period=60,
            Statistics=["Sum"],
        )
    points = answer["Datapoints"]
    return round(sum(point["Sum"] for point in points) / RATE_SPAN.total_seconds(), 2) if points else None
