"""Many connections, the queue, the dispatcher and workers under everything that goes wrong, driven by hypothesis.

`tests/support/fleet_simulation.py` checks at every call of a provider that no version is refreshed twice, and that a
spent refresh token is sent only if an answer was lost. This module checks what becomes of the connections:

- At any time, a connection that is kept alive is in the index of due ones, and any other is in the index of troubles.
- Once nothing goes wrong any more, each connection ends live, or in a state that says why, and that is true.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.due import LOOK_AGAIN
from refresh_token.fleet.states import State
from tests.support.fleet_simulation import MOODS, REUSABLE, ROTATING, FleetSimulation, Order, Plan
from tests.support.memory_sqs import Message

pytestmark = pytest.mark.no_cover  # it takes half as long again, for lines that the other tests run anyway

MAX_STEPS = 10
"""A refresh stops about so often."""

NAMES = (f"{REUSABLE}/u1", f"{REUSABLE}/u2", f"{ROTATING}/u1", f"{ROTATING}/u2")
ACTS = ("connect", "pause", "resume", "resume", "revoke", "spoil", "end the grant", "poison", "poison")
QUESTIONS = ("ask", "report", "force")
WHICH = st.integers(min_value=0, max_value=9)
PLANS = st.none() | st.tuples(
    st.integers(min_value=1, max_value=MAX_STEPS),
    st.sampled_from([Order.KILL, Order.KILL, Order.FAIL, Order.SLOW, *[Order.MEANWHILE] * 3]),
    st.sampled_from(["message", "message", "tick", *QUESTIONS, *ACTS]),
    WHICH,
)
PROCESS = st.integers(min_value=0, max_value=1)
MAX_HEALING = timedelta(hours=4)
"""Backoff and cooldown are an hour at most."""


class FleetModel(RuleBasedStateMachine):
    """A table, a queue, providers and a clock; ticks, messages and questions; operators; everything that goes wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.world = FleetSimulation()
        self.fleet = self.world.fleet
        self.begun = 0

    @initialize()
    def connect(self) -> None:
        for name in NAMES:
            self.world.connect(name)

    # Runs

    @rule(planned=PLANS, skew=st.sampled_from([0, 0, -300, 300]))
    def tick(self, planned: Any, skew: int) -> None:
        """A dispatcher runs, with a clock that may be wrong."""
        self.begun += 1
        dispatcher = self.fleet.dispatcher(skew=skew)
        with self.world.running(self.plan(planned)):
            self.tolerantly(dispatcher.tick)

    @precondition(lambda self: self.fleet.queue.messages)
    @rule(which=WHICH, keep=st.booleans(), planned=PLANS, process=PROCESS)
    def message(self, which: int, planned: Any, process: int, *, keep: bool) -> None:
        """A worker gets a message, perhaps early, late or again."""
        self.begun += 1
        messages = self.fleet.queue.messages
        message = messages[which % len(messages)]
        if not keep:
            messages.remove(message)
        self.deliver(message, planned, process)

    @rule(planned=PLANS, process=PROCESS, keep=st.booleans())
    def the_next_is_due(self, planned: Any, process: int, *, keep: bool) -> None:
        """Time passes until a connection is due; it is dispatched, and a worker gets its message."""
        self.begun += 1
        due = [record.due_at for name in NAMES if (record := self.fleet.record(name)).due_at]
        self.fleet.pass_time(max(min(due, default=0) - self.fleet.now(), 0))
        with self.world.running(None):
            self.fleet.tick()
        if self.fleet.queue.messages:
            self.message(-1, planned, process, keep=keep)

    def deliver(self, message: Message, planned: Any, process: int) -> None:
        plan = self.plan(planned, message.connection)
        with self.world.running(plan, message.connection, process, by_worker=True):
            self.fleet.work_off(message)

    @rule(use=st.sampled_from(QUESTIONS), name=st.sampled_from(NAMES), planned=PLANS, process=PROCESS)
    def ask(self, use: str, name: str, planned: Any, process: int) -> None:
        """A consumer asks or reports, or an operator forces a refresh."""
        self.begun += 1
        with self.world.running(self.plan(planned, name), name, process):
            self.question(use, name)

    def question(self, use: str, name: str) -> None:
        def answer() -> None:
            opened = self.fleet.opened(name, force=use == "force")
            refresher = self.fleet.refresher(opened.connection, self.fleet.clock)
            if use == "report":
                refresher.report_failure(opened.record.version)
            elif use == "force":
                refresher.force()
            else:
                refresher.live_token()

        self.tolerantly(answer)

    # The world

    @precondition(lambda self: self.fleet.queue.messages)
    @rule(which=WHICH, all_of_them=st.booleans())
    def the_queue_loses(self, which: int, *, all_of_them: bool) -> None:
        messages = self.fleet.queue.messages
        if all_of_them:
            messages.clear()
        else:
            messages.pop(which % len(messages))

    @rule(act=st.sampled_from(ACTS), name=st.sampled_from(NAMES))
    def somebody_acts(self, act: str, name: str) -> None:
        self.world.operate(act, name)

    @rule(mood=st.sampled_from(["works", "works", *MOODS]))
    def the_providers_change(self, mood: str) -> None:
        self.world.mood = mood

    @rule(provider=st.sampled_from([REUSABLE, ROTATING]), count=st.sampled_from([0, 0, 10]))
    def others_fail(self, provider: str, count: int) -> None:
        """The refreshes of other connections fail, so the provider may be braked."""
        self.fleet.fail(count, provider)

    @rule(seconds=st.sampled_from([1, 21, 61, 330, 330, 1200, 3600, 20_000]))
    def time_passes(self, seconds: int) -> None:
        self.fleet.pass_time(seconds)

    # What holds

    @invariant()
    def each_is_in_its_index(self) -> None:
        for name in self.world.grants:
            item, record = self.fleet.table.items[name], self.fleet.record(name)
            if record.state.is_kept_alive:
                assert {"slot", "dueAt"} <= item.keys(), "none is forgotten"
                assert record.due_at
                assert record.due_at <= self.fleet.now() + LOOK_AGAIN.total_seconds()
            else:
                assert not {"slot", "dueAt"} & item.keys()
            assert ("trouble" in item) == (record.state is not State.ACTIVE)

    @precondition(lambda self: self.begun >= 6)
    @rule()
    def all_is_well_in_the_end(self) -> None:
        """Nothing goes wrong any more: dispatchers and workers do their work."""
        self.begun = 0
        self.world.mood = "works"
        began, deaths = self.fleet.clock.now(), self.world.deaths.copy()
        while waiting := [name for name in NAMES if self.must_be_refreshed(name)]:
            due = min(self.fleet.record(name).due_at or 0 for name in waiting)
            self.fleet.clock.time += timedelta(seconds=max(due - self.fleet.now(), 1))
            with self.world.running(None):
                self.fleet.tick()
            while self.fleet.queue.messages:
                self.deliver(self.fleet.queue.messages.pop(0), None, 0)
            assert self.fleet.clock.now() - began < MAX_HEALING, f"none is forgotten: {waiting}"
        assert max((self.world.deaths - deaths).values(), default=0) <= 3, "a poison stops after three deaths"
        for name in NAMES:
            self.says_why(name)

    def must_be_refreshed(self, name: str) -> bool:
        record = self.fleet.record(name)
        return record.state.is_kept_alive and not (record.state is State.ACTIVE and self.world.is_live(name))

    def says_why(self, name: str) -> None:
        world, state = self.world, self.fleet.record(name).state
        match state:
            case State.ACTIVE:
                assert world.is_live(name)
            case State.REFUSED:
                assert world.grants[name].refused
            case State.STUCK:
                assert world.deaths[name] >= 3
            case State.MALFORMED:
                assert (name, "spoil") in world.acts
            case State.PAUSED:
                assert (name, "pause") in world.acts
            case State.REVOKED:
                assert (name, "revoke") in world.acts
            case _:
                raise AssertionError(state)

    # How

    def plan(self, planned: Any, name: str | None = None) -> Plan | None:
        """Return the plan of a run that serves a connection. What happens meanwhile is mostly about the same one."""
        if planned is None:
            return None
        at, order, what, which = planned
        other = NAMES[which % len(NAMES)] if name is None or which == 0 else name
        return Plan(at, order, lambda: self.meanwhile(what, other))

    def meanwhile(self, what: str, name: str) -> None:
        """Let something happen, from beginning to end, in another process."""
        if what in ACTS:
            self.world.operate(what, name)
        elif what == "tick":
            with self.world.running(None):
                self.fleet.dispatcher().tick()
        elif what in QUESTIONS:
            with self.world.running(None, name, 1):
                self.question(what, name)
        elif messages := [one for one in self.fleet.queue.messages if one.connection == name]:
            self.deliver(messages[0], None, 1)

    @staticmethod
    def tolerantly(call: Any) -> None:
        with suppress(RefreshTokenError):
            call()


def budget(examples: int) -> settings:
    once = settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    return settings(once, max_examples=examples, stateful_step_count=40, phases=(Phase.generate, Phase.shrink))


def test_each_ends_live_or_says_why() -> None:
    run_state_machine_as_test(FleetModel, settings=budget(120))
