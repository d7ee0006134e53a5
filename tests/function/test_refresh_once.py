"""One refresh per secret version: claims, losers, crashes, cooldowns, the write."""

from dataclasses import replace
from datetime import timedelta

import pytest

from refresh_token.claimed_refresh import CLOSE_RESERVE, COOLDOWN, MIN_CALL_TIME, WRITE_RESERVE, Outcome
from refresh_token.claims import Failure
from refresh_token.errors import (
    ConfigurationException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    SecretUnavailableException,
    TokenNotStoredException,
)
from refresh_token.issued_token import IssuedToken
from refresh_token.ports import StoredPair
from refresh_token.process_memory import ProcessMemory
from tests.support.faked_core import World, pair
from tests.support.fakes import NOW

DOWN = IssuerUnavailableException("down")
REFUSED = ReauthorizationRequiredException("refused")
NOT_STORED = TokenNotStoredException("denied")


def refresh(world: World, *, ignore_cooldown: bool = False) -> Outcome:
    return world.once.refresh(world.store.read(), ignore_cooldown=ignore_cooldown)


# The winner


def test_the_new_pair_keeps_the_refresh_token_the_client_id_and_unknown_keys() -> None:
    world = World.with_token("mandatory")
    stored = refresh(world).stored
    assert stored == world.store.read()
    assert stored.pair == pair(
        access_token="access-1",
        expires_at=NOW + timedelta(days=90),
        refreshed_at=NOW,
    )


def test_a_refresh_token_in_the_answer_replaces_the_old_one() -> None:
    world = World.with_token("mandatory")
    world.issuer.new_refresh_token = "refresh-2"
    assert refresh(world).stored.pair.refresh_token == "refresh-2"


def test_the_issuer_is_given_the_remaining_time_less_what_the_write_needs() -> None:
    world = World.with_token("mandatory")
    world.clock.left = 30
    refresh(world)
    assert world.issuer.calls == [("refresh-1", "client-1", 30 - WRITE_RESERVE)]


def test_the_outcome_is_the_new_version_and_the_issuers_answer() -> None:
    world = World.with_token("mandatory")
    outcome = refresh(world)
    assert outcome == Outcome(world.store.read(), IssuedToken(access_token="access-1", expires_in=7_776_000))


def test_afterwards_the_claim_is_closed_and_the_version_known_to_have_a_successor() -> None:
    world = World.with_token("mandatory")
    refresh(world)
    assert (world.lock.held_until, world.lock.finished) == ({}, {"V1": None})


def test_a_refresh_costs_two_reads_one_call_and_one_write() -> None:
    world = World.with_token("mandatory")
    refresh(world)
    assert (world.store.reads, len(world.issuer.calls), world.store.writes) == (2, 1, 1)


def test_an_expiry_beyond_belief_is_cut_to_400_days_and_told() -> None:
    world = World.with_token("mandatory")
    world.issuer.expires_in = 500 * 24 * 3600
    assert refresh(world).stored.pair.expires_at == NOW + timedelta(days=400)
    assert "expiry_capped" in world.telemetry.names()


@pytest.mark.parametrize("expires_in", [0, -5, int(NOW.timestamp()), "7776000", 1.5, True, None])
def test_an_implausible_expiry_is_never_stored(expires_in: object) -> None:
    world = World.with_token("mandatory")
    world.issuer.expires_in = expires_in
    with pytest.raises(IssuerProtocolException):
        refresh(world)
    assert world.store.current == "V1"


# Losers


def test_a_loser_waits_for_the_winners_version_and_does_not_call() -> None:
    world = World.with_token("mandatory")
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=False)
    winners = pair("fresh")
    world.clock.while_asleep = lambda: world.store.put("V9", winners) if len(world.clock.slept) == 3 else None
    assert refresh(world).stored.version_id == "V9"
    assert world.issuer.calls == []
    assert world.clock.slept == sorted(world.clock.slept), "it asks less and less often"


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_a_loser_waits_longer_each_time_up_to_two_seconds_and_not_in_step_with_others(
    jitter: float, share: float
) -> None:
    world = World.with_token("mandatory")
    seen = world.store.read()
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=False)
    winners = pair("fresh")
    world.clock.while_asleep = lambda: world.store.put("V9", winners) if len(world.clock.slept) == 7 else None
    replace(world.once, jitter=lambda: jitter).refresh(seen, ignore_cooldown=False)
    pauses = [0.2, 0.32, 0.512, 0.8192, 1.31072, 2.0, 2.0]
    assert world.clock.slept == pytest.approx([pause * share for pause in pauses])


def test_a_loser_who_comes_late_reads_again_under_the_lock_and_does_not_call() -> None:
    world = World.with_token("mandatory")
    seen = world.store.read()
    world.store.put("V9", pair("fresh"))
    assert world.once.refresh(seen, ignore_cooldown=False).stored.version_id == "V9"
    assert world.issuer.calls == []
    assert (world.lock.held_until, world.lock.finished) == ({}, {"V1": None})


def test_a_loser_whose_time_runs_out_is_told_to_ask_again() -> None:
    world = World.with_token("mandatory")
    world.lock.claim("V1", seconds=1000, now=NOW, ignore_cooldown=False)
    with pytest.raises(RefreshInProgressException) as caught:
        refresh(world)
    assert str(caught.value) == (
        "The token is being refreshed by another invocation, which did not finish in time. Ask again."
    )
    assert world.issuer.calls == []
    assert world.clock.left > 0


def test_a_loser_learns_that_the_winner_failed_and_does_not_call() -> None:
    world = World.with_token("mandatory")
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=False)
    failure = Failure(DOWN.reason, NOW + COOLDOWN)
    world.clock.while_asleep = lambda: world.lock.record_failure("V1", failure)
    with pytest.raises(IssuerUnavailableException):
        refresh(world)
    assert world.issuer.calls == []


def test_the_claim_of_a_killed_holder_ends_with_its_time_and_not_before() -> None:
    world = World.with_token("mandatory")
    world.lock.claim("V1", seconds=20, now=NOW, ignore_cooldown=False)
    refresh(world)
    assert len(world.issuer.calls) == 1
    assert world.clock.now() >= NOW + timedelta(seconds=20)


def test_a_version_that_was_refreshed_and_is_current_again_is_waited_out() -> None:
    world = World.with_token("mandatory")
    world.lock.record_success("V1")
    with pytest.raises(RefreshInProgressException):
        refresh(world)
    assert world.issuer.calls == []


def test_too_little_time_begins_nothing() -> None:
    world = World.with_token("mandatory")
    world.clock.left = WRITE_RESERVE + 1
    with pytest.raises(RefreshInProgressException) as caught:
        refresh(world)
    assert str(caught.value) == (
        "Too little of this invocation's time is left to begin a refresh. "
        "Ask again; if this persists, raise the function's timeout."
    )
    assert world.issuer.calls == []
    world.lock.fault = DOWN
    with pytest.raises(RefreshInProgressException):
        refresh(world)  # not even a claim


def test_just_enough_time_begins_a_refresh() -> None:
    world = World.with_token("mandatory")
    world.clock.left = WRITE_RESERVE + MIN_CALL_TIME
    refresh(world)
    assert world.issuer.calls == [("refresh-1", "client-1", MIN_CALL_TIME)]


# Failures


@pytest.mark.parametrize(
    ("fault", "cooldown"),
    [
        (DOWN, timedelta(seconds=60)),
        (IssuerProtocolException("odd"), timedelta(seconds=60)),
        (REFUSED, timedelta(minutes=15)),
    ],
    ids=lambda value: getattr(value, "reason", None),
)
def test_after_a_failure_consumers_do_not_reach_the_issuer_until_the_cooldown_ends(
    fault: RefreshTokenError, cooldown: timedelta
) -> None:
    world = World.with_token("expired")
    world.issuer.fault = fault
    for _ in range(3):
        with pytest.raises(type(fault)):
            refresh(world)
    assert len(world.issuer.calls) == 1
    world.clock.time = NOW + cooldown - timedelta(seconds=1)
    with pytest.raises(type(fault), match="failed"):
        refresh(world)
    assert len(world.issuer.calls) == 1
    world.clock.time = NOW + cooldown
    with pytest.raises(type(fault)):
        refresh(world)
    assert len(world.issuer.calls) == 2


@pytest.mark.parametrize(
    ("reason", "what_now"),
    [
        ("ReauthorizationRequiredException", "A person must sign in to Figma again and store the new pair."),
        ("IssuerUnavailableException", "Ask again after that."),
        ("IssuerProtocolException", "See the function's log for that attempt."),
    ],
)
def test_the_error_in_a_cooldown_says_what_failed_until_when_and_what_to_do(reason: str, what_now: str) -> None:
    world = World.with_token("expired")
    world.lock.record_failure("V1", Failure(reason, NOW + COOLDOWN))
    with pytest.raises(RefreshTokenError) as caught:
        refresh(world)
    assert caught.value.reason == reason
    assert str(caught.value) == (
        f"The last refresh of this version failed ({reason}). Consumers cannot cause another attempt before "
        f"2026-11-23T12:01:00Z. {what_now}"
    )


def test_a_failed_refresh_is_told_with_its_version() -> None:
    world = World.with_token("expired")
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        refresh(world)
    assert world.telemetry.told == [("refresh_failed", {"reason": DOWN.reason, "version_id": "V1", "first": True})]


def test_the_cooldown_is_no_obstacle_to_those_who_may_ignore_it() -> None:
    world = World.with_token("expired")
    world.issuer.fault = DOWN
    for _ in range(3):
        with pytest.raises(IssuerUnavailableException):
            refresh(world, ignore_cooldown=True)
    assert len(world.issuer.calls) == 3


def test_a_refused_grant_is_first_only_once() -> None:
    world = World.with_token("expired")
    world.issuer.fault = REFUSED
    for _ in range(3):
        with pytest.raises(ReauthorizationRequiredException):
            refresh(world, ignore_cooldown=True)
    firsts = [facts["first"] for name, facts in world.telemetry.told if name == "refresh_failed"]
    assert firsts == [True, False, False]


def test_a_failure_for_another_reason_is_first_again() -> None:
    world = World.with_token("expired")
    for fault in (DOWN, REFUSED):
        world.issuer.fault = fault
        with pytest.raises(type(fault)):
            refresh(world, ignore_cooldown=True)
    firsts = [facts["first"] for name, facts in world.telemetry.told if name == "refresh_failed"]
    assert firsts == [True, True]


def test_a_refused_grant_deletes_nothing_and_goes_away_with_a_new_pair() -> None:
    world = World.with_token("expired")
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        refresh(world)
    assert world.store.versions == {"V1": pair("expired")}
    world.issuer.fault = None
    world.store.put("V8", pair("expired"))
    assert refresh(world).stored.version_id == "V2"


def test_recovery_is_told_with_what_it_recovered_from() -> None:
    world = World.with_token("expired")
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        refresh(world)
    world.issuer.fault = None
    refresh(world, ignore_cooldown=True)
    assert ("refreshed", {"old": "V1", "new": "V2", "recovered_from": DOWN.reason}) in world.telemetry.told


def test_an_undisturbed_refresh_recovers_from_nothing() -> None:
    world = World.with_token("expired")
    refresh(world)
    assert world.telemetry.told == [("refreshed", {"old": "V1", "new": "V2", "recovered_from": None})]


# The lock itself


@pytest.mark.parametrize("fault", [DOWN, ConfigurationException("denied")], ids=lambda fault: fault.reason)
def test_without_the_lock_nobody_refreshes(fault: RefreshTokenError) -> None:
    world = World.with_token("expired")
    world.lock.fault = fault
    with pytest.raises(type(fault)):
        refresh(world)
    assert world.issuer.calls == []
    assert world.telemetry.told == [("refresh_failed", {"reason": fault.reason, "version_id": "V1", "first": True})]


def test_a_claim_that_cannot_be_closed_does_not_hide_the_refresh() -> None:
    world = World.with_token("expired")
    world.lock.closing_fault = DOWN
    assert refresh(world).stored.version_id == "V2"
    assert ("lock_not_closed", {"reason": DOWN.reason, "version_id": "V1"}) in world.telemetry.told


def test_a_claim_that_cannot_be_closed_does_not_hide_the_failure() -> None:
    world = World.with_token("expired")
    world.lock.closing_fault = DOWN
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        refresh(world)


def test_a_secret_that_cannot_be_read_again_gives_the_claim_back() -> None:
    world = World.with_token("expired")
    seen = world.store.read()
    world.store.read_faults = [SecretUnavailableException("denied")]
    with pytest.raises(SecretUnavailableException):
        world.once.refresh(seen, ignore_cooldown=False)
    assert world.issuer.calls == []
    assert world.once.refresh(seen, ignore_cooldown=False).stored.version_id == "V2"


# The write


def test_the_write_is_repeated_until_it_works_with_the_same_token_and_version() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED, NOT_STORED]
    assert refresh(world).stored.version_id == "V2"
    assert len(world.issuer.calls) == 1
    assert world.store.writes == 3


def test_the_write_is_repeated_as_long_as_time_remains_and_then_raises() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED] * 1000
    with pytest.raises(TokenNotStoredException):
        refresh(world)
    assert 3 < world.clock.left < 6.5
    assert ("refresh_failed", {"reason": NOT_STORED.reason, "version_id": "V1", "first": True}) in world.telemetry.told


def test_the_write_gets_the_time_that_is_left_but_for_closing_the_claim() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED]
    refresh(world)
    assert world.store.seconds_to_write == pytest.approx([59.0, 58.8])


def test_the_pauses_between_the_writes_grow_up_to_two_seconds() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED] * 7
    refresh(world)
    assert world.clock.slept == pytest.approx([0.2, 0.32, 0.512, 0.8192, 1.31072, 2.0, 2.0])


@pytest.mark.parametrize(("left", "stored"), [(4.2, True), (4.19, False)], ids=["just enough", "too little"])
def test_the_write_is_repeated_if_it_fits_into_what_remains_after_the_pause(left: float, *, stored: bool) -> None:
    world = World.with_token("expired")
    world.issuer.while_calling = lambda: setattr(world.clock, "left", left)
    world.store.write_faults = [NOT_STORED]
    if stored:
        refresh(world)
    else:
        with pytest.raises(TokenNotStoredException):
            refresh(world)
    assert world.store.writes == 1 + stored


def test_what_could_not_be_written_gives_the_claim_back() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED] * 1000
    with pytest.raises(TokenNotStoredException):
        refresh(world)
    assert world.lock.held_until == {}
    no_cooldown = Failure(NOT_STORED.reason, world.clock.now(), lost=True)
    assert world.lock.finished == {"V1": no_cooldown}


def test_what_was_not_stored_is_healed_by_the_next_refresh_without_a_cooldown() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED] * 1000
    with pytest.raises(TokenNotStoredException):
        refresh(world)
    world.store.write_faults = []
    world.clock.left = 60
    stored = refresh(world).stored
    assert stored.pair.access_token == world.issuer.live
    assert world.store.read() == stored


def test_an_operator_who_stores_a_pair_during_the_refresh_is_not_overwritten() -> None:
    world = World.with_token("expired")
    by_hand = pair("fresh", refresh_token="refresh-by-hand")
    world.issuer.while_calling = lambda: world.store.put("by-hand", by_hand)
    assert refresh(world).stored.version_id == "by-hand"
    assert world.store.current == "by-hand"
    assert world.telemetry.told == [("superseded", {"version_id": "V1"})]


def test_a_refused_grant_is_first_only_once_whatever_fails_in_between() -> None:
    world = World.with_token("expired")
    for fault in (REFUSED, DOWN, REFUSED):
        world.issuer.fault = fault
        with pytest.raises(type(fault)):
            refresh(world, ignore_cooldown=True)
    firsts = [facts["first"] for name, facts in world.telemetry.told if facts["reason"] == REFUSED.reason]
    assert firsts == [True, False]


def test_an_attempt_that_gets_no_further_than_the_claim_leaves_the_cooldown_of_the_one_before() -> None:
    world = World.with_token("expired")
    seen = world.store.read()
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        refresh(world)
    world.store.read_faults = [SecretUnavailableException("denied")]
    with pytest.raises(SecretUnavailableException):
        world.once.refresh(seen, ignore_cooldown=True)
    with pytest.raises(ReauthorizationRequiredException, match="failed"):
        world.once.refresh(seen, ignore_cooldown=False)
    assert len(world.issuer.calls) == 1


def test_the_issuer_is_not_called_when_the_claim_and_the_read_took_the_time_that_the_write_needs() -> None:
    world = World.with_token("expired")
    seen = world.store.read()
    world.store.while_reading = lambda: world.clock.pass_time(53)
    with pytest.raises(RefreshInProgressException, match="Too little"):
        world.once.refresh(seen, ignore_cooldown=False)
    assert world.issuer.calls == []
    assert world.lock.held_until == {}
    assert world.lock.finished == {}


def test_a_failure_stands_again_when_the_time_runs_out_under_the_claim() -> None:
    world = World.with_token("expired")
    seen, failure = world.store.read(), Failure(REFUSED.reason, NOW + COOLDOWN, refused=True)
    world.lock.record_failure("V1", failure)
    world.store.while_reading = lambda: world.clock.pass_time(53)
    with pytest.raises(RefreshInProgressException, match="Too little"):
        world.once.refresh(seen, ignore_cooldown=True)
    assert world.lock.finished == {"V1": failure}


def test_a_failure_stands_again_when_only_the_requests_client_id_is_refused() -> None:
    world = World.with_token("expired", client_id=None)
    failure = Failure(NOT_STORED.reason, NOW, lost=True)
    world.lock.record_failure("V1", failure)
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        world.once.refresh(world.store.read(), ignore_cooldown=False, client_id="another")
    assert world.lock.finished == {"V1": failure}


def test_what_a_killed_holder_may_have_lost_is_a_failure_of_now() -> None:
    world = World.with_token("fresh")
    world.lock.claim("V1", seconds=0, now=NOW, ignore_cooldown=False)
    assert world.once.lost("V1") == Failure(NOT_STORED.reason, NOW, lost=True)


def test_two_ticks_at_once_are_one_attempt_when_it_fails_too() -> None:
    world = World.with_token("expired")
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=True)
    world.clock.while_asleep = lambda: world.lock.record_failure("V1", Failure(DOWN.reason, NOW + COOLDOWN))
    with pytest.raises(IssuerUnavailableException):
        refresh(world, ignore_cooldown=True)
    assert world.issuer.calls == []


def test_healing_what_was_not_stored_is_a_recovery() -> None:
    world = World.with_token("expired")
    world.store.write_faults = [NOT_STORED] * 1000
    with pytest.raises(TokenNotStoredException):
        refresh(world)
    world.store.write_faults = []
    world.clock.left = 60
    refresh(world)
    assert ("refreshed", {"old": "V1", "new": "V3", "recovered_from": NOT_STORED.reason}) in world.telemetry.told


# Refresh tokens that are good for one call


def rotating(window: str = "mandatory") -> World:
    world = World.with_token(window)
    world.issuer.rotates, world.issuer.new_refresh_token = True, "refresh-2"
    return world


def waiting(world: World) -> StoredPair:
    """Return what an earlier refresh of V1 wrote, and did not live to make current."""
    stored = StoredPair("V-waiting", pair(access_token="access-w", refresh_token="refresh-w"))
    world.store.written["V1"] = stored
    return stored


def test_what_was_written_and_not_made_current_is_made_current_and_the_issuer_not_asked() -> None:
    world = rotating()
    left = waiting(world)
    assert refresh(world) == Outcome(left)
    assert world.store.read() == left
    assert world.issuer.calls == []
    assert world.store.promoted == [60 - CLOSE_RESERVE], "it is not written again, and there is time to answer"
    assert world.telemetry.told[-1] == ("refreshed", {"old": "V1", "new": "V-waiting", "recovered_from": None})
    assert (world.lock.held_until, world.lock.finished) == ({}, {"V1": None})


def test_an_issuer_whose_refresh_tokens_can_be_used_again_is_asked_again() -> None:
    world = World.with_token("mandatory")
    waiting(world)
    assert refresh(world).stored.pair.access_token == "access-1"
    assert (world.store.reads, len(world.issuer.calls)) == (2, 1), "nobody looked"


def test_without_anything_left_over_the_issuer_is_asked() -> None:
    world = rotating()
    assert refresh(world).stored.pair.refresh_token == "refresh-2"
    assert len(world.issuer.calls) == 1


def test_if_it_cannot_be_found_out_what_is_left_over_the_issuer_is_not_asked_and_the_claim_given_back() -> None:
    world = rotating()
    world.store.pending_faults = [SecretUnavailableException("down")]
    with pytest.raises(SecretUnavailableException):
        refresh(world)
    assert world.issuer.calls == []
    assert (world.lock.held_until, world.lock.finished) == ({}, {})


def test_a_failure_that_stood_before_stands_again_then() -> None:
    world = rotating()
    before = Failure("IssuerUnavailableException", world.clock.now() - timedelta(minutes=1))
    world.lock.finished["V1"] = before
    world.store.pending_faults = [SecretUnavailableException("down")]
    with pytest.raises(SecretUnavailableException):
        refresh(world)
    assert world.lock.finished == {"V1": before}


def test_what_is_left_over_gives_way_to_what_somebody_stored() -> None:
    world = rotating()
    waiting(world)
    seen = world.store.read()
    world.store.while_reading = lambda: world.store.put("theirs", pair()) if world.store.reads == 3 else None
    outcome = world.once.refresh(seen, ignore_cooldown=False)
    assert outcome.stored.version_id == "theirs"
    assert world.issuer.calls == []


def refresh_without_writing(world: World) -> World:
    """Let a refresh end with nothing written; after it, all can be written again."""
    world.store.write_faults = [NOT_STORED] * 50
    world.clock.left = 20
    with pytest.raises(TokenNotStoredException):
        refresh(world)
    assert len(world.issuer.calls) == 1
    world.store.write_faults = []
    world.clock.left = 60
    return world


def unwritten() -> World:
    """Return a world in which the issuer has answered with a new refresh token and nothing could be written."""
    return refresh_without_writing(rotating())


def test_what_could_not_be_written_is_written_by_whoever_comes_next_in_this_process() -> None:
    world = unwritten()
    outcome = refresh(world)
    assert outcome.stored == world.store.read()
    assert (outcome.stored.pair.access_token, outcome.stored.pair.refresh_token) == ("access-1", "refresh-2")
    assert outcome.issued is None
    assert len(world.issuer.calls) == 1, "a spent refresh token is not sent again"
    assert world.memory.successor_of("V1") is None
    assert world.telemetry.told[-1][1]["recovered_from"] == "TokenNotStoredException"


def test_it_is_written_under_the_same_id_again_and_again_until_it_is() -> None:
    world = refresh_without_writing(unwritten())
    assert refresh(world).stored.version_id == "V2"
    assert len(world.issuer.calls) == 1


def test_other_processes_are_kept_from_the_issuer_for_a_while_meanwhile() -> None:
    world = unwritten()
    elsewhere = replace(world.once, memory=ProcessMemory())
    with pytest.raises(TokenNotStoredException, match="another attempt"):
        elsewhere.refresh(world.store.read(), ignore_cooldown=False)
    assert world.lock.finished["V1"] == Failure("TokenNotStoredException", world.clock.now() + COOLDOWN, lost=True)


def test_it_is_written_although_another_process_asked_meanwhile_and_failed() -> None:
    world = unwritten()
    world.lock.claim("V1", seconds=60, now=world.clock.now(), ignore_cooldown=True)
    failure = Failure(DOWN.reason, world.clock.now() + COOLDOWN)
    world.clock.while_asleep = lambda: world.lock.record_failure("V1", failure)
    assert refresh(world).stored.pair.refresh_token == "refresh-2"
    assert len(world.issuer.calls) == 1


def test_what_could_not_be_written_is_forgotten_once_another_version_is_current() -> None:
    world = unwritten()
    seen = world.store.read()
    world.store.put("theirs", pair())
    assert world.once.refresh(seen, ignore_cooldown=False).stored.version_id == "theirs"
    assert world.memory.successor_of("V1") is None


def test_a_pair_with_the_same_refresh_token_is_not_kept_since_the_issuer_can_be_asked_again() -> None:
    world = refresh_without_writing(World.with_token("mandatory"))
    assert world.memory.successor_of("V1") is None
    assert world.lock.finished["V1"] == Failure("TokenNotStoredException", world.clock.now(), lost=True)


def test_the_id_of_a_successor_is_made_from_the_version_that_it_replaces() -> None:
    world = World.with_token("mandatory")
    once = replace(world.once, new_version_id=lambda version_id: f"after-{version_id}")
    assert once.refresh(world.store.read(), ignore_cooldown=False).stored.version_id == "after-V1"
