"""One refresh per version: claims, losers, crashes, cooldowns, the write."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from refresh_token import errors
from refresh_token.core.claimed_refresh import Outcome
from refresh_token.core.claims import Failure
from refresh_token.core.failed_call import COOLDOWN, COOLDOWN_REFUSED
from refresh_token.core.grants import Spends
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import StoredPair
from refresh_token.core.time_budget import CLOSE_RESERVE, MIN_CALL_TIME, WRITE_RESERVE
from tests.support.faked_core import World, pair
from tests.support.fakes import ISSUED_BY, NOW
from tests.support.windows import MANDATORY

DOWN = errors.IssuerUnavailableException("down")
NONSENSE = errors.IssuerProtocolException("odd")
REFUSED = errors.ReauthorizationRequiredException("refused")
NOT_STORED = errors.TokenNotStoredException("denied")
UNREADABLE = errors.SecretUnavailableException("denied")
RECENT = Failure(DOWN.reason, NOW + COOLDOWN)
REFUSED_FOR_HOURS = (
    "The issuer has refused the refresh token 3 times since 2026-11-23T12:00:00Z, without a reason. A person must sign "
    "in again and store the new pair, unless a firewall or a rate limit answers instead of the issuer: then fix that. "
    "Nothing was deleted."
)
PUT_BACK = (
    "The current version was refreshed less than two minutes ago, and someone has made it current again since. Try "
    "again in two minutes."
)
IN_PROGRESS = "The token is being refreshed by another invocation, which did not finish in time. Try again."
TOO_LITTLE = (
    "Too little time is left in this invocation to start a refresh. "
    "Try again; if this persists, raise the function's timeout."
)

REFRESHED: dict[str, Any] = {"refreshed_at": NOW, "granted_at": NOW, "issued_by": ISSUED_BY}


def refresh(world: World, seen: StoredPair | None = None, *, ignore_cooldown: bool = False) -> Outcome:
    return world.once.refresh(seen or world.store.read(), ignore_cooldown=ignore_cooldown)


def fails(world: World, error: errors.RefreshTokenError, seen: StoredPair | None = None, **how: bool) -> str:
    """Refresh, which raises the kind of an error; return the message."""
    with pytest.raises(errors.RefreshTokenError) as caught:
        refresh(world, seen, **how)
    assert type(caught.value) is type(error)
    return str(caught.value)


def fails_at_the_issuer(world: World, *faults: errors.RefreshTokenError) -> None:
    for fault in faults:
        world.issuer.fault = fault
        fails(world, fault, ignore_cooldown=True)
    world.issuer.fault = None


def reported(fault: errors.RefreshTokenError) -> list[tuple[str, dict[str, object]]]:
    return [("refresh_failed", {"reason": fault.reason, "version_id": "V1", "first": True})]


class TestWinner:
    def test_stores_and_returns_the_new_pair(self) -> None:
        world = World.with_token("mandatory")
        outcome = refresh(world)
        new = pair(access_token="access-1", expires_at=NOW + timedelta(days=90), **REFRESHED)
        assert outcome == Outcome(StoredPair("V2", new), IssuedToken(access_token="access-1", expires_in=7_776_000))
        assert world.store.read() == outcome.stored
        assert world.lock.state() == "done"
        assert world.telemetry.reports == [("refreshed", {"old": "V1", "new": "V2", "recovered_from": None})]

    def test_reads_twice_calls_once_writes_once(self) -> None:
        world = World.with_token("mandatory")
        world.clock.left = 30
        refresh(world)
        assert world.store.steps == ["read", "read", "put", "move"]
        assert world.issuer.calls == [("refresh-1", "client-1", 30 - WRITE_RESERVE)]
        assert world.store.seconds == [30 - CLOSE_RESERVE]

    def test_makes_the_successors_id_from_the_version(self) -> None:
        world = World.with_token("mandatory")
        once = replace(world.once, new_version_id=lambda version_id: f"after-{version_id}")
        assert once.refresh(world.store.read(), ignore_cooldown=False).stored.version_id == "after-V1"

    def test_caps_and_reports_an_expiry_too_far_ahead(self) -> None:
        world = World.with_token("mandatory")
        world.issuer.expires_in = 500 * 24 * 3600
        assert refresh(world).stored.pair.expires_at == NOW + timedelta(days=400)
        assert "expiry_capped" in world.telemetry.names()

    @pytest.mark.parametrize("expires_in", [0, -5, int(NOW.timestamp()), "soon", None])
    def test_guesses_an_expiry_that_is_not_said(self, expires_in: object) -> None:
        world = World.with_token("mandatory")
        world.issuer.expires_in = expires_in
        assert refresh(world).stored.pair.expires_at == NOW + timedelta(days=90)
        assert "expiry_not_said" in world.telemetry.names()

    def test_gives_way_to_an_operators_pair(self) -> None:
        world = World.with_token("expired")
        world.issuer.while_calling = lambda: world.store.put("by-hand", pair("fresh"))
        assert refresh(world).stored.version_id == world.store.current == "by-hand"
        assert world.telemetry.reports == [("superseded", {"version_id": "V1"})]
        assert world.memory.is_dead("V1")


class TestLoser:
    @pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
    def test_waits_ever_longer_for_the_winners_version(self, jitter: float, share: float) -> None:
        world = World.with_token("mandatory")
        seen = world.store.read()
        world.lock.hold()
        world.clock.while_asleep = lambda: world.store.put("V9", pair()) if len(world.clock.slept) == 7 else None
        once = replace(world.once, jitter=lambda: jitter)
        assert once.refresh(seen, ignore_cooldown=False).stored.version_id == "V9"
        pauses = [0.2, 0.32, 0.512, 0.8192, 1.31072, 2.0, 2.0]
        assert world.clock.slept == pytest.approx([pause * share for pause in pauses])
        assert world.issuer.calls == []

    def test_that_comes_late_reads_again(self) -> None:
        world = World.with_token("mandatory")
        seen = world.store.read()
        world.store.put("V9", pair())
        assert refresh(world, seen).stored.version_id == "V9"
        assert world.issuer.calls == []
        assert world.lock.state() == "done"

    @pytest.mark.parametrize("done", [False, True])
    def test_asks_again_when_its_time_runs_out(self, *, done: bool) -> None:
        world = World.with_token("mandatory")
        if done:
            world.lock.record_success("V1")
        else:
            world.lock.hold(seconds=1000)
        assert fails(world, errors.RefreshInProgressException("")) == (PUT_BACK if done else IN_PROGRESS)
        assert world.issuer.calls == []
        assert world.clock.left > 0

    @pytest.mark.parametrize("ignore_cooldown", [False, True])
    def test_shares_the_winners_failure(self, *, ignore_cooldown: bool) -> None:
        """Two simultaneous ticks make one attempt."""
        world = World.with_token("mandatory")
        world.lock.hold()
        world.clock.while_asleep = lambda: world.lock.record_failure("V1", RECENT)
        fails(world, DOWN, ignore_cooldown=ignore_cooldown)
        assert world.issuer.calls == []


class TestTooLittleTime:
    def test_begins_nothing_not_even_a_claim(self) -> None:
        world = World.with_token("mandatory")
        world.clock.left = WRITE_RESERVE + 1
        world.lock.fault = DOWN
        assert fails(world, errors.RefreshInProgressException("")) == TOO_LITTLE

    def test_just_enough_is_enough(self) -> None:
        world = World.with_token("mandatory")
        world.clock.left = WRITE_RESERVE + MIN_CALL_TIME
        refresh(world)
        assert world.issuer.calls == [("refresh-1", "client-1", MIN_CALL_TIME)]


class TestReleasedClaim:
    """The attempt ends right after the claim, and an earlier failure applies again."""

    @pytest.mark.parametrize("before", [None, Failure(REFUSED.reason, NOW, refused=True)], ids=["nothing", "failure"])
    @pytest.mark.parametrize("why", ["unreadable", "pending unreadable", "too late", "client id refused"])
    def test_leaves_what_was_before(self, why: str, before: Failure | None) -> None:
        world = rotating(client_id=None)
        if before:
            world.lock.record_failure("V1", before)
        seen, error = world.store.read(), errors.RefreshTokenError
        match why:
            case "unreadable":
                world.store.faults, error = {"read": [UNREADABLE]}, errors.SecretUnavailableException
            case "pending unreadable":
                world.store.faults, error = {"read pending": [UNREADABLE]}, errors.SecretUnavailableException
            case "too late":
                world.store.while_reading = lambda: world.clock.pass_time(53)
                error = errors.RefreshInProgressException
            case "client id refused":
                world.issuer.fault, error = REFUSED, errors.ReauthorizationRequiredException
        with pytest.raises(error) as caught:
            world.once.refresh(seen, ignore_cooldown=False, client_id="the caller's")
        assert world.lock.state() == before
        assert world.telemetry.reports == []
        assert len(world.issuer.calls) == (why == "client id refused")
        assert why != "too late" or str(caught.value) == TOO_LITTLE

    def test_keeps_what_a_tick_knows_to_be_lost(self) -> None:
        world = World.with_token("fresh")
        world.lock.hold(seconds=0)
        lost, known = world.once.last_failure("V1")
        assert known
        assert lost == Failure(NOT_STORED.reason, NOW, lost=True)
        world.clock.pass_time(1)
        seen, world.store.faults = world.store.read(), {"read": [UNREADABLE]}
        with pytest.raises(errors.SecretUnavailableException):
            world.once.refresh(seen, ignore_cooldown=True, lost=lost)
        assert world.lock.state() == lost


class TestFailure:
    @pytest.mark.parametrize(
        ("fault", "cooldown", "what_now"),
        [
            (DOWN, timedelta(seconds=60), "Try again after that."),
            (NONSENSE, timedelta(seconds=60), "See the function's log for that attempt."),
            (REFUSED, timedelta(minutes=15), "A person must sign in again and store the new pair."),
        ],
        ids=lambda value: getattr(value, "reason", None),
    )
    def test_keeps_consumers_away(self, fault: errors.RefreshTokenError, cooldown: timedelta, what_now: str) -> None:
        world = World.with_token("expired")
        fails_at_the_issuer(world, fault)
        assert world.telemetry.reports == reported(fault)
        assert world.store.current == "V1"
        world.clock.time = NOW + cooldown - timedelta(seconds=1)
        assert fails(world, fault) == (
            f"The last refresh of this version failed ({fault.reason}). Consumers cannot cause another attempt before "
            f"2026-11-23T12:{cooldown.seconds // 60:02}:00Z. {what_now}"
        )
        assert len(world.issuer.calls) == 1
        world.clock.time = NOW + cooldown
        refresh(world)

    def test_before_anything_was_sent_keeps_nobody_away(self) -> None:
        world = World.with_token("expired")
        fails_at_the_issuer(world, errors.ConfigurationException("no app", unsent=True))
        assert world.lock.state() == Failure("ConfigurationException", NOW)
        refresh(world)

    @pytest.mark.parametrize(
        ("faults", "firsts"),
        [
            ((REFUSED, REFUSED, REFUSED), [True, False, False]),
            ((DOWN, REFUSED), [True, True]),
            ((REFUSED, DOWN, REFUSED), [True, False, False]),
        ],
        ids=["again", "after another failure", "with another failure between"],
    )
    def test_counts_a_refused_grant_once(
        self, faults: tuple[errors.RefreshTokenError, ...], firsts: list[bool]
    ) -> None:
        world = World.with_token("expired")
        fails_at_the_issuer(world, *faults)
        assert world.telemetry.facts("refresh_failed", "first") == firsts

    @pytest.mark.parametrize(
        ("hours", "reasons"),
        [
            ([0, 1, 5], [DOWN.reason] * 3),
            ([0, 6], [DOWN.reason] * 2),
            ([0, 3, 6, 7], [DOWN.reason, DOWN.reason, REFUSED.reason, REFUSED.reason]),
        ],
        ids=["too soon", "too few", "both"],
    )
    def test_without_a_reason_becomes_a_persons_matter(self, hours: list[int], reasons: list[str]) -> None:
        world = World.with_token("expired")
        world.issuer.fault = errors.IssuerUnavailableException("no reason")
        world.issuer.fault.unexplained = True
        messages = []
        for hour in hours:
            world.clock.time, world.clock.left = NOW + timedelta(hours=hour), 60
            with pytest.raises(errors.RefreshTokenError) as caught:
                refresh(world, ignore_cooldown=True)
            messages.append(str(caught.value))
        assert world.telemetry.facts("refresh_failed", "reason") == reasons
        assert any(each == REFUSED_FOR_HOURS for each in messages) is (REFUSED.reason in reasons)
        kept = world.lock.state()
        assert isinstance(kept, Failure)
        assert (kept.count, kept.since, kept.refused) == (len(hours), NOW, REFUSED.reason in reasons)

    def test_of_another_kind_is_not_counted(self) -> None:
        world = World.with_token("expired", client_id=None)
        world.issuer.fault = DOWN
        fails(world, DOWN)
        assert world.lock.state() == RECENT
        world.lock.table.clear()
        world.issuer.fault = errors.IssuerUnavailableException("no reason")
        world.issuer.fault.unexplained = True
        with pytest.raises(errors.IssuerUnavailableException):
            world.once.refresh(world.store.read(), ignore_cooldown=True, client_id="the caller's")
        assert world.lock.state() == RECENT, "the caller's client id may be the reason"

    @pytest.mark.parametrize("fault", [DOWN, errors.ConfigurationException("denied")], ids=lambda fault: fault.reason)
    def test_of_the_lock_stops_all_refreshes(self, fault: errors.RefreshTokenError) -> None:
        world = World.with_token("expired")
        world.lock.fault = fault
        fails(world, fault)
        assert world.issuer.calls == []
        assert world.telemetry.reports == reported(fault)

    @pytest.mark.parametrize("fault", [None, REFUSED])
    def test_to_close_the_claim_hides_nothing(self, fault: errors.RefreshTokenError | None) -> None:
        world = World.with_token("expired")
        world.lock.closing_fault, world.issuer.fault = DOWN, fault
        if fault:
            fails(world, fault)
        else:
            assert refresh(world).stored.version_id == "V2"
        assert ("lock_not_closed", {"reason": DOWN.reason, "version_id": "V1"}) in world.telemetry.reports


class TestWrite:
    @pytest.mark.parametrize(("left", "stored"), [(4.2, True), (4.19, False)], ids=["just enough", "too little"])
    def test_repeats_only_what_fits_into_its_time(self, left: float, *, stored: bool) -> None:
        world = World.with_token("expired")
        world.issuer.while_calling = lambda: setattr(world.clock, "left", left)
        world.store.faults = {"put": [NOT_STORED]}
        if stored:
            refresh(world)
        else:
            fails(world, NOT_STORED)
        assert len(world.store.seconds) == 1 + stored

    def test_given_up_leaves_a_reported_failure_without_cooldown(self) -> None:
        world = not_written(World.with_token("expired"))
        assert world.telemetry.reports == reported(NOT_STORED)
        assert world.lock.state() == Failure(NOT_STORED.reason, world.clock.now(), lost=True)
        assert world.memory.is_dead("V1")
        assert world.memory.successor_of("V1") is None, "the issuer can be asked again"
        assert refresh(world).stored.pair.access_token == world.issuer.live == "access-2"
        assert world.telemetry.facts("refreshed", "recovered_from") == [NOT_STORED.reason]


def rotating(**changes: object) -> World:
    """Return a world whose issuer accepts each refresh token once."""
    world = World.with_token("mandatory", **changes)
    world.issuer.rotates, world.issuer.new_refresh_token = True, "refresh-2"
    return world


def not_written(world: World) -> World:
    """Let a refresh end with nothing written; after it, everything can be written again."""
    world.store.faults = {"put": [NOT_STORED] * 50}
    world.clock.left = 20
    fails(world, NOT_STORED)
    assert 3 < world.clock.left < 6.5, "it was repeated as long as time remained"
    assert len(world.issuer.calls) == 1
    world.store.faults, world.clock.left = {}, 60
    return world


class TestPendingSuccessor:
    """An earlier refresh of V1 wrote a pair and did not live to promote it."""

    def left_behind(self, world: World) -> StoredPair:
        successor = StoredPair("V-waiting", pair(access_token="access-w", refresh_token="refresh-w"))
        world.store.secret.put_pending("V-waiting", successor.pair.to_json(), "V1")
        return successor

    def test_is_promoted_instead_of_asking_the_issuer(self) -> None:
        world = rotating()
        successor = self.left_behind(world)
        assert refresh(world) == Outcome(successor)
        assert world.store.read() == successor
        assert world.issuer.calls == []
        assert world.store.steps == ["read", "read", "read pending", "move", "read"]
        assert world.store.seconds == [60 - CLOSE_RESERVE]
        assert world.telemetry.reports == [("refreshed", {"old": "V1", "new": "V-waiting", "recovered_from": None})]
        assert world.lock.state() == "done"

    def test_is_ignored_if_refresh_tokens_are_reusable(self) -> None:
        world = World.with_token("mandatory")
        self.left_behind(world)
        assert refresh(world).stored.pair.access_token == "access-1"
        assert "read pending" not in world.store.steps


class TestAnswerWithoutAccessToken:
    """The issuer replaced the refresh token, and its answer holds no usable access token."""

    def world(self, **changes: object) -> World:
        world = rotating(**changes)
        world.issuer.unusable = True
        return world

    @pytest.mark.parametrize("access_token", ["access-0", ""])
    def test_the_new_refresh_token_is_stored(self, access_token: str) -> None:
        world = self.world(access_token=access_token)
        fails(world, NONSENSE)
        stored = world.store.read()
        assert (stored.version_id, stored.pair.refresh_token) == ("V2", "refresh-2")
        assert (stored.pair.access_token, stored.pair.client_id) == (access_token, "client-1")
        assert stored.pair.issued_by == ISSUED_BY
        assert stored.pair.expires_at == (NOW if access_token else None)
        assert world.telemetry.reports == reported(NONSENSE)
        assert (world.lock.state("V1"), world.lock.state("V2")) == ("done", Failure(NONSENSE.reason, NOW + COOLDOWN))

    def test_consumers_get_an_error_until_it_works(self) -> None:
        world = self.world()
        for _ in range(2):
            with pytest.raises(errors.IssuerProtocolException):
                world.refresher.live_token()
        assert len(world.issuer.calls) == 1, "the second one falls into the cooldown"
        world.issuer.unusable = False
        world.issuer.new_refresh_token = "refresh-3"
        assert world.refresher.tick().stored.pair.refresh_token == "refresh-3"
        assert [sent for sent, _, _ in world.issuer.calls] == ["refresh-1", "refresh-2"]
        assert world.refresher.live_token().state == "fresh"

    def test_is_kept_in_memory_if_not_stored(self) -> None:
        world = not_written(self.world())
        world.issuer.unusable = False
        assert world.refresher.force().stored.pair.access_token == "access-2"
        assert [sent for sent, _, _ in world.issuer.calls] == ["refresh-1", "refresh-2"]

    def test_leaves_a_failure_of_somebody_else_alone(self) -> None:
        world, theirs = self.world(), Failure(REFUSED.reason, NOW + COOLDOWN_REFUSED, refused=True)
        world.issuer.while_calling = lambda: world.lock.record_failure("V2", theirs)
        fails(world, NONSENSE)
        assert world.lock.state("V2") == theirs


class TestExchangedToken:
    """The access token itself is good for one call, which answers with the next one."""

    def world(self, window: str = "mandatory") -> World:
        world = World.spending("access_token", window)
        world.issuer.rotates = True
        return world

    def test_that_was_not_written_is_not_exchanged_again(self) -> None:
        world = not_written(self.world())
        assert world.lock.state() == Failure(NOT_STORED.reason, world.clock.now() + COOLDOWN, lost=True)
        world.clock.time += MANDATORY
        assert world.refresher.tick().stored.pair.access_token == "access-1"
        assert [sent for sent, _, _ in world.issuer.calls] == ["access-0"]

    def test_that_waits_is_promoted_after_its_predecessors_end(self) -> None:
        world = self.world("expired")
        world.store.secret.put_pending("V-waiting", pair(access_token="access-w").to_json(), "V1")
        assert refresh(world).stored.version_id == "V-waiting"
        assert world.issuer.calls == []

    @pytest.mark.parametrize("spends", ["access_token", "nothing"])
    @pytest.mark.parametrize("unusable", [False, True])
    def test_comes_with_no_refresh_token(self, spends: Spends, *, unusable: bool) -> None:
        world = World.spending(spends, "mandatory")
        world.issuer.new_refresh_token, world.issuer.unusable = "refresh-2", unusable
        before = world.store.secret.versions["V1"]
        if unusable:
            fails(world, NONSENSE)
            assert (world.store.current, world.store.secret.versions["V1"]) == ("V1", before)
        else:
            refresh(world)
            assert "refresh-2" not in world.store.secret.versions["V2"]


class TestWhatTheProviderSays:
    SAID: ClassVar[dict[str, Any]] = {"scope": "read", "values": {"url": "https://x"}, "api": {"scheme": ""}}

    def test_is_stored(self) -> None:
        world = World.with_token("mandatory", values={"realm": 7})
        world.issuer.said = self.SAID
        stored = refresh(world).stored.pair
        assert (stored.scope, stored.api) == ("read", {"scheme": ""})
        assert stored.values == {"realm": 7, "url": "https://x"}

    def test_goes_before_the_tokens_do(self) -> None:
        world = World.with_token("mandatory", unknown={"note": "x" * 60_000}, values={"realm": 7})
        world.issuer.said = {**self.SAID, "values": {str(number): "v" * 2000 for number in range(4)}}
        stored = refresh(world).stored.pair
        assert (stored.access_token, stored.values) == ("access-1", {"realm": 7})


class TestAnswerTooLarge:
    """The issuer replaced the refresh token, and the secret has no room for the new access token."""

    def test_the_new_refresh_token_is_stored(self) -> None:
        world = rotating(unknown={"note": "x" * 65_000})
        world.issuer.access_token = "y" * 1000
        assert "Remove keys from the secret" in fails(world, NOT_STORED)
        stored = world.store.read().pair
        assert (stored.refresh_token, stored.access_token, stored.expires_at) == ("refresh-2", "access-0", NOW)
        assert world.lock.state("V2") == Failure(NOT_STORED.reason, NOW + COOLDOWN_REFUSED)
        world.store.put("by-hand", replace(stored, unknown={}))
        assert refresh(world).stored.pair.access_token == "y" * 1000

    def test_a_refresh_token_that_stays_is_enough(self) -> None:
        world = World.with_token("expired", unknown={"note": "x" * 65_000})
        world.issuer.access_token = "y" * 1000
        world.store.faults = {"put": [errors.TokenNotStoredException("too large", final=True)]}
        assert fails(world, NOT_STORED) == "too large"
        assert "another attempt" in fails(world, NOT_STORED), "the next token would not fit either"
        assert len(world.issuer.calls) == 1


@pytest.mark.parametrize("unusable", [False, True])
@pytest.mark.parametrize("expires_in", ["3600", 3600.0, 0, -1, "soon", None, [], 10**30])
def test_the_grant_survives_every_answer_holding_one(expires_in: object, *, unusable: bool) -> None:
    world = rotating()
    world.issuer.expires_in, world.issuer.unusable = expires_in, unusable
    with suppress(errors.IssuerProtocolException):
        refresh(world)
    assert world.store.read().pair.refresh_token == "refresh-2"


class TestUnwrittenSuccessor:
    """This process got a new refresh token and could not write it."""

    def test_is_written_by_the_next_refresh(self) -> None:
        world = not_written(rotating())
        outcome = refresh(world)
        assert outcome.issued is None
        assert world.store.read().version_id == outcome.stored.version_id == "V2"
        assert world.store.read().pair.refresh_token == "refresh-2"
        assert len(world.issuer.calls) == 1, "a spent refresh token is not sent again"
        assert world.memory.successor_of("V1") is None
        assert world.telemetry.facts("refreshed", "recovered_from") == [NOT_STORED.reason]

    def test_that_never_fits_is_kept_at_once(self) -> None:
        world = rotating()
        world.store.faults = {"put": [errors.TokenNotStoredException("too large", final=True)]}
        fails(world, NOT_STORED)
        assert world.clock.slept == []
        assert refresh(world).stored.pair.refresh_token == "refresh-2"
        assert len(world.issuer.calls) == 1

    def test_keeps_other_processes_from_the_issuer(self) -> None:
        world = not_written(rotating())
        assert world.lock.state() == Failure(NOT_STORED.reason, world.clock.now() + COOLDOWN, lost=True)
        world.forget()
        assert "another attempt" in fails(world, NOT_STORED)

    def test_is_forgotten_once_another_version_is_current(self) -> None:
        world = not_written(rotating())
        seen = world.store.read()
        world.store.put("theirs", pair())
        assert refresh(world, seen).stored.version_id == "theirs"
        assert world.memory.successor_of("V1") is None
