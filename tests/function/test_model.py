"""The refresh under concurrency, crashes, faults and operators, as a state machine that hypothesis drives.

``simulation.py`` checks at every effect what must be true of it: who holds the claim, what may be sent to the issuer,
and what may be stored. This module checks what callers get:

- A reported version is not served to whoever reported it, unless it is new. What is served as ``fresh`` or ``due`` has
  not expired at the issuer, whose clock may be five minutes off. (The report of an older version gets the current token
  without a refresh, and may be those five minutes late; the next report heals that.)
- Whatever has happened, once claims and cooldowns are over, one report of the current version (or a force) makes the
  stored token the issuer's live one. If the grant was revoked or the secret is no pair, it says so and changes nothing.

What a refresh stores is live unless someone got another token out of band: a person who signed in, the bare operation
with another token, an operator whose pair was then refreshed. The clocks of Lambda's hosts and of DynamoDB agree, and a
killed invocation sends nothing more.
"""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from refresh_token.adapters.item_tokens import PLACEHOLDER, ItemTokens
from refresh_token.core.claims import HeldClaim
from refresh_token.core.connections import Connection
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.grants import Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresh_once import RefreshOnce
from refresh_token.core.refresher import Refresher
from refresh_token.core.results import LiveToken
from refresh_token.core.secret_format import parser_for
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.core.windows import WindowSettings
from refresh_token.errors import (
    ConfigurationException,
    InvalidParameterException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
)
from refresh_token.fleet import writes
from refresh_token.fleet.update import Condition, equals
from tests.support.faked_core import GRANT_THAT, build_core
from tests.support.fakes import ISSUED_BY
from tests.support.item_simulation import ItemSimulation
from tests.support.simulation import (
    SKEW,
    Invocation,
    Order,
    SimulatedClock,
    SimulatedIssuer,
    SimulatedStore,
    Simulation,
)
from tests.support.windows import WINDOWS

pytestmark = pytest.mark.no_cover  # it would take half as long again, for lines that the other tests run anyway

MAX_RUNNING = 4
MAX_INVOCATION = 60.0
ALL_OVER = timedelta(minutes=17)
"""After this every claim, every cooldown and every record of a success has expired."""

USES = ("ask", "report current", "report old", "force", "tick", "exchange stored", "exchange other")
PEOPLE = (
    "sign in",
    "sign in, which revokes the grants before",
    "store",
    "store without the expiry",
    "edit a note",
    "make an old version current",
    "store what is no pair",
    "revoke the grant",
)
NO_PAIR = "no pair"
STEPS = st.integers(min_value=0, max_value=6)
WHO = st.integers(min_value=0, max_value=MAX_RUNNING - 1)


class RefreshModel(RuleBasedStateMachine):
    """Issuer, store, lock and clock; invocations that interleave; operators; everything that goes wrong."""

    windows: ClassVar[WindowSettings] = WINDOWS
    single_use: ClassVar[bool] = False
    spends: ClassVar[Spends] = "refresh_token"
    refusal: ClassVar[type[RefreshTokenError]] = ReauthorizationRequiredException
    make_world: ClassVar[type[Simulation]] = Simulation
    uses: ClassVar[tuple[str, ...]] = USES

    def __init__(self) -> None:
        super().__init__()
        self.world = self.make_world()
        self.numbers = count(1)
        self.in_hand: TokenPair | None = None
        self.note = 0
        self.begun = 0
        self.processes = ProcessMemory(), ProcessMemory()
        """Two processes, which take turns."""
        self.world.grants.single_use, self.world.grants.spends = self.single_use, self.spends
        self.world.parse = parser_for(GRANT_THAT[self.spends], PROVIDER)

    @initialize(
        skew=st.sampled_from([-SKEW, timedelta(), SKEW]),
        form=st.sampled_from(["duration", "seconds", "milliseconds", "text", "none"]),
        lifetime=st.sampled_from([timedelta(days=90), timedelta(hours=1)]),
        client_id=st.sampled_from(["client-1", None]),
    )
    def seed(self, skew: timedelta, form: str, lifetime: timedelta, client_id: str | None) -> None:
        grants = self.world.grants
        grants.skew, grants.form, grants.lifetime = skew, form, lifetime
        self.store_by_hand(replace(self.sign_in(), client_id=client_id))

    # Invocations

    @precondition(lambda self: len(self.world.running) < MAX_RUNNING)
    @rule(number=st.integers(0, len(USES) - 1), seconds=st.sampled_from([MAX_INVOCATION, 12.0]), steps=STEPS)
    def begin(self, number: int, seconds: float, steps: int) -> None:
        self.begun += 1
        one = self.start(self.uses[number % len(self.uses)], seconds)
        for _ in range(steps):
            self.step(one)

    @precondition(lambda self: self.world.running)
    @rule(who=WHO, steps=STEPS)
    def go_on(self, who: int, steps: int) -> None:
        one = self.one(who)
        for _ in range(1 + steps):
            self.step(one)

    @precondition(lambda self: self.world.running)
    @rule(who=WHO, order=st.sampled_from([Order.FAIL, Order.LOSE, Order.KILL]))
    def go_wrong(self, who: int, order: Order) -> None:
        self.step(self.one(who), order)

    @rule(seconds=st.sampled_from([1, 11, 40, 61]))
    def a_while_passes(self, seconds: int) -> None:
        self.pass_time(timedelta(seconds=seconds))

    @precondition(lambda self: self.begun >= 2)
    @rule(share=st.sampled_from([0.3, 0.7, 0.95]))
    def most_of_a_life_passes(self, share: float) -> None:
        self.begun = 0
        self.let_all_end()
        self.pass_time(self.world.grants.lifetime * share)

    @precondition(lambda self: self.begun >= 2)
    @rule(minutes=st.sampled_from([-7, -3, 3]))
    def the_end_of_the_live_token_is_near_or_just_past(self, minutes: int) -> None:
        self.begun = 0
        self.let_all_end()
        end = self.world.grants.ends[self.world.grants.live] + timedelta(minutes=minutes)
        self.pass_time(max(end - self.world.time, timedelta()))

    # People

    @rule(what=st.sampled_from(PEOPLE), number=st.integers(min_value=0, max_value=7))
    def somebody_acts(self, what: str, number: int) -> None:
        world, text = self.world, self.world.versions[self.world.current]
        self.note += 1
        match what:
            case "sign in":
                self.sign_in()
            case "sign in, which revokes the grants before":
                world.grants.valid.clear()
                self.sign_in()
            case "store":
                self.store_by_hand(self.in_hand or self.sign_in())
            case "store without the expiry":
                self.store_by_hand(replace(self.in_hand or self.sign_in(), expires_at=None, refreshed_at=None))
            case "edit a note" if text != NO_PAIR:
                self.put_by_hand(json.dumps({**json.loads(text), "note": self.note}))
            case "make an old version current":
                world.by_hand(list(world.versions)[-1 - number % len(world.versions)])
            case "store what is no pair" if number == 0:
                self.put_by_hand(NO_PAIR)
            case "revoke the grant" if number == 0:
                world.grants.valid.clear()

    @rule(rotates=st.booleans(), nonsense=st.sampled_from([True, *[False] * 5]))
    def issuer_changes(self, *, rotates: bool, nonsense: bool) -> None:
        self.world.grants.rotates, self.world.grants.nonsense = rotates, nonsense

    # What holds

    @precondition(lambda self: self.begun >= 4)
    @rule(use=st.sampled_from(["report current", "force"]))
    def one_refresh_heals_whatever_has_happened(self, use: str) -> None:
        world = self.world
        self.begun = 0
        self.let_all_end()
        self.pass_time(ALL_OVER)
        world.grants.nonsense = False
        before, live = world.current, world.grants.live
        healer = self.start(world.healing(use), MAX_INVOCATION)
        self.let_all_end()
        if world.versions[before] == NO_PAIR:
            self.refused(healer, SecretMalformedException, before, live)
        elif not world.takes(world.spent_of(world.pair(before))):
            self.refused(healer, self.refusal, before, live)
        else:
            assert isinstance(healer.result, LiveToken), f"it heals, and not: {healer.error!r}"
            assert healer.result.stored.version_id == world.current != before, "it heals by a new version"
            assert healer.result.state == "fresh", "it heals by a fresh token"
            tokens = {self.access(healer), world.pair(world.current).access_token, world.grants.live}
            assert len(tokens) == 1, "it heals: what is stored and handed out is the issuer's live token"

    def teardown(self) -> None:
        for one in list(self.world.running):
            self.step(one, Order.KILL)

    # How

    def start(self, use: str, seconds: float) -> Invocation:
        world, memory = self.world, self.processes[self.begun % 2]
        seen = world.current
        old = next(iter(world.versions))
        stored_token = "nothing" if world.versions[seen] == NO_PAIR else world.pair(seen).refresh_token
        other_token = min(world.grants.valid, default="nobody's")

        def run(me: Invocation) -> object:
            (store, lock), issuer = world.ports(me), SimulatedIssuer(world, me)
            refresher = build_core(
                Connection(
                    name=None,
                    store=store,
                    windows=replace(self.windows, margin=world.margin),
                    policy="demand" if world.on_demand else "always",
                    grant_life=GrantLife(idle=world.idle),
                    make_lock=lambda: lock,
                    make_issuer=lambda: issuer,
                ),
                SimulatedClock(world, me),
                me.telemetry,
                memory,
                lambda _: f"ours-{next(self.numbers)}",
            )
            uses: dict[str, Any] = {
                "ask": refresher.live_token,
                "report current": partial(refresher.report_failure, seen),
                "report old": partial(refresher.report_failure, old),
                "force": refresher.force,
                "tick": refresher.tick,
                "exchange stored": partial(refresher.exchange, stored_token, "client-2"),
                "exchange other": partial(refresher.exchange, other_token, None),
            }
            return uses[use]()

        reported = {"report current": seen, "report old": old}.get(use)
        deadline = world.time + timedelta(seconds=seconds)
        one = Invocation(
            run=run, use=use, issued_by=world.issued_by, deadline=deadline, memory=memory, reported=reported
        )
        world.running.append(one)
        return one

    def one(self, who: int) -> Invocation:
        return self.world.running[who % len(self.world.running)]

    def let_all_end(self) -> None:
        while self.world.running:
            self.step(self.world.running[0])

    def step(self, one: Invocation, order: Order = Order.GO) -> None:
        """Let an invocation go on to its next port call; what it waits for happens, its time may run out."""
        if one.at and one.wakes and order is not Order.KILL:
            self.pass_time(max(one.wakes - self.world.time, timedelta()))
        if one.at:
            one.proceed(order)
            self.settle(one)

    def pass_time(self, time: timedelta) -> None:
        self.world.time += time
        for one in list(self.world.running):
            if self.world.time >= one.deadline:
                one.proceed(Order.KILL)
                self.settle(one)

    def settle(self, one: Invocation) -> None:
        """Judge an invocation that has come to its end."""
        if one.at:
            return
        self.world.running.remove(one)
        if one.error and not isinstance(one.error, RefreshTokenError):
            raise one.error
        may_be_wrong = one.use.startswith("exchange")
        assert may_be_wrong or not isinstance(one.error, InvalidParameterException), "only a request can be wrong"
        if isinstance(one.result, LiveToken):
            left = self.world.grants.ends[self.access(one)] - self.world.time
            least = one.result.expires_in - (SKEW + timedelta(minutes=1)).total_seconds()
            assert least <= left.total_seconds(), "no more time is promised than is left, but for the clocks"
            least_left = timedelta() if one.reported is None else -SKEW
            assert one.result.state == "degraded" or left > least_left, "nothing expired is handed out as alive"
            # If somebody makes the reported version current again during the refresh, theirs stays.
            overtaken = one.disturbed or "superseded" in one.telemetry.names()
            again = one.result.stored.version_id == one.reported and not overtaken
            damped = "report_damped" in one.telemetry.names()
            latest = self.world.time - timedelta(seconds=30 + MAX_INVOCATION)
            issued = one.result.stored.pair.refreshed_at or latest
            assert not damped or issued > latest, "a report of an old token is heard"
            assert damped or not again, "a dead token is not handed out again"

    @staticmethod
    def access(one: Invocation) -> str:
        assert isinstance(one.result, LiveToken)
        return one.result.stored.pair.access_token

    def refused(self, one: Invocation, error: type[RefreshTokenError], current: str, live: str) -> None:
        assert type(one.error) is error, f"it says so, and not: {one.error!r}"
        assert (self.world.current, self.world.grants.live) == (current, live), "and nothing has changed"

    def sign_in(self) -> TokenPair:
        self.in_hand = replace(self.world.grants.sign_in(self.world.time), unknown={"note": self.note})
        self.world.disturb()
        return self.in_hand

    def store_by_hand(self, pair: TokenPair) -> None:
        self.put_by_hand(pair.to_json())
        self.in_hand = None

    def put_by_hand(self, text: str) -> None:
        version = f"by-hand-{next(self.numbers)}"
        self.world.put(version, text, at=self.world.time)
        self.world.by_hand(version)


def budget(examples: int, *phases: Phase) -> settings:
    once = settings(derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    return settings(once, max_examples=examples, stateful_step_count=50, phases=phases)


def test_nothing_is_lost_and_one_refresh_heals() -> None:
    run_state_machine_as_test(RefreshModel, settings=budget(200, Phase.generate, Phase.shrink))


class RotatingModel(RefreshModel):
    """The same with an issuer whose refresh tokens are good for one call: one that comes again revokes the grant.

    More is checked at the issuer, in ``simulation.py``: nobody asks it for a version whose successor was written. And
    less holds: an answer that was lost, or was not written before its process died, takes a person.
    """

    single_use = True

    @precondition(lambda self: self.begun >= 4)
    @rule(use=st.sampled_from(["report current", "force"]))
    def one_refresh_heals_whatever_has_happened(self, use: str) -> None:
        world = self.world
        self.begun = 0
        self.let_all_end()
        self.pass_time(ALL_OVER)
        world.grants.nonsense = False
        before, live = world.current, world.grants.live
        if world.versions[before] != NO_PAIR and world.pair(before).issued_by not in {None, world.issued_by}:
            healer = self.start(use, MAX_INVOCATION)
            self.let_all_end()
            self.refused(healer, ConfigurationException, before, live)
            return
        waits = world.waits_for(before) if world.versions[before] != NO_PAIR else None
        left_over = self.processes[self.begun % 2].successor_of(before)
        healer = self.start(world.healing(use), MAX_INVOCATION)
        self.let_all_end()
        if isinstance(healer.result, LiveToken):
            assert healer.result.stored.version_id == world.current != before, "it heals by a new version"
            assert world.pair(world.current).access_token == self.access(healer)
            if waits and not left_over:
                assert world.current == waits or waits in world.succeeded, "what was written is not given up"
        else:
            assert isinstance(healer.error, ReauthorizationRequiredException | SecretMalformedException), "it says so"
            assert not waits, "what was written is not given up"
            assert world.current == before


def test_no_spent_refresh_token_is_sent_again() -> None:
    run_state_machine_as_test(RotatingModel, settings=budget(150, Phase.generate, Phase.shrink))


class ExchangeModel(RotatingModel):
    """The same with access tokens that are exchanged for the next one, once each and only while they live."""

    spends = "access_token"


class AppModel(RefreshModel):
    """The app's credentials are enough. The secret begins empty, and a refusal asks nobody to sign in."""

    spends = "nothing"
    refusal = ConfigurationException

    def sign_in(self) -> TokenPair:
        """Return what there is before the first look."""
        self.in_hand = replace(super().sign_in(), access_token="", expires_at=None, refreshed_at=None)
        return self.in_hand


@pytest.mark.parametrize("model", [ExchangeModel, AppModel])
def test_grants_without_refresh_tokens_lose_nothing(model: type[RefreshModel]) -> None:
    run_state_machine_as_test(model, settings=budget(200, Phase.generate, Phase.shrink))


class SettingsModel(RotatingModel):
    """The same with odd answers, with settings about when to refresh, and with operators who deploy another issuer.

    More is checked in ``simulation.py``: nothing is sent to another issuer than the pair's, no refresh that nobody
    demands is earlier than the margin, and ticks leave to consumers what they should.
    """

    @initialize(
        form=st.sampled_from(["text", "float", "negative", "words", "none"]),
        token_type=st.sampled_from([None, "BearerToken", 1]),
        margin=st.sampled_from([timedelta(), timedelta(minutes=1), timedelta(days=1)]),
        idle=st.sampled_from([None, timedelta(days=40)]),
        on_demand=st.booleans(),
        lifetime=st.sampled_from([timedelta(days=90), timedelta(hours=1)]),
    )
    def seed(self, form: str, token_type: object, lifetime: timedelta, **settings: Any) -> None:
        grants = self.world.grants
        grants.form, grants.token_type, grants.lifetime = form, token_type, lifetime
        for name, setting in settings.items():
            setattr(self.world, name, setting)
        self.store_by_hand(self.sign_in())

    @precondition(lambda self: self.begun >= 3)
    @rule(issued_by=st.sampled_from([ISSUED_BY, IssuedBy("oauth2", "elsewhere.example")]))
    def another_issuer_is_deployed(self, issued_by: IssuedBy) -> None:
        self.world.issued_by = issued_by


def test_no_refresh_goes_elsewhere_or_comes_early() -> None:
    run_state_machine_as_test(SettingsModel, settings=budget(100, Phase.generate, Phase.shrink))


ITEM_USES = tuple(use for use in USES if not use.startswith("exchange"))


class ItemModel(RefreshModel):
    """The same on an item of a fleet. Nobody can ask it for a bare operation."""

    make_world = ItemSimulation
    uses = ITEM_USES


class RotatingItemModel(RotatingModel):
    """The same with refresh tokens that are good for one call."""

    make_world = ItemSimulation
    uses = ITEM_USES


class ItemOfAppModel(AppModel):
    """The same with the app's credentials alone."""

    make_world = ItemSimulation
    uses = ITEM_USES


class AskedItemModel(ItemModel):
    """One that is asked more often, and so in a cooldown."""

    uses = ("ask", "tick", "force")


@pytest.mark.parametrize("model", [ItemModel, RotatingItemModel, ItemOfAppModel])
def test_an_item_loses_nothing_either(model: type[RefreshModel]) -> None:
    run_state_machine_as_test(model, settings=budget(100, Phase.generate, Phase.shrink))


# What the model must notice: each of these breaks one promise.
# (name, what to break, how, the promise)
BROKEN: dict[str, tuple[type, str, object, str]] = {
    "no compare and swap": (
        *(SimulatedStore, "move", lambda store, expected, version_id: store.make_current(version_id)),  # noqa: ARG005
        "an operator's pair is never overwritten",
    ),
    "makes no claim": (
        *(RefreshOnce, "_claim", lambda once, version_id, **_: HeldClaim(version_id, once.connection.lock)),
        "without a claim",
    ),
    "refreshes new tokens": (Refresher, "_is_new", lambda *_: False, "a report of a new token refreshes nothing"),
    "takes all tokens for new": (Refresher, "_is_new", lambda *_: True, "a report of an old token is heard"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_the_model_notices(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, method, replacement, promise = BROKEN[broken]
    monkeypatch.setattr(owner, method, replacement)
    with pytest.raises(AssertionError, match=promise):
        run_state_machine_as_test(RefreshModel, settings=budget(1500, Phase.generate))


ALWAYS = Condition("attribute_exists(#pk)", {"n": "N", "now": 0})
STORED = ItemTokens.stored
BROKEN_ITEM: dict[str, tuple[type[RefreshModel], object, str, object, str]] = {
    "stores whatever is there": (
        *(ItemModel, writes, "equals", lambda **values: ALWAYS if values.keys() == {"version"} else equals(**values)),
        "an operator's pair is never overwritten",
    ),
    "claims what is claimed": (ItemModel, writes, "free", lambda _: ALWAYS, "a claim has one holder at a time"),
    "hears no cooldown": (AskedItemModel, writes, "_COOL", "attribute_exists(#pk)", "in a cooldown consumers do not"),
    "keeps the old refresh token": (
        *(RotatingItemModel, ItemTokens, "stored"),
        lambda own, name, pair, _, deadline: STORED(own, name, pair, pair.refresh_token, deadline),
        "the refresh token is never lost",
    ),
    "sends the placeholder": (
        *(ItemModel, ItemTokens, "opened", lambda *_: PLACEHOLDER),
        "it heals|only the version|a placeholder",
    ),
}


@pytest.mark.parametrize("broken", BROKEN_ITEM)
def test_the_model_notices_on_an_item(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, owner, name, replacement, promise = BROKEN_ITEM[broken]
    monkeypatch.setattr(owner, name, replacement)
    with pytest.raises(AssertionError, match=promise):
        run_state_machine_as_test(model, settings=budget(1500, Phase.generate))
