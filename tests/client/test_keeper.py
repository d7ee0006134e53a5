"""When the keeper asks, and what it never does: cases on the time line, then any order of events."""

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
from token_client.keeper import Now, TokenKeeper
from token_client.tokens import Token

DAY = 86_400.0
MINUTE = 60.0


@dataclass
class World:
    """Time, and a function that keeps the contract: versions live for ``life`` seconds."""

    life: float = 90 * DAY
    state: str = "fresh"
    up: bool = True
    faults: list[TokenClientError] = field(default_factory=list)
    """Used up one a question."""
    version: int = 1
    expires: float = 90 * DAY
    now: float = 0.0
    frozen: float = 0.0
    """Seconds that the monotonic clock missed."""
    set_back: float = 0.0
    """Seconds by which the wall clock was put back."""
    events: list[tuple[Mapping[str, str], bool]] = field(default_factory=list)

    def clocks(self) -> Now:
        return Now(1000 + self.now - self.frozen, 2e9 + self.now - self.set_back)

    def ask(self, event: Mapping[str, str], *, patient: bool) -> Received:
        self.events.append((event, patient))
        if self.faults:
            raise self.faults.pop()
        if not self.up:
            raise LambdaUnavailableException("down")
        if event.get("failedVersionId") == f"v{self.version}" or self.now >= self.expires:
            self.refresh()
        token = Token(f"t{self.version}", f"v{self.version}", self.state, None)
        return Received(token, int(self.expires - self.now))

    def refresh(self) -> None:
        self.version, self.expires = self.version + 1, self.now + self.life

    def keeper(self, jitter: float = 0.0) -> TokenKeeper:
        return TokenKeeper(self.ask, now=self.clocks, jitter=lambda: jitter)


TIMES = [
    ("fresh, 90 days", 90 * DAY, "fresh", 0.0, 83 * DAY),
    ("fresh, 90 days, all jitter", 90 * DAY, "fresh", 1.0, 0.9 * 83 * DAY),
    ("fresh, one day", DAY, "fresh", 0.0, DAY * 2 / 3),
    ("due", 5 * DAY, "due", 0.0, 10 * MINUTE),
    ("due, all jitter", 5 * DAY, "due", 1.0, 5 * MINUTE),
    ("degraded, ten minutes", 10 * MINUTE, "degraded", 0.0, 10 * MINUTE / 3),
    ("a state of a later version", DAY, "splendid", 0.0, 10 * MINUTE),
]


@pytest.mark.parametrize(("life", "state", "jitter", "after"), [case[1:] for case in TIMES], ids=[c[0] for c in TIMES])
def test_a_token_is_asked_about_again_at_its_time(life: float, state: str, jitter: float, after: float) -> None:
    world = World(expires=life, state=state)
    keeper = world.keeper(jitter)
    keeper.get_token()
    world.now = after - 1
    keeper.get_token()
    assert len(world.events) == 1
    world.now = after + 1
    keeper.get_token()
    assert [patient for _, patient in world.events] == [True, False]


def test_time_that_only_one_clock_saw_counts() -> None:
    for clock in ("frozen", "set_back"):
        world = World()
        keeper = world.keeper()
        keeper.get_token()
        world.now = 84 * DAY
        setattr(world, clock, 84 * DAY)
        keeper.get_token()
        assert len(world.events) == 2, clock


def held_up(world: World) -> tuple[TokenKeeper, threading.Event, threading.Event]:
    """Return a keeper whose questions ahead of time wait, what tells that one was asked, and what lets it go on."""
    asked, go_on = threading.Event(), threading.Event()

    def ask(event: Mapping[str, str], *, patient: bool) -> Received:
        if not patient:
            asked.set()
            go_on.wait()
        return world.ask(event, patient=patient)

    return TokenKeeper(ask, now=world.clocks, jitter=lambda: 0.0), asked, go_on


def test_while_one_asks_ahead_the_others_are_served_at_once() -> None:
    world = World(state="due")
    keeper, asked, go_on = held_up(world)
    first = keeper.get_token()
    world.now = DAY
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(keeper.get_token)
        asked.wait()
        assert keeper.get_token() is first
        go_on.set()
        leader.result()
    assert len(world.events) == 2


@pytest.mark.parametrize("is_answered", [True, False], ids=["the question is answered", "the question is not"])
def test_a_report_that_meets_a_question_is_made_after_it(is_answered: bool) -> None:  # noqa: FBT001 - the case
    world = World(state="due")
    keeper, asked, go_on = held_up(world)
    dead = keeper.get_token()
    world.now = DAY
    faults: list[TokenClientError] = [] if is_answered else [LambdaUnavailableException("down")]
    with ThreadPoolExecutor(2) as pool:
        question = pool.submit(keeper.get_token)
        asked.wait()
        world.faults = faults
        report = pool.submit(keeper.report_failure, dead)
        while dead.version_id not in keeper._rejected:
            pass
        go_on.set()
        assert report.result().version_id == "v2"
        assert question.result().version_id == "v2"
    assert [event for event, _ in world.events[1:]] == [
        {"provider": "figma"},
        {"provider": "figma", "failedVersionId": "v1"},
    ]


def test_a_question_that_is_broken_off_leaves_the_next_one_to_ask() -> None:
    world, broken = World(), [KeyboardInterrupt]

    def ask(event: Mapping[str, str], *, patient: bool) -> Received:
        if broken:
            raise broken.pop()
        return world.ask(event, patient=patient)

    keeper = TokenKeeper(ask, now=world.clocks, jitter=lambda: 0.0)
    with pytest.raises(KeyboardInterrupt):
        keeper.get_token()
    assert keeper.get_token().version_id == "v1"


def test_a_function_that_only_gives_rejected_tokens_is_not_asked_for_ever() -> None:
    versions = iter("abababab")

    def ask(event: Mapping[str, str], *, patient: bool) -> Received:  # noqa: ARG001 - the interface
        version = next(versions)
        return Received(Token(version, version, "fresh", None), 1000)

    keeper = TokenKeeper(ask, now=World().clocks, jitter=lambda: 0.0)
    token = keeper.get_token()
    other = keeper.report_failure(token)
    with pytest.raises(UnexpectedAnswerException):
        keeper.report_failure(other)


def test_to_look_again_reports_nothing_and_raises_nothing() -> None:
    world = World()
    keeper = world.keeper()
    token = keeper.get_token()
    assert keeper.look_again(token).version_id == "v1"
    world.up = False
    assert keeper.look_again(token).version_id == "v1"
    world.up = True
    world.refresh()
    assert keeper.look_again(token).version_id == "v2"
    assert keeper.look_again(token).version_id == "v2"
    assert [event for event, _ in world.events] == [{"provider": "figma"}] * 4


class Life(RuleBasedStateMachine):
    """A process through its life: it asks, its token is killed, it reports, time passes, the function is down."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(life=DAY, expires=DAY)
        self.keeper = self.world.keeper(0.5)
        self.given: list[Token] = []
        self.rejected: set[str] = set()
        self.refreshes_wanted = 0

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
            return
        self._take(token, was_asked=len(self.world.events) > before and self.world.up)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def reports(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.given))
        current, before = f"v{self.world.version}", self.world.version
        expired = self.world.now >= self.world.expires
        self.rejected.add(token.version_id)
        try:
            other = self.keeper.report_failure(token)
        except TokenClientError:
            assert not self.world.up
            return
        self._take(other, was_asked=False)
        assert self.world.version - before <= 1
        assert expired or self.world.version == before or current in self.rejected

    @rule()
    def another_refreshes(self) -> None:
        self.world.refresh()

    @rule(seconds=st.sampled_from([1.0, MINUTE, 3600.0, DAY / 2, 2 * DAY]), frozen=st.booleans(), back=st.booleans())
    def time_passes(self, seconds: float, frozen: bool, back: bool) -> None:  # noqa: FBT001 - drawn
        self.world.now += seconds
        if frozen:
            self.world.frozen += seconds
        elif back:
            self.world.set_back += seconds

    @rule()
    def the_function_goes_down_or_comes_back(self) -> None:
        self.world.up = not self.world.up

    @rule(state=st.sampled_from(["fresh", "due", "degraded"]))
    def the_window_changes(self, state: str) -> None:
        self.world.state = state

    @invariant()
    def a_call_that_nobody_can_answer_in_memory_is_answered_when_the_function_is_up(self) -> None:
        if self.world.up:
            assert self.keeper.get_token().version_id not in self.rejected


Life.TestCase.settings = settings(deadline=None, derandomize=True, max_examples=60, stateful_step_count=30)
TestLife = Life.TestCase
