"""When the keeper asks, and what it never does: cases on the time line, then events in any order."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from token_client.answers import Received
from token_client.errors import LambdaUnavailableException, TokenClientError, UnexpectedAnswerException
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.tokens import Token

DAY, MINUTE = 86_400.0, 60.0
ASKED = {"provider": "figma"}


@dataclass
class World:
    """Time, and a function that behaves as the real one does: each version lives for ``life`` seconds."""

    life: float = 90 * DAY
    state: str = "fresh"
    up: bool = True
    faults: list[BaseException] = field(default_factory=list)
    """Raised one per call."""
    version: int = 1
    expires: float = 90 * DAY
    now: float = 0.0
    frozen: float = 0.0
    """Seconds that the monotonic clock missed."""
    set_back: float = 0.0
    """Seconds by which the wall clock was set back."""
    events: list[tuple[Mapping[str, str], bool]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    """Set by an impatient call, which then waits for ``go_on``."""
    go_on: threading.Event | None = None

    def clocks(self) -> Now:
        return Now(1000 + self.now - self.frozen, 2e9 + self.now - self.set_back)

    def ask(self, event: Mapping[str, str], *, patient: bool) -> Received:
        if self.go_on and not patient:
            self.asked.set()
            self.go_on.wait()
        self.events.append((event, patient))
        if self.faults:
            raise self.faults.pop()
        if not self.up:
            raise LambdaUnavailableException("down")
        if event.get("failedVersionId") == f"v{self.version}" or self.now >= self.expires:
            self.refresh()
        return Received(Token(f"t{self.version}", f"v{self.version}", self.state, None), int(self.expires - self.now))

    def refresh(self) -> None:
        self.version, self.expires = self.version + 1, self.now + self.life

    def keeper(self, jitter: float = 0.0) -> TokenKeeper:
        return TokenKeeper(self.ask, now=self.clocks, jitter=lambda: jitter)


TIMES = {
    "fresh, 90 days": (90 * DAY, "fresh", 0.0, 83 * DAY),
    "fresh, 90 days, full jitter": (90 * DAY, "fresh", 1.0, 0.9 * 83 * DAY),
    "fresh, one day": (DAY, "fresh", 0.0, DAY * 2 / 3),
    "due": (5 * DAY, "due", 0.0, 10 * MINUTE),
    "due, full jitter": (5 * DAY, "due", 1.0, 5 * MINUTE),
    "degraded, ten minutes": (10 * MINUTE, "degraded", 0.0, 10 * MINUTE / 3),
    "a state of a later version": (DAY, "splendid", 0.0, 10 * MINUTE),
}


class TestTime:
    @pytest.mark.parametrize("case", TIMES)
    def test_a_token_has_its_time_to_ask(self, case: str) -> None:
        life, state, jitter, after = TIMES[case]
        world = World(expires=life, state=state)
        keeper = world.keeper(jitter)
        for world.now, calls in ((0, 1), (after - 1, 1), (after + 1, 2)):
            keeper.get_token()
            assert len(world.events) == calls
        assert [patient for _, patient in world.events] == [True, False]

    def test_an_outage_is_checked_every_minute(self) -> None:
        world = World(state="due")
        keeper = world.keeper()
        keeper.get_token()
        world.up, start = False, 11 * MINUTE
        for world.now, calls in ((start, 2), (start + 59, 2), (start + 61, 3)):
            assert keeper.get_token().stale
            assert len(world.events) == calls

    @pytest.mark.parametrize("clock", ["frozen", "set_back"])
    def test_time_that_one_clock_missed_counts(self, clock: str) -> None:
        world = World()
        keeper = world.keeper()
        keeper.get_token()
        world.now = 84 * DAY
        setattr(world, clock, 84 * DAY)
        keeper.get_token()
        assert len(world.events) == 2


class TestThreads:
    def test_others_are_served_during_a_call(self) -> None:
        world = World(state="due", go_on=threading.Event())
        keeper = world.keeper()
        first = keeper.get_token()
        world.now = DAY
        with ThreadPoolExecutor(1) as pool:
            leader = pool.submit(keeper.get_token)
            world.asked.wait()
            assert keeper.get_token() is first
            world.go_on.set()  # type: ignore[union-attr]
            leader.result()
        assert len(world.events) == 2

    @pytest.mark.parametrize("faults", [[], [LambdaUnavailableException("down")]], ids=["answered", "unanswered"])
    def test_a_report_follows_a_running_call(self, faults: list[BaseException]) -> None:
        world = World(state="due", go_on=threading.Event())
        keeper = world.keeper()
        dead = keeper.get_token()
        world.now = DAY
        with ThreadPoolExecutor(2) as pool:
            question = pool.submit(keeper.get_token)
            world.asked.wait()
            world.faults = [*faults]
            report = pool.submit(keeper.report_failure, dead)
            while dead.version_id not in keeper._rejected:
                pass
            world.go_on.set()  # type: ignore[union-attr]
            assert [report.result().version_id, question.result().version_id] == ["v2", "v2"]
        assert [event for event, _ in world.events[1:]] == [ASKED, {**ASKED, "failedVersionId": "v1"}]


class TestAnswers:
    def test_an_interrupted_call_is_made_again(self) -> None:
        keeper = World(faults=[KeyboardInterrupt()]).keeper()
        with pytest.raises(KeyboardInterrupt):
            keeper.get_token()
        assert keeper.get_token().version_id == "v1"

    def test_rejected_tokens_do_not_cause_a_loop(self) -> None:
        versions = iter("abababab")

        def ask(event: Mapping[str, str], *, patient: bool) -> Received:  # noqa: ARG001 - the interface
            version = next(versions)
            return Received(Token(version, version, "fresh", None), 1000)

        keeper = TokenKeeper(ask, now=World().clocks, jitter=lambda: 0.0)
        other = keeper.report_failure(keeper.get_token())
        with pytest.raises(UnexpectedAnswerException):
            keeper.report_failure(other)

    def test_to_look_again_reports_and_raises_nothing(self) -> None:
        world = World()
        keeper = world.keeper()
        token = keeper.get_token()
        for world.up in (True, False):
            assert keeper.look_again(token).version_id == "v1"
        world.up = True
        world.refresh()
        assert [keeper.look_again(token).version_id for _ in range(2)] == ["v2", "v2"]
        assert [event for event, _ in world.events] == [ASKED] * 4


class Life(RuleBasedStateMachine):
    """A process through its life: it asks, its token is killed, it reports, time passes, the function goes down."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(life=DAY, expires=DAY)
        self.keeper = self.world.keeper(0.5)
        self.given: list[Token] = []
        self.rejected: set[str] = set()

    def _take(self, token: Token, *, was_asked: bool) -> None:
        assert token.version_id not in self.rejected
        assert self.world.now < self.world.expires or not was_asked
        self.given.append(token)

    @rule()
    def asks(self) -> None:
        before = len(self.world.events)
        try:
            token = self.keeper.get_token()
        except TokenClientError:
            assert not self.world.up
        else:
            self._take(token, was_asked=len(self.world.events) > before and self.world.up)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def reports(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.given))
        before, expired = self.world.version, self.world.now >= self.world.expires
        self.rejected.add(token.version_id)
        try:
            other = self.keeper.report_failure(token)
        except TokenClientError:
            assert not self.world.up
            return
        self._take(other, was_asked=False)
        assert self.world.version - before <= 1
        assert expired or self.world.version == before or f"v{before}" in self.rejected

    @rule()
    def another_consumer_refreshes(self) -> None:
        self.world.refresh()

    @rule(
        seconds=st.sampled_from([1.0, MINUTE, 3600.0, DAY / 2, 2 * DAY]),
        missed_by=st.sampled_from(["", "frozen", "set_back"]),
    )
    def time_passes(self, seconds: float, missed_by: str) -> None:
        self.world.now += seconds
        if missed_by:
            setattr(self.world, missed_by, getattr(self.world, missed_by) + seconds)

    @rule(up=st.booleans())
    def the_function_goes_down_or_comes_back(self, up: bool) -> None:  # noqa: FBT001 - drawn
        self.world.up = up

    @rule(state=st.sampled_from(["fresh", "due", "degraded"]))
    def the_window_changes(self, state: str) -> None:
        self.world.state = state

    @invariant()
    def a_call_succeeds_while_the_function_is_up(self) -> None:
        if self.world.up:
            assert self.keeper.get_token().version_id not in self.rejected


Life.TestCase.settings = settings(deadline=None, derandomize=True, max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase
