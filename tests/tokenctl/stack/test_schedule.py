"""Whether a schedule runs at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tokenctl.stack.schedule import why_stopped

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EARLIER, LATER = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
SCHEDULES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"StartDate": EARLIER, "EndDate": LATER}, None),
    ({"State": "DISABLED"}, "is DISABLED"),
    ({"EndDate": EARLIER}, "ended 2026-05-01T00:00:00Z"),
    ({"StartDate": LATER}, "does not start before 2026-07-01T00:00:00Z"),
    ({"ScheduleExpression": "at(2026-05-30T00:00:00)"}, "ran only once, on 2026-05-30"),
    ({"ScheduleExpression": "at(2026-05-31T12:00:00)"}, None),
    ({"ScheduleExpression": "cron(0 12 * * ? *)"}, None),
    ({"ScheduleExpression": "cron(0 12 1 1 ? 2020-2022,2024)"}, "has no run after 2024"),
    ({"ScheduleExpression": "cron(0 12 1 1 ? 2020/2)"}, None),
    ({"ScheduleExpression": "cron(0 12 1 1 ? 2026)"}, None),
]


@pytest.mark.parametrize(("settings", "why"), SCHEDULES)
def test_a_schedule_says_why_it_stopped(settings: dict[str, Any], why: str | None) -> None:
    schedule = {"State": "ENABLED", "ScheduleExpression": "rate(12 hours)", **settings}
    assert why_stopped(schedule, NOW) == why
