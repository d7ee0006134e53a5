"""When the alarms go off and are over, by CloudWatch's documented rule.

Each story runs with every choice that the documentation leaves to CloudWatch. tests/function/test_handler.py has the
same metrics, as the function prints them.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from refresh_token.signals import Alarm
from tests.support.alarm_simulator import (
    ALARM,
    INSUFFICIENT,
    OK,
    CloudWatch,
    Series,
    SimulatedAlarm,
    alarms_of,
    new_state,
)
from tests.support.synthesised import Synthesised

pytestmark = pytest.mark.xdist_group("synth")

CONSECUTIVE, SOME = (3, 3), (2, 3)
ANY = (OK, ALARM, INSUFFICIENT)
KEPT = "as it was"
EXAMPLES = [
    (CONSECUTIVE, "0-X-X", (OK, OK, OK, OK)),
    (CONSECUTIVE, "0----", (OK, OK, OK, OK)),
    (CONSECUTIVE, "-----", (INSUFFICIENT, KEPT, ALARM, OK)),
    (CONSECUTIVE, "0XX-X", (ALARM, ALARM, ALARM, ALARM)),
    (CONSECUTIVE, "----X", (INSUFFICIENT, KEPT, ALARM, OK)),
    (CONSECUTIVE, "--X--", (ALARM, KEPT, ALARM, OK)),
    (CONSECUTIVE, "X----", (ALARM, KEPT, ALARM, OK)),
    (SOME, "0-X-X", (ALARM, ALARM, ALARM, ALARM)),
    (SOME, "00X0X", (ALARM, ALARM, ALARM, ALARM)),
    (SOME, "0-X--", (OK, OK, ALARM, OK)),
    (SOME, "----0", (OK, OK, ALARM, OK)),
    (SOME, "----X", (INSUFFICIENT, KEPT, ALARM, OK)),
]


@pytest.mark.parametrize(("alarm", "points", "states"), EXAMPLES)
def test_the_rule_has_the_documented_examples(alarm: tuple[int, int], points: str, states: tuple[str, ...]) -> None:
    for missing, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), states, strict=True):
        for before in ANY:
            state = new_state(
                [{"0": False, "X": True, "-": None}[point] for point in points],
                periods=alarm[1],
                to_alarm=alarm[0],
                missing=missing,
                state=before,
            )
            assert state == (before if wanted == KEPT else wanted), missing


HOUR, DAY = 60, 24 * 60
STATES = {"NeedsSignIn": 0, "PairNotStored": 0, "Failing": 0, "Overdue": 0, "GrantEnding": 0}


class Story(Series):
    """What happens to a deployment with ticks every ``gap`` minutes, and with calls of consumers."""

    def __init__(self, gap: int) -> None:
        super().__init__()
        self.gap = gap

    def ticks(self, begin: int, end: int, *, reason: str = "", **states: float) -> None:
        """Tick until ``end``. The states say what is wrong; -1 leaves one out."""
        for minute in range(begin, end, self.gap):
            told = {name: value for name, value in (STATES | states).items() if value >= 0}
            self.add(minute, Ticked=1, Invocations=1, **told)
            self.fail(minute, reason) if reason else self.add(minute, Errors=0)

    def fail(self, minute: int, reason: str) -> None:
        self.add(minute, Errors=1, Failures=1, **{f"Failures_{reason}": 1})

    def leave_unserved(self, minute: int) -> None:
        self.fail(minute, "IssuerUnavailableException")
        self.add(minute, Unserved=1)


def well(story: Story) -> None:
    story.ticks(30, 4 * DAY)


def refused(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, 3 * DAY, reason="ReauthorizationRequiredException", NeedsSignIn=1, Overdue=-1)
    story.ticks(3 * DAY, 4 * DAY)


def refused_once(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, DAY + 1, reason="ReauthorizationRequiredException", NeedsSignIn=1, Overdue=-1)
    story.ticks(DAY + story.gap, 4 * DAY)


def signed_in_at_once(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, DAY + 1, reason="ReauthorizationRequiredException", NeedsSignIn=1, Overdue=-1)
    story.ticks(DAY + 10, 4 * DAY)


def reported_and_refused(story: Story) -> None:
    story.ticks(30, DAY)
    story.add(DAY, NeedsSignIn=1)
    story.fail(DAY, "ReauthorizationRequiredException")
    story.ticks(DAY + 5, 3 * DAY, NeedsSignIn=1)
    story.ticks(3 * DAY, 4 * DAY)


def not_stored(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, DAY + 1, reason="TokenNotStoredException", PairNotStored=1, Overdue=-1)
    story.add(DAY + 10, NeedsSignIn=0, PairNotStored=0)  # a consumer's report mended it
    story.ticks(DAY + story.gap, 4 * DAY)


def misconfigured(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, 3 * DAY, reason="ConfigurationException", Failing=1)
    story.ticks(3 * DAY, 4 * DAY)


def issuer_down(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, 3 * DAY)  # degraded: nobody notices
    story.ticks(3 * DAY, 4 * DAY - story.gap, reason="IssuerUnavailableException", Overdue=1)
    story.ticks(4 * DAY - story.gap, 4 * DAY)


def no_ticks(story: Story) -> None:
    story.ticks(30, DAY + 31)
    story.ticks(DAY + 30 + 36 * HOUR, 4 * DAY)


def short_outage(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 10, 2):
        story.leave_unserved(minute)


def one_tick_lost(story: Story) -> None:
    story.ticks(30, DAY + 29)
    story.ticks(DAY + 30 + story.gap, 4 * DAY)


def killed_ticks(story: Story) -> None:
    story.ticks(30, DAY + 31)
    for minute in range(DAY + 30 + story.gap, 3 * DAY + 30, story.gap):
        story.add(minute, Errors=1)
    story.ticks(3 * DAY + 30, 4 * DAY)


def crashes(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 2 * HOUR, 4):
        story.add(minute, Errors=1)


def bad_requests(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 6 * HOUR, 7):
        story.fail(minute, "InvalidParameterException")


def bad_requests_to_new_version(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 10):
        story.fail(minute, "InvalidParameterException")
        story.add(minute, Errors_ExecutedVersion=1)


def new_version_fails(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 10):
        story.fail(minute, "KeyError")
        story.add(minute, Errors_ExecutedVersion=1)


def consumers_fail(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 5 * HOUR, 3):
        story.leave_unserved(minute)


def throttled(story: Story) -> None:
    well(story)
    for minute in range(DAY, DAY + 6 * HOUR, 15):
        story.add(minute, Throttles=4)


def dead_letter(story: Story) -> None:
    well(story)
    for minute in range(DAY, 3 * DAY):
        story.add(minute, ApproximateNumberOfMessagesVisible=1)
    story.add(3 * DAY, ApproximateNumberOfMessagesVisible=0)


def grant_ends(story: Story) -> None:
    story.ticks(30, DAY)
    story.ticks(DAY, 3 * DAY, GrantEnding=1)
    story.ticks(3 * DAY, 4 * DAY)


RINGS = [
    (well, None),
    (refused, (Alarm.REAUTHORIZATION_REQUIRED, DAY, 3 * DAY)),
    (refused_once, (Alarm.REAUTHORIZATION_REQUIRED, DAY, "gap")),
    (signed_in_at_once, (Alarm.REAUTHORIZATION_REQUIRED, DAY, DAY + 10)),
    (reported_and_refused, (Alarm.REAUTHORIZATION_REQUIRED, DAY, 3 * DAY)),
    (not_stored, (Alarm.TOKEN_NOT_STORED, DAY, DAY + 10)),
    (misconfigured, (Alarm.FUNCTION_ERRORS, DAY, 3 * DAY)),
    (issuer_down, (Alarm.TOKEN_EXPIRES, 3 * DAY, "last tick")),
    (no_ticks, (Alarm.NO_HEARTBEAT, "two gaps", DAY + 30 + 36 * HOUR)),
    (one_tick_lost, None),
    (killed_ticks, (Alarm.NO_HEARTBEAT, "two gaps", 3 * DAY + 30)),
    (crashes, (Alarm.FUNCTION_CRASHES, DAY + 10, DAY + 2 * HOUR + 40)),
    (bad_requests, None),
    (bad_requests_to_new_version, None),
    (new_version_fails, (Alarm.NEW_VERSION_FAILS, DAY, DAY + 10)),
    (short_outage, None),
    (consumers_fail, (Alarm.REQUESTS_FAIL, DAY + 10, DAY + 5 * HOUR + 40)),
    (throttled, (Alarm.THROTTLES, DAY + 30, DAY + 6 * HOUR + 15)),
    (dead_letter, (Alarm.DEAD_LETTERS, DAY, 3 * DAY)),
    (grant_ends, (Alarm.GRANT_EXPIRES, DAY, 3 * DAY)),
]
SCHEDULES = {"prod": 6 * HOUR, "rate(10 minutes)": 10}
"""The minutes between two ticks, by stage, or by the schedule that `dev` has instead of its own."""
STORIES = [
    (schedule, tell, ring)
    for schedule in SCHEDULES
    for tell, ring in RINGS
    # These crash often enough for FunctionCrashes as well.
    if not (schedule.startswith("rate") and tell is killed_ticks)
]
CLOUDWATCHES = [CloudWatch(), CloudWatch(more=0, lag=2), CloudWatch(more=5), CloudWatch(aligned=True)]


@pytest.fixture(scope="module")
def alarms(
    synthesised: Callable[[str], Synthesised], synthesise: Callable[..., Path]
) -> Callable[[str], dict[str, SimulatedAlarm]]:
    @cache
    def read(stage: str) -> dict[str, SimulatedAlarm]:
        rate = stage.startswith("rate")
        return alarms_of(
            json.loads(synthesise("dev", schedule=stage).read_text()) if rate else synthesised(stage).template
        )

    return read


@pytest.mark.parametrize(
    ("stage", "tell", "ring"), STORIES, ids=[f"{schedule}-{tell.__name__}" for schedule, tell, _ in STORIES]
)
def test_one_trouble_rings_one_alarm_once(
    stage: str,
    tell: Callable[[Story], None],
    ring: tuple[str, int | str, int | str] | None,
    alarms: Callable[[str], dict[str, SimulatedAlarm]],
) -> None:
    story = Story(SCHEDULES[stage])
    tell(story)
    times = {"gap": DAY + story.gap, "two gaps": DAY + 30 + 2 * story.gap, "last tick": 4 * DAY - story.gap}
    for name, alarm in alarms(stage).items():
        if ring is None or name != ring[0]:
            for cloudwatch in CLOUDWATCHES[:2]:
                assert alarm.changes(story, DAY, 4 * DAY, cloudwatch) == [], (name, cloudwatch)
            continue
        for cloudwatch in CLOUDWATCHES:
            changes = alarm.changes(story, DAY, 4 * DAY, cloudwatch)
            begin, end = (time if isinstance(time, int) else times[time] for time in ring[1:])
            assert [state for _, state in changes] == [ALARM, OK], (cloudwatch, changes)
            slack = 2 * HOUR if name == Alarm.NO_HEARTBEAT else 20
            (rings, _), (over, _) = changes
            assert (begin <= rings <= begin + slack, end <= over <= end + slack) == (True, True), (cloudwatch, changes)


def test_a_static_token_rings_three_times(alarms: Callable[[str], dict[str, SimulatedAlarm]]) -> None:
    story = Story(6 * HOUR)
    for minute in range(30, 35 * DAY, story.gap):
        story.add(minute, Ticked=1, NeedsSignIn=0, Failing=0, SecondsUntilExpiry=(33 * DAY - minute) * 60)
    changes = {name: alarm.changes(story, DAY, 33 * DAY, CloudWatch()) for name, alarm in alarms("prod-static").items()}
    rang = {name: [round(at / DAY) for at, _ in found] for name, found in changes.items() if found}
    assert rang == {name: [33 - days] for name, days in Alarm.STATIC_TOKEN_EXPIRES.items()}
