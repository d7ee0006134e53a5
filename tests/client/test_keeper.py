"""When the keeper asks, and what it never does."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from token_client.answers import Received
from token_client.errors import (
    InvokeTimedOutException,
    LambdaUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    TokenClientError,
    UnexpectedAnswerException,
)
from token_client.keeper import TokenKeeper
from token_client.kept_token import Now
from token_client.memory import LOOK_AGAIN
from token_client.tokens import NEW, Token

DAY, MINUTE = 86_400.0, 60.0
ASKED: dict[str, str] = {}


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
    """Set by a call that then waits for ``go_on``: an impatient one, or any if the function is slow."""
    is_slow: bool = False
    is_damping: bool = False
    """Whether it calls its token new, and leaves it alone."""
    go_on: threading.Event | None = None

    def clocks(self) -> Now:
        return Now(1000 + self.now - self.frozen, 2e9 + self.now - self.set_back)

    def ask(self, event: Mapping[str, str], *, patient: bool) -> Received:
        if (go_on := self.go_on) and (self.is_slow or not patient):
            self.asked.set()
            go_on.wait()
        self.events.append((event, patient))
        if self.faults:
            raise self.faults.pop()
        if not self.up:
            raise LambdaUnavailableException("down")
        if (event.get("failedVersionId") == f"v{self.version}" and not self.is_damping) or self.now >= self.expires:
            self.refresh()
        dated = datetime.fromtimestamp(2e9 + self.now, UTC) if self.is_damping else None
        token = Token(f"t{self.version}", f"v{self.version}", self.state, None, refreshed_at=dated)
        return Received(token, int(self.expires - self.now))

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
            while not keeper._memory.is_rejected(dead.version_id):
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
        for world.now, world.up in ((0, True), (LOOK_AGAIN + 1, False)):
            assert [keeper.look_again(token).version_id for _ in range(3)] == ["v1"] * 3
        world.now, world.up = 3 * LOOK_AGAIN, True
        world.refresh()
        assert [keeper.look_again(token).version_id for _ in range(2)] == ["v2", "v2"]
        assert [event for event, _ in world.events] == [ASKED] * 4


FAILURES = [ReauthorizationRequiredException, LambdaUnavailableException, RefreshInProgressException]


class TestFailures:
    @pytest.mark.parametrize("kind", FAILURES)
    @pytest.mark.parametrize("is_report", [False, True])
    def test_an_error_is_repeated_for_its_pause(self, kind: type[TokenClientError], *, is_report: bool) -> None:
        world = World(faults=[kind("No.")] * 2)
        keeper = world.keeper()
        token = Token("t0", "v0", "fresh", None)
        for world.now, calls in ((0, 1), (kind.pause - 0.1, 1), (kind.pause + 0.1, 2), (3 * kind.pause, 3)):
            for _ in range(20):
                with nullcontext() if calls == 3 else pytest.raises(kind, match=r"^No\.$"):
                    keeper.report_failure(token) if is_report else keeper.get_token()
            assert len(world.events) == calls

    def test_another_version_is_reported_at_once(self) -> None:
        world = World(faults=[ReauthorizationRequiredException("No.")])
        keeper = world.keeper()
        with pytest.raises(ReauthorizationRequiredException):
            keeper.report_failure(Token("t0", "v0", "fresh", None))
        assert keeper.report_failure(Token("t1", "v1", "fresh", None)).version_id == "v2"
        assert keeper.get_token().version_id == "v2"

    def test_a_new_token_survives_its_report(self) -> None:
        world = World(is_damping=True)
        keeper = world.keeper()
        for world.now, calls in ((0, 2), (NEW - 1, 2), (NEW + 1, 3)):
            token = keeper.get_token()
            assert keeper.report_failure(token).version_id == keeper.get_token().version_id == "v1"
            assert len(world.events) == calls


class TestTimeouts:
    def test_the_next_caller_gets_the_answer(self) -> None:
        world = World(go_on=threading.Event(), is_slow=True)
        keeper = world.keeper()
        for _ in range(3):
            with pytest.raises(InvokeTimedOutException, match=r"0\.01 seconds") as caught:
                keeper.get_token(timeout=0.01)
            assert caught.value.code == ""
        world.go_on.set()  # type: ignore[union-attr]
        assert keeper.get_token(timeout=10).version_id == "v1"
        assert len(world.events) == 1

    def test_a_live_token_is_returned_then(self) -> None:
        world = World(state="due")
        keeper = world.keeper()
        token = keeper.get_token(timeout=10)
        world.now, world.go_on = DAY, threading.Event()
        assert keeper.get_token(timeout=0) is token
        world.go_on.set()

    def test_a_call_lost_in_a_freeze_is_replaced(self) -> None:
        lost = threading.Event()
        world = World(go_on=lost, is_slow=True)
        keeper = world.keeper()
        with pytest.raises(InvokeTimedOutException):
            keeper.get_token(timeout=0)
        world.asked.wait()
        world.now, world.frozen, world.go_on = DAY, DAY, None
        world.refresh()
        assert keeper.get_token().version_id == "v2"
        world.version = 1
        lost.set()
        while len(world.events) < 2:
            pass
        assert keeper.get_token().version_id == "v2"

    def test_without_a_thread_the_caller_asks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        assert World().keeper().get_token(timeout=1).version_id == "v1"
