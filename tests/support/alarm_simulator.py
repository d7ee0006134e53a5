"""When a CloudWatch alarm changes its state, by the rule that the User Guide documents. Pure; time is in minutes.

Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data". What it leaves open is an
argument here: how many data points more than it needs CloudWatch looks at, and where the periods begin.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from refresh_token.fleet.signals import FleetAlarm
from refresh_token.signals import NAMESPACE, Alarm

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
STATISTICS: dict[str, Callable[[Iterable[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
AND, FILL = re.compile(r"\bAND\b"), re.compile(r"FILL\((\w+), (\d+)\)")

Values = list[tuple[int, float]]
"""The values of a metric, each with its minute, in order of time."""


def new_state(points: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str, state: str) -> str:
    """Return an alarm's next state. ``points`` are whether each data point of the range is breaching, oldest first."""
    real = [point for point in points if point is not None][-periods:]
    breaching, lacking = sum(real), periods - len(real)
    if lacking and missing == "breaching":
        breaching += lacking
    elif lacking and missing != "notBreaching" and all(real) and breaching < to_alarm:
        if missing == "ignore":
            return state
        # "Avoiding premature transitions to alarm state": the oldest one must be as old as the alarm waits.
        return ALARM if real and len(points) - points.index(True) >= to_alarm else INSUFFICIENT
    return ALARM if breaching >= to_alarm else OK


@dataclass
class Series:
    """The values of every metric, by its name and the value of its dimension `reason`, if it has one.

    `Errors_ExecutedVersion` are those of the version that is being deployed.
    """

    values: dict[str, Values] = field(default_factory=dict)

    def add(self, minute: int, **values: float) -> None:
        for name, value in values.items():
            insort(self.values.setdefault(name, []), (minute, value))

    def statistic(self, metric: "Metric", begin: int, end: int) -> float | None:
        """Return the data point of a period, without its end; None if it is missing."""
        values = self.values.get(metric.name, [])
        found = values[bisect_left(values, (begin,)) : bisect_left(values, (end,))]
        return float(STATISTICS[metric.statistic](value for _, value in found)) if found else None


@dataclass(frozen=True)
class Metric:
    """A metric that an alarm watches."""

    name: str
    statistic: str
    logged: bool
    """Whether it comes from the function's log."""

    @classmethod
    def of(cls, properties: Mapping[str, Any], statistic: str) -> "Metric":
        reasons = [one["Value"] for one in properties.get("Dimensions", []) if one["Name"] == "reason"]
        versions = [one["Name"] for one in properties.get("Dimensions", []) if one["Name"] == "ExecutedVersion"]
        name = "_".join([properties["MetricName"], *reasons, *versions])
        return cls(name, statistic, logged=properties["Namespace"] == NAMESPACE)


@dataclass(frozen=True)
class CloudWatch:
    """What the documentation leaves open."""

    more: int = 2
    """How many data points it looks at besides those of the alarm's periods."""
    aligned: bool = False
    """Whether periods begin when a clock shows so. Otherwise they end now (User Guide, "Alarm evaluation window")."""
    lag: int = 0
    """Minutes until a metric has come from the log."""


@dataclass(frozen=True, eq=False)
class SimulatedAlarm:
    """An alarm of a template."""

    properties: Mapping[str, Any]

    def changes(self, series: Series, begin: int, end: int, cloudwatch: "CloudWatch") -> list[tuple[int, str]]:
        """Return when the alarm's state changes, and to what. At first it is OK."""
        seen = tuple((metric.name, tuple(series.values.get(metric.name, ()))) for metric in self.watched)
        return _changes(self, seen, begin, end, cloudwatch)

    def changes_once(self, series: Series, begin: int, end: int, cloudwatch: "CloudWatch") -> list[tuple[int, str]]:
        state, found = OK, []
        periods, period = int(self.properties["EvaluationPeriods"]), self.period
        to_alarm, missing = self.properties.get("DatapointsToAlarm", periods), self.properties["TreatMissingData"]
        breaching = cache(lambda start, cut: self.is_breaching(self.point(series, start, start + period, cut)))
        step = period if cloudwatch.aligned else 5
        for now in range(begin, end + 1, step):
            starts = range(now - (periods + cloudwatch.more) * period, now, period)
            points = [breaching(start, min(start + period, now - cloudwatch.lag)) for start in starts]
            then = new_state(points, periods=periods, to_alarm=to_alarm, missing=missing, state=state)
            if then != state:
                found.append((now, then))
            state = then
        return found

    def point(self, series: Series, begin: int, end: int, cut: int) -> float | None:
        """Return the metric's data point, or that of the expression of filled metrics.

        Metrics from the log are known until ``cut``.
        """

        def statistic(metric: Metric) -> float | None:
            return series.statistic(metric, begin, cut if metric.logged else end)

        if "Metrics" not in self.properties:
            return statistic(*self.watched)
        filled = FILL.sub(lambda found: str(_filled(statistic(self.metrics[found[1]]), found[2])), self.expression)
        # An expression of our own template, with CloudWatch's names for what Python has, too.
        return float(eval(AND.sub("and", filled), {"IF": lambda condition, yes, no: yes if condition else no}))  # noqa: S307

    def is_breaching(self, point: float | None) -> bool | None:
        if point is None:
            return None
        return COMPARISONS[self.properties["ComparisonOperator"]](point, self.properties["Threshold"])

    @property
    def period(self) -> int:
        stats = [query["MetricStat"] for query in self.properties.get("Metrics", []) if "MetricStat" in query]
        (seconds,) = {one["Period"] for one in stats or [self.properties]}
        return int(seconds) // 60

    @cached_property
    def expression(self) -> str:
        (found,) = [query["Expression"] for query in self.properties["Metrics"] if "Expression" in query]
        return str(found)

    @cached_property
    def watched(self) -> list[Metric]:
        if "Metrics" in self.properties:
            return list(self.metrics.values())
        return [Metric.of(self.properties, self.properties["Statistic"])]

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        stats = [query for query in self.properties["Metrics"] if "MetricStat" in query]
        return {query["Id"]: Metric.of(query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]) for query in stats}


@cache
def _changes(
    alarm: SimulatedAlarm,
    seen: tuple[tuple[str, tuple[tuple[int, float], ...]], ...],
    begin: int,
    end: int,
    cloudwatch: CloudWatch,
) -> list[tuple[int, str]]:
    """Simulate an alarm once for all stories that look the same to it, which most do."""
    return alarm.changes_once(Series({name: list(values) for name, values in seen}), begin, end, cloudwatch)


def _filled(value: float | None, filler: str) -> float:
    return float(filler) if value is None else value


def alarms_of(template: Mapping[str, Any], names: type[Alarm | FleetAlarm] = Alarm) -> dict[str, SimulatedAlarm]:
    """Return the alarms of a stack, or of its fleet, by their names in the runbook."""
    known = {name.lower(): name for name in (*vars(names).values(), *Alarm.STATIC_TOKEN_EXPIRES) if name == str(name)}
    found = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    entries = [(one["AlarmDescription"].partition("docs/runbook.md#")[2], one) for one in found]
    return {known[entry]: SimulatedAlarm(one) for entry, one in entries if entry in known}
