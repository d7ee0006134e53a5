"""The decision table of contract 1, case by case."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from refresh_token.claims import Failure
from refresh_token.errors import (
    ConfigurationException,
    InvalidParameterException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshInProgressException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)
from refresh_token.ports import Issuer
from refresh_token.refresher import ANSWER_RESERVE
from tests.support.faked_core import World, pair
from tests.support.fakes import NOW
from tests.support.windows import LEFT

if TYPE_CHECKING:
    from refresh_token.results import LiveToken, TickReport

DOWN = IssuerUnavailableException("down")
REFUSED = ReauthorizationRequiredException("refused")
NONSENSE = IssuerProtocolException("nonsense")
NOT_STORED = TokenNotStoredException("down")


@dataclass(frozen=True)
class Asked:
    """One consumer's question: the window, the issuer's fault, and (state, version, issuer calls) or the error."""

    name: str
    window: str
    state: str | None
    version: str
    calls: int
    fault: RefreshTokenError | None = None


CONSUMER = [
    Asked("fresh: the current token", "fresh", "fresh", "V1", 0),
    Asked("advisory: the current token, due, and no call", "advisory", "due", "V1", 0),
    Asked("mandatory: refreshed", "mandatory", "fresh", "V2", 1),
    Asked("expired: refreshed", "expired", "fresh", "V2", 1),
    Asked("unknown: refreshed", "unknown", "fresh", "V2", 1),
    Asked("mandatory, issuer down: the current token, degraded", "mandatory", "degraded", "V1", 1, DOWN),
    Asked("mandatory, refused: the current token, degraded", "mandatory", "degraded", "V1", 1, REFUSED),
    Asked("mandatory, nonsense: the current token, degraded", "mandatory", "degraded", "V1", 1, NONSENSE),
    Asked("expired, issuer down: raises", "expired", None, "V1", 1, DOWN),
    Asked("expired, refused: raises", "expired", None, "V1", 1, REFUSED),
    Asked("unknown, issuer down: raises", "unknown", None, "V1", 1, DOWN),
    Asked("unknown, nonsense: raises", "unknown", None, "V1", 1, NONSENSE),
]


@pytest.mark.parametrize("case", CONSUMER, ids=lambda case: case.name)
def test_consumer_asks(case: Asked) -> None:
    world = World.with_token(case.window)
    world.issuer.fault = case.fault
    if case.state is None:
        assert case.fault
        with pytest.raises(type(case.fault)):
            world.refresher.live_token()
    else:
        token = world.refresher.live_token()
        assert (token.state, token.stored.version_id) == (case.state, case.version)
        assert token.stored == world.store.read()
    assert len(world.issuer.calls) == case.calls
    assert world.store.current == case.version


@dataclass(frozen=True)
class Ticked:
    """One schedule tick: the window, the issuer's fault, and the outcome, or None where it raises the fault."""

    name: str
    window: str
    outcome: str | None
    version: str
    calls: int
    fault: RefreshTokenError | None = None


SCHEDULE = [
    Ticked("fresh: no call", "fresh", "fresh", "V1", 0),
    Ticked("advisory: refreshed", "advisory", "refreshed", "V2", 1),
    Ticked("mandatory: refreshed", "mandatory", "refreshed", "V2", 1),
    Ticked("expired: refreshed", "expired", "refreshed", "V2", 1),
    Ticked("unknown: refreshed", "unknown", "refreshed", "V2", 1),
    Ticked("advisory, issuer down: degraded, not raised", "advisory", "degraded", "V1", 1, DOWN),
    Ticked("advisory, refused: raises", "advisory", None, "V1", 1, REFUSED),
    Ticked("advisory, nonsense: raises", "advisory", None, "V1", 1, NONSENSE),
    Ticked("mandatory, issuer down: raises", "mandatory", None, "V1", 1, DOWN),
    Ticked("expired, issuer down: raises", "expired", None, "V1", 1, DOWN),
    Ticked("unknown, refused: raises", "unknown", None, "V1", 1, REFUSED),
]


@pytest.mark.parametrize("case", SCHEDULE, ids=lambda case: case.name)
def test_schedule_ticks(case: Ticked) -> None:
    world = World.with_token(case.window)
    world.issuer.fault = case.fault
    if case.outcome is None:
        assert case.fault
        with pytest.raises(type(case.fault)):
            world.refresher.tick()
    else:
        report = world.refresher.tick()
        assert (report.outcome, report.stored.version_id) == (case.outcome, case.version)
        assert report.stored == world.store.read()
    assert len(world.issuer.calls) == case.calls
    assert world.store.current == case.version


@pytest.mark.parametrize("window", LEFT)
def test_every_tick_tells_once_how_long_the_token_that_is_current_now_lives(window: str) -> None:
    world = World.with_token(window)
    world.refresher.tick()
    ages = [facts for name, facts in world.telemetry.told if name == "token_age"]
    kept = LEFT["fresh"]
    assert kept
    lives = {"fresh": kept.total_seconds()}.get(window, 7_776_000.0)
    assert ages == [{"version_id": world.store.current, "seconds_left": lives, "overdue": False}]


def test_a_failed_tick_tells_how_long_the_old_token_still_lives() -> None:
    world = World.with_token("mandatory")
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        world.refresher.tick()
    facts = {"version_id": "V1", "seconds_left": 3 * 3600.0, "overdue": True}
    assert ("token_age", facts) in world.telemetry.told


def test_a_degraded_answer_is_told() -> None:
    asked, ticked = World.with_token("mandatory"), World.with_token("advisory")
    for world, use in ((asked, asked.refresher.live_token), (ticked, ticked.refresher.tick)):
        world.issuer.fault = DOWN
        use()
        assert ("served_degraded", {"reason": DOWN.reason, "version_id": "V1"}) in world.telemetry.told


USES: list[tuple[str, Callable[[World], object]]] = [
    ("consumer asks", lambda world: world.refresher.live_token()),
    ("consumer reports", lambda world: world.refresher.report_failure("V1")),
    ("operator forces", lambda world: world.refresher.force()),
    ("schedule ticks", lambda world: world.refresher.tick()),
]


@pytest.mark.parametrize(
    "fault",
    [SecretNotSeededException("empty"), SecretMalformedException("odd"), SecretUnavailableException("denied")],
    ids=lambda fault: fault.reason,
)
@pytest.mark.parametrize(("name", "use"), USES, ids=[name for name, _ in USES])
def test_without_a_readable_pair_every_use_of_it_raises_and_the_issuer_is_not_asked(
    name: str, use: Callable[[World], object], fault: RefreshTokenError
) -> None:
    world = World()
    world.store.empty = fault
    with pytest.raises(type(fault)):
        use(world)
    assert world.issuer.calls == [], name


def test_reporting_the_current_version_refreshes_it_although_it_looks_fresh() -> None:
    world = World.with_token("fresh")
    token = world.refresher.report_failure("V1")
    assert (token.stored.version_id, token.state) == ("V2", "fresh")
    assert token.stored.pair.access_token == world.issuer.live
    assert len(world.issuer.calls) == 1


def test_reporting_another_version_returns_the_current_one_with_no_call() -> None:
    world = World.with_token("fresh")
    for version_id in ("V0", "never existed"):
        assert world.refresher.report_failure(version_id).stored.version_id == "V1"
    assert world.issuer.calls == []


def test_reporting_an_older_version_does_not_call_in_the_mandatory_window_either() -> None:
    world = World.with_token("mandatory")
    token = world.refresher.report_failure("V0")
    assert (token.stored.version_id, token.state) == ("V1", "due")
    assert world.issuer.calls == []


def test_reporting_an_older_version_refreshes_when_the_current_token_is_dead_as_well() -> None:
    world = World.with_token("expired")
    assert world.refresher.report_failure("V0").stored.version_id == "V2"


def test_a_thousand_reports_of_one_dead_version_cost_one_call() -> None:
    world = World.with_token("fresh")
    versions = {world.refresher.report_failure("V1").stored.version_id for _ in range(1000)}
    assert versions == {"V2"}
    assert len(world.issuer.calls) == 1


@pytest.mark.parametrize("window", ["fresh", "advisory", "mandatory"])
def test_a_reported_token_is_never_handed_out_again(window: str) -> None:
    world = World.with_token(window)
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        world.refresher.report_failure("V1")


@pytest.mark.parametrize("window", LEFT)
def test_force_refreshes_in_every_window(window: str) -> None:
    world = World.with_token(window)
    assert world.refresher.force().stored.version_id == "V2"
    assert len(world.issuer.calls) == 1


def test_a_failed_force_raises_even_while_the_current_token_lives() -> None:
    world = World.with_token("mandatory")
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        world.refresher.force()


def test_a_token_that_dies_while_the_refresh_fails_is_not_handed_out() -> None:
    world = World.with_token(expires_at=NOW + timedelta(seconds=5))
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=False)  # somebody else, who never finishes
    with pytest.raises(RefreshInProgressException):
        world.refresher.live_token()


def test_a_token_that_was_refreshed_and_not_stored_raises_even_in_the_mandatory_window() -> None:
    world = World.with_token("mandatory")
    world.store.write_faults = [TokenNotStoredException("denied")] * 1000
    with pytest.raises(TokenNotStoredException):
        world.refresher.live_token()


def test_the_windows_of_a_short_lived_token_are_scaled_to_its_life() -> None:
    world = World.with_token(expires_at=NOW + timedelta(minutes=50), refreshed_at=NOW - timedelta(minutes=10))
    assert world.refresher.live_token().state == "fresh"
    world.clock.pass_time(31 * 60)
    assert world.refresher.live_token().state == "due"
    assert world.issuer.calls == []


def test_seconds_left_are_whole_and_never_more_than_there_are() -> None:
    world = World.with_token(expires_at=NOW + timedelta(days=30, milliseconds=900))
    assert world.refresher.live_token().expires_in == 30 * 24 * 3600


@pytest.mark.parametrize("window", ["expired", "unknown"])
@pytest.mark.parametrize("who", ["consumer", "tick", "force"])
def test_a_pair_stored_meanwhile_that_is_dead_itself_is_refreshed_as_well(window: str, who: str) -> None:
    world = World.with_token("expired")

    def operator() -> None:
        if len(world.issuer.calls) == 1:
            world.store.put("operator", pair(window))

    world.issuer.while_calling = operator
    uses: dict[str, Callable[[], LiveToken | TickReport]] = {
        "consumer": world.refresher.live_token,
        "tick": world.refresher.tick,
        "force": world.refresher.force,
    }
    answer = uses[who]()
    assert answer.stored.version_id == world.store.current != "operator"
    assert answer.stored.pair.access_token == world.issuer.live == "access-2"


def test_a_token_that_expires_while_it_is_stored_is_not_handed_out() -> None:
    world = World.with_token("expired")
    world.issuer.expires_in = 1
    world.store.write_faults = [NOT_STORED] * 3
    with pytest.raises(RefreshInProgressException) as caught:
        world.refresher.live_token()
    assert str(caught.value) == "The token was refreshed, and the new one has expired already. Ask again."


# What is known to be dead


def with_a_dead_token(window: str) -> World:
    """Return a world in which a forced refresh was not stored, and everything works again."""
    world = World.with_token(window)
    world.store.write_faults = [NOT_STORED] * 1000
    with pytest.raises(TokenNotStoredException):
        world.refresher.force()
    world.store.write_faults.clear()
    world.clock.left = 60
    return world


@pytest.mark.parametrize("window", ["fresh", "advisory", "mandatory"])
@pytest.mark.parametrize("who", ["tick", "consumer", "report"])
def test_whoever_comes_next_heals_a_token_that_was_replaced_and_not_stored(window: str, who: str) -> None:
    world = with_a_dead_token(window)
    uses: dict[str, Callable[[], LiveToken | TickReport]] = {
        "tick": world.refresher.tick,
        "consumer": world.refresher.live_token,
        "report": lambda: world.refresher.report_failure("V1"),
    }
    answer = uses[who]()
    assert answer.stored.version_id == world.store.current != "V1"
    assert answer.stored.pair.access_token == world.issuer.live


def test_another_process_that_knows_nothing_of_it_heals_it_when_it_is_reported() -> None:
    world = with_a_dead_token("fresh")
    world.forget()
    assert world.refresher.live_token().state == "fresh", "a consumer costs one read and nothing else"
    assert world.refresher.report_failure("V1").stored.pair.access_token == world.issuer.live


@pytest.mark.parametrize("window", ["fresh", "advisory", "mandatory"])
def test_a_tick_in_another_process_heals_it_since_the_lock_remembers(window: str) -> None:
    world = with_a_dead_token(window)
    world.forget()
    report = world.refresher.tick()
    assert report.outcome == "refreshed"
    assert report.stored.pair.access_token == world.issuer.live
    assert world.refresher.tick().outcome == "fresh", "once"
    assert ("refreshed", {"old": "V1", "new": "V3", "recovered_from": NOT_STORED.reason}) in world.telemetry.told


def test_a_tick_that_cannot_heal_it_raises_and_the_next_one_tries_again() -> None:
    world = with_a_dead_token("fresh")
    world.forget()
    world.issuer.fault = DOWN
    for _ in range(2):
        with pytest.raises(IssuerUnavailableException):
            world.refresher.tick()
    world.issuer.fault = None
    assert world.refresher.tick().stored.pair.access_token == world.issuer.live


def test_a_tick_heals_what_a_killed_refresh_may_have_left_dead_once_its_claim_has_ended() -> None:
    world = World.with_token("fresh")
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=True)
    assert world.refresher.tick().outcome == "fresh", "somebody is refreshing it right now"
    assert world.issuer.calls == []
    world.clock.pass_time(60)
    world.clock.left = 60
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        world.refresher.tick()
    world.issuer.fault = None
    assert world.refresher.tick().outcome == "refreshed", "the doubt outlives a refresh that fails"
    assert world.store.read().pair.access_token == world.issuer.live


@pytest.mark.parametrize("failure", [Failure(DOWN.reason, NOW), None], ids=["a failure that lost nothing", "a success"])
def test_a_tick_leaves_a_fresh_token_alone_that_nothing_speaks_against(failure: Failure | None) -> None:
    world = World.with_token("fresh")
    world.lock.finished["V1"] = failure
    assert world.refresher.tick().outcome == "fresh"
    assert world.issuer.calls == []


def test_a_pair_stored_while_a_tick_heals_has_nothing_to_be_healed_of() -> None:
    world = with_a_dead_token("fresh")
    world.forget()
    world.issuer.while_calling = lambda: world.store.put("operator", pair("expired"))
    world.refresher.tick()
    recovered = [facts["recovered_from"] for name, facts in world.telemetry.told if name == "refreshed"]
    assert recovered == [None]


def test_without_the_lock_table_a_tick_takes_a_fresh_token_to_live_and_says_so() -> None:
    world = World.with_token("fresh")
    world.lock.fault = DOWN
    assert world.refresher.tick().outcome == "fresh"
    assert world.telemetry.names() == ["lock_not_read", "token_age"]
    assert world.telemetry.told[0] == ("lock_not_read", {"reason": DOWN.reason, "version_id": "V1"})


def test_a_tick_measures_the_token_also_where_the_issuers_settings_are_wrong() -> None:
    world = World.with_token("fresh")

    def misconfigured() -> Issuer:
        raise ConfigurationException("ISSUER")

    world.make_issuer = misconfigured
    with pytest.raises(ConfigurationException):
        world.refresher.tick()
    assert world.telemetry.names() == ["token_age"]


@pytest.mark.parametrize("window", ["advisory", "mandatory", "expired", "unknown"])
def test_only_a_tick_on_a_fresh_token_asks_the_lock_what_is_known(window: str) -> None:
    world = World.with_token(window)
    world.lock.lost = lambda *_, **__: pytest.fail("it was asked")  # type: ignore[method-assign]
    world.refresher.tick()
    world.refresher.live_token()
    world.refresher.report_failure("older")


@pytest.mark.parametrize("window", ["fresh", "mandatory"])
def test_a_token_known_to_be_dead_does_not_serve_on_when_its_refresh_fails_again(window: str) -> None:
    world = with_a_dead_token(window)
    world.issuer.fault = DOWN
    with pytest.raises(IssuerUnavailableException):
        world.refresher.live_token()
    with pytest.raises(IssuerUnavailableException):
        world.refresher.tick()


def test_a_token_that_was_replaced_does_not_serve_on_when_the_pair_stored_meanwhile_cannot_be_read() -> None:
    world = World.with_token("mandatory")

    def operator() -> None:
        world.store.put("operator", pair())
        world.store.read_faults = [SecretUnavailableException("down")]

    world.issuer.while_calling = operator
    with pytest.raises(SecretUnavailableException):
        world.refresher.live_token()


def test_a_tick_tells_of_an_expiry_beyond_belief_in_the_secret() -> None:
    world = World.with_token("fresh", capped=True)
    world.refresher.live_token()
    assert "expiry_capped" not in world.telemetry.names()
    world.refresher.tick()
    assert world.telemetry.names().count("expiry_capped") == 1


# The bare operation


def test_the_bare_operation_answers_as_the_issuer_does_and_stores_nothing() -> None:
    world = World.with_token("fresh")
    world.issuer.expires_in = 1234
    bare = world.refresher.exchange("somebody else's", "their client")
    assert (bare.access_token, bare.expires_in) == ("access-1", 1234)
    assert [call[:2] for call in world.issuer.calls] == [("somebody else's", "their client")]
    assert (world.store.current, world.store.writes) == ("V1", 0)


@pytest.mark.parametrize("fault", [SecretNotSeededException("empty"), SecretMalformedException("odd")])
def test_the_bare_operation_works_without_a_stored_pair(fault: RefreshTokenError) -> None:
    world = World()
    world.store.empty = fault
    assert world.refresher.exchange("refresh-1", None).access_token == "access-1"


def test_the_bare_operation_does_not_risk_the_stored_token_when_the_secret_cannot_be_read() -> None:
    world = World()
    world.store.empty = SecretUnavailableException("denied")
    with pytest.raises(SecretUnavailableException):
        world.refresher.exchange("refresh-1", None)
    assert world.issuer.calls == []


def test_the_bare_operation_gives_the_issuer_the_remaining_time_less_what_the_answer_needs() -> None:
    world = World.with_token("fresh")
    world.clock.left = 30
    world.refresher.exchange("somebody else's", None)
    assert world.issuer.calls == [("somebody else's", None, 30 - ANSWER_RESERVE)]


def test_the_bare_operation_answers_the_issuers_own_figure_for_the_stored_refresh_token_too() -> None:
    world = World.with_token("fresh")
    world.issuer.expires_in = int(NOW.timestamp()) + 3600
    assert world.refresher.exchange("refresh-1", None).expires_in == int(NOW.timestamp()) + 3600


def test_the_bare_operation_with_the_stored_refresh_token_stores_the_result() -> None:
    world = World.with_token("fresh")
    bare = world.refresher.exchange("refresh-1", None)
    assert (bare.access_token, bare.expires_in) == ("access-1", 7_776_000)
    assert world.store.current == "V2"
    assert world.store.read().pair.access_token == "access-1"


def test_the_bare_operation_that_waits_for_another_refresh_gets_that_token() -> None:
    world = World.with_token("fresh")
    world.lock.claim("V1", seconds=60, now=NOW, ignore_cooldown=False)
    newer = pair(access_token="theirs")
    world.clock.while_asleep = lambda: world.store.put("V9", newer)
    bare = world.refresher.exchange("refresh-1", None)
    assert bare.access_token == "theirs"
    assert 0 < bare.expires_in < 30 * 24 * 3600
    assert world.issuer.calls == []


def after_a_bare_refresh(window: str = "fresh") -> World:
    """Return a world in which the bare operation has spent ``refresh-1``, which the issuer has replaced."""
    world = World.with_token(window)
    world.issuer.rotates, world.issuer.new_refresh_token = True, "refresh-2"
    world.refresher.exchange("refresh-1", None)
    return world


def test_the_bare_operation_asked_twice_does_not_spend_a_replaced_refresh_token_again() -> None:
    world = after_a_bare_refresh()
    assert world.refresher.exchange("refresh-1", None).access_token == "access-1"
    assert len(world.issuer.calls) == 1


def test_its_token_is_refreshed_by_the_one_that_is_stored_when_it_has_expired_meanwhile() -> None:
    world = after_a_bare_refresh()
    world.clock.time += timedelta(days=91)
    assert world.refresher.exchange("refresh-1", None).access_token == "access-2"
    assert [sent for sent, _, _ in world.issuer.calls] == ["refresh-1", "refresh-2"]


def test_another_token_than_the_two_that_are_known_is_asked_about() -> None:
    world = after_a_bare_refresh()
    assert world.refresher.exchange("somebody else's", None).access_token == "access-2"
    assert world.issuer.calls[-1][0] == "somebody else's"


def test_where_refresh_tokens_can_be_used_again_nobody_looks_at_what_was_stored_before() -> None:
    world = World.with_token("fresh")
    world.refresher.exchange("somebody else's", None)
    assert world.store.reads == 1


def test_a_client_id_given_with_the_stored_refresh_token_is_kept_only_where_none_was_known() -> None:
    for known, expected in ((None, "given"), ("client-1", "client-1")):
        world = World.with_token("fresh", client_id=known)
        world.refresher.exchange("refresh-1", "given")
        assert world.issuer.calls[0][1] == expected
        assert world.store.read().pair.client_id == expected


def test_a_client_id_that_is_only_the_requests_and_is_refused_pages_nobody_and_cools_nothing_down() -> None:
    world = World.with_token("mandatory", client_id=None)
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        world.refresher.exchange("refresh-1", "mistyped")
    assert world.telemetry.names() == []
    world.issuer.fault = None
    assert world.refresher.live_token().state == "fresh"


def test_an_issuer_with_an_app_of_its_own_is_neither_told_the_requests_client_id_nor_refuses_because_of_it() -> None:
    world = World.with_token("mandatory", client_id=None)
    world.issuer.takes_client_id = False
    world.issuer.fault = REFUSED
    for _ in range(2):
        with pytest.raises(ReauthorizationRequiredException):
            world.refresher.exchange("refresh-1", "any")
    assert len(world.issuer.calls) == 1, "the second one falls into the cooldown"
    assert ("refresh_failed", {"reason": REFUSED.reason, "version_id": "V1", "first": True}) in world.telemetry.told
    world.issuer.fault = None
    world.refresher.force()
    assert world.store.read().pair.client_id is None, "what nobody has checked is not stored"


def test_a_token_refused_in_the_bare_operation_is_a_wrong_parameter() -> None:
    world = World.with_token("fresh")
    world.issuer.fault = REFUSED
    with pytest.raises(InvalidParameterException) as caught:
        world.refresher.exchange("somebody else's", None)
    assert str(caught.value) == (
        "The issuer refuses the token in `refreshTokenBody`. Check the token and its client id. Nothing was stored."
    )


def test_the_stored_token_refused_in_the_bare_operation_needs_a_new_sign_in() -> None:
    world = World.with_token("fresh")
    world.issuer.fault = REFUSED
    with pytest.raises(ReauthorizationRequiredException):
        world.refresher.exchange("refresh-1", None)


@pytest.mark.parametrize("fault", [DOWN, NONSENSE, ConfigurationException("denied")], ids=lambda fault: fault.reason)
def test_other_faults_of_the_issuer_pass_through_the_bare_operation(fault: RefreshTokenError) -> None:
    world = World.with_token("fresh")
    world.issuer.fault = fault
    with pytest.raises(type(fault)):
        world.refresher.exchange("somebody else's", None)


@pytest.mark.parametrize("expires_in", [0, -1, int(NOW.timestamp()) - 1])
def test_an_implausible_expiry_is_not_passed_on_by_the_bare_operation(expires_in: int) -> None:
    world = World.with_token("fresh")
    world.issuer.expires_in = expires_in
    with pytest.raises(IssuerProtocolException):
        world.refresher.exchange("somebody else's", None)


def test_consumers_in_a_cooldown_do_not_reach_the_issuer_and_the_schedule_and_force_do() -> None:
    world = World.with_token("expired")
    world.lock.record_failure("V1", Failure(DOWN.reason, NOW + timedelta(seconds=60)))
    for ask in (
        world.refresher.live_token,
        lambda: world.refresher.report_failure("V1"),
        lambda: world.refresher.exchange("refresh-1", None),
    ):
        with pytest.raises(IssuerUnavailableException):
            ask()
    assert world.issuer.calls == []
    assert world.refresher.tick().outcome == "refreshed"
    world.lock.record_failure("V2", Failure(DOWN.reason, NOW + timedelta(seconds=60)))
    assert world.refresher.force().stored.version_id == "V3"
