"""From the metrics that the function prints to the alarms that they set off.

The function runs on moto, the alarms are those of the snapshots, and CloudWatch is the simulator. A tick is every six
hours; tests/infra/test_alarm_times.py has the stories that take more than this function.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest

from refresh_token.errors import RefreshTokenError
from refresh_token.signals import Alarm
from tests.support.alarm_simulator import ALARM, OK, CloudWatch, Series, alarms_of
from tests.support.events import TICK, report
from tests.support.moto_function import Lines, MotoFunction
from tests.support.template import template
from tests.support.token_server import Reply, ui_builder_error, ui_builder_issued

pytestmark = pytest.mark.usefixtures("fast_retries")

DAY, GAP = 24 * 60, 6 * 60
REVOKED = ui_builder_error(400, "InvalidParameterException", "canary")
FRESH = 1 * DAY
MENDED = 3 * DAY


class Days:
    """Invocations at minutes of a calendar. Each adds to the metrics what it prints, and what Lambda counts."""

    def __init__(self, deployment: MotoFunction, printed: Lines) -> None:
        self.deployment, self.printed, self.series = deployment, printed, Series()

    def invoke(self, minute: int, event: object) -> None:
        raised = True
        with suppress(RefreshTokenError):
            self.deployment.invoke(event)
            raised = False
        self.series.add(minute, Errors=raised, Invocations=1)
        for line in self.printed():
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                for name in (metric["Name"] for metric in directive["Metrics"]):
                    key = "_".join([name, *([line["reason"]] if "reason" in directive["Dimensions"][0] else [])])
                    self.series.add(minute, **{key: max(line[name])})

    def tick(self, begin: int, end: int) -> None:
        for minute in range(begin, end, GAP):
            self.invoke(minute, TICK)

    def rang(self, variant: str = "prod") -> dict[str, list[tuple[str, int]]]:
        """Return what each alarm did, with the day on which it did it."""
        changes = {
            name: alarm.changes(self.series, DAY - GAP, 4 * DAY, CloudWatch())
            for name, alarm in alarms_of(template(variant)).items()
        }
        return {name: [(state, at // DAY) for at, state in found] for name, found in changes.items() if found}


def refused_report(days: Days) -> None:
    version = days.deployment.stored()[0]
    days.deployment.issuer.answer(REVOKED)
    days.invoke(FRESH + 5, report(version))


def refused_ticks(days: Days) -> None:
    days.deployment.issuer.answer(REVOKED)
    days.deployment.seed("advisory")


def refused_when_it_ends(days: Days) -> None:
    days.deployment.issuer.answer(REVOKED)
    days.deployment.seed("expired")
    days.invoke(FRESH + 5, {})


def no_sense(days: Days) -> None:
    days.deployment.issuer.answer(Reply(302))
    days.deployment.seed("mandatory")


def issuer_down(days: Days) -> None:
    days.deployment.issuer.answer(ui_builder_error(503))
    days.deployment.seed("mandatory")


def malformed(days: Days) -> None:
    days.deployment.store("{")
    days.invoke(FRESH + 5, {})


def emptied(days: Days) -> None:
    days.deployment.store("{}")
    days.invoke(FRESH + 5, {})


def wrong_requests(days: Days) -> None:
    for minute in range(FRESH, FRESH + 120, 7):
        days.invoke(minute, {"provider": "?"})


TROUBLES = [
    (refused_report, Alarm.REAUTHORIZATION_REQUIRED),
    (refused_ticks, Alarm.REAUTHORIZATION_REQUIRED),
    (refused_when_it_ends, Alarm.REAUTHORIZATION_REQUIRED),
    (emptied, Alarm.REAUTHORIZATION_REQUIRED),
    (no_sense, Alarm.FUNCTION_ERRORS),
    (malformed, Alarm.FUNCTION_ERRORS),
    (issuer_down, Alarm.TOKEN_EXPIRES),
    (wrong_requests, None),
]


@pytest.mark.parametrize(("begin", "alarm"), TROUBLES)
def test_a_trouble_rings_until_it_is_mended(
    begin: Callable[[Days], None], alarm: str | None, deployment: MotoFunction, printed: Lines
) -> None:
    days = Days(deployment, printed)
    deployment.seed("fresh")
    days.tick(0, FRESH)
    begin(days)
    days.tick(FRESH + 10, MENDED)
    deployment.issuer.answer(ui_builder_issued())
    deployment.seed("fresh", accessToken="canary-new")
    days.tick(MENDED, 4 * DAY)
    assert days.rang() == ({alarm: [(ALARM, 1), (OK, 3)]} if alarm else {})


def test_a_reported_static_token_rings_until_the_next(
    deployment: MotoFunction, printed: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUER", "static")
    days = Days(deployment, printed)
    version = deployment.seed("fresh")
    days.tick(0, FRESH)
    days.invoke(FRESH + 5, report(version))
    days.tick(FRESH + 10, MENDED)
    deployment.seed("fresh", accessToken="canary-new")
    days.tick(MENDED, 4 * DAY)
    rang = days.rang("prod-static")
    assert rang == {Alarm.REAUTHORIZATION_REQUIRED: [(ALARM, 1), (OK, 3)], "StaticTokenExpiresIn30Days": [(ALARM, 0)]}
