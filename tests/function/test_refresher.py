"""The decision table, use case by use case."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from refresh_token import errors
from refresh_token.core.claims import Failure
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.grants import Spends
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.refresher import ANSWER_RESERVE
from refresh_token.core.results import BareToken
from tests.support.faked_core import GRANT_THAT, World, pair
from tests.support.fakes import ISSUED_BY, NOW
from tests.support.windows import LEFT, WINDOWS

if TYPE_CHECKING:
    from refresh_token.core.ports import Issuer

DOWN = errors.IssuerUnavailableException("down")
REFUSED = errors.ReauthorizationRequiredException("refused")
NONSENSE = errors.IssuerProtocolException("nonsense")
NOT_STORED = errors.TokenNotStoredException("down")
UNREADABLE = errors.SecretUnavailableException("denied")

OTHER = IssuedBy("oauth2", "login.example")

USES: dict[str, Callable[[World], Any]] = {
    "ask": lambda world: world.refresher.live_token(),
    "report": lambda world: world.refresher.report_failure("V1"),
    "force": lambda world: world.refresher.force(),
    "tick": lambda world: world.refresher.tick(),
    "exchange": lambda world: world.refresher.exchange("refresh-1", None),
}


def fails(world: World, use: str, error: errors.RefreshTokenError | type[errors.RefreshTokenError]) -> str:
    """Use the world, which raises the kind of an error; return the message."""
    with pytest.raises(errors.RefreshTokenError) as caught:
        USES[use](world)
    assert type(caught.value) is (error if isinstance(error, type) else type(error))
    return str(caught.value)


# (use, window, fault of the issuer, state or outcome, None if it raises the fault)
TABLE: list[tuple[str, str, errors.RefreshTokenError | None, str | None]] = [
    ("ask", "fresh", None, "fresh"),
    ("ask", "advisory", None, "due"),
    ("ask", "mandatory", None, "fresh"),
    ("ask", "expired", None, "fresh"),
    ("ask", "unknown", None, "fresh"),
    ("ask", "mandatory", DOWN, "degraded"),
    ("ask", "mandatory", REFUSED, "degraded"),
    ("ask", "mandatory", NONSENSE, "degraded"),
    ("ask", "expired", DOWN, None),
    ("ask", "expired", REFUSED, None),
    ("ask", "unknown", NONSENSE, None),
    *(("report", window, None, "fresh") for window in LEFT),
    *(("report", window, DOWN, None) for window in ("fresh", "advisory", "mandatory")),
    *(("force", window, None, "fresh") for window in LEFT),
    ("force", "mandatory", DOWN, None),
    ("tick", "fresh", None, "fresh"),
    ("tick", "advisory", None, "refreshed"),
    ("tick", "mandatory", None, "refreshed"),
    ("tick", "expired", None, "refreshed"),
    ("tick", "unknown", None, "refreshed"),
    ("tick", "advisory", DOWN, "degraded"),
    ("tick", "advisory", REFUSED, None),
    ("tick", "advisory", NONSENSE, None),
    ("tick", "mandatory", DOWN, None),
    ("tick", "expired", DOWN, None),
    ("tick", "unknown", REFUSED, None),
]
SENT: dict[Spends, str] = {"refresh_token": "refresh-1", "access_token": "access-0", "nothing": ""}
KEEPS = {("ask", "fresh"), ("ask", "advisory"), ("tick", "fresh")}
"""Uses that call no issuer."""


@pytest.mark.parametrize("spends", GRANT_THAT)
@pytest.mark.parametrize(("use", "window", "fault", "outcome"), TABLE, ids=str)
def test_decision(
    use: str, window: str, fault: errors.RefreshTokenError | None, outcome: str | None, spends: Spends
) -> None:
    world = World.spending(spends, window)
    world.issuer.fault = fault
    if spends == "nothing" and fault is REFUSED:
        fault = errors.ConfigurationException("nobody can sign in")
    if spends == "access_token" and window == "expired":
        assert "only a live one can be exchanged" in fails(world, use, REFUSED)
        assert world.issuer.calls == []
        return
    if outcome is None:
        assert fault
        fails(world, use, fault)
    else:
        result = USES[use](world)
        assert outcome == (result.outcome if use == "tick" else result.state)
        assert result.stored == world.store.read()
    called = (use, window) not in KEEPS
    assert {sent for sent, _, _ in world.issuer.calls} <= {SENT[spends]}
    assert len(world.issuer.calls) == called
    assert world.store.current == ("V2" if called and not fault else "V1")
    degraded = [facts for name, facts in world.telemetry.reports if name == "served_degraded"]
    assert degraded == ([{"reason": fault.reason, "version_id": "V1"}] if fault and outcome else [])


class TestWithoutRefreshTokens:
    @pytest.mark.parametrize("use", ["ask", "tick", "force"])
    def test_an_empty_secret_gets_a_token(self, use: str) -> None:
        world = World.spending("nothing", window=None)
        USES[use](world)
        stored = world.store.read()
        assert (stored.version_id, stored.pair.access_token, stored.pair.refresh_token) == ("V2", "access-1", "")
        assert world.refresher.live_token().state == "fresh"
        assert len(world.issuer.calls) == 1

    def test_an_empty_secret_waits_for_a_sign_in(self) -> None:
        world = World.spending("access_token", window=None)
        for use in ("ask", "tick", "force"):
            fails(world, use, errors.SecretNotSeededException)
        assert world.issuer.calls == []

    @pytest.mark.parametrize("spends", ["access_token", "nothing"])
    def test_the_bare_operation_is_refused(self, spends: Spends) -> None:
        world = World.spending(spends)
        assert "the grant of this stack has no refresh token" in fails(
            world, "exchange", errors.InvalidParameterException
        )
        assert world.issuer.calls == []

    def test_an_exchanged_token_is_its_own_grant(self) -> None:
        world = World.spending("access_token", refreshed_at=NOW)
        world.clock.time = NOW + timedelta(days=20)
        assert world.refresher.tick().outcome == "refreshed", "after two thirds of its life"
        new = world.store.read().pair
        assert (new.refresh_expires_at, new.expires_at) == (new.expires_at, NOW + timedelta(days=110))
        assert world.telemetry.facts("grant_age", "seconds_left") == [90 * 86_400.0]

    @pytest.mark.parametrize(("issued_by", "outcome"), [(None, "fresh"), (ISSUED_BY, "fresh"), (OTHER, "refreshed")])
    def test_a_tick_replaces_another_apps_token(self, issued_by: IssuedBy | None, outcome: str) -> None:
        world = World.spending("nothing", issued_by=issued_by, values={"host": "old"}, scope="old")
        assert world.refresher.tick().outcome == outcome
        pair = world.store.read().pair
        assert (pair.values, pair.scope) == (({}, None) if outcome == "refreshed" else ({"host": "old"}, "old"))

    def test_a_live_token_never_goes_to_another_issuer(self) -> None:
        world = World.spending("access_token", "mandatory", issued_by=OTHER)
        for use in ("force", "tick", "report"):
            fails(world, use, errors.ConfigurationException)
        assert world.issuer.calls == []

    def test_refusals_never_ask_for_a_sign_in(self) -> None:
        world = World.spending("nothing", "expired")
        world.issuer.fault = errors.IssuerUnavailableException("no reason")
        world.issuer.fault.unexplained = True
        for hour in range(0, 24, 3):
            world.clock.time = NOW + timedelta(hours=hour)
            fails(world, "tick", errors.IssuerUnavailableException)
        assert {*world.telemetry.facts("grant_state", "needs_sign_in")} == {False}


class TestConsumer:
    @pytest.mark.parametrize(
        ("window", "state", "calls"),
        [("fresh", "fresh", 0), ("advisory", "due", 0), ("mandatory", "due", 0), ("expired", "fresh", 1)],
    )
    def test_report_of_another_version_is_a_question(self, window: str, state: str, calls: int) -> None:
        world = World.with_token(window)
        assert world.refresher.report_failure("V0").state == state
        assert len(world.issuer.calls) == calls

    @pytest.mark.parametrize(
        ("seconds", "elsewhere", "calls"),
        [(0, True, 0), (1, False, 0), (29.9, True, 0), (30, True, 1), (-1, True, 1)],
    )
    def test_a_report_of_a_new_token_refreshes_nothing(self, seconds: float, calls: int, *, elsewhere: bool) -> None:
        world = World.with_token("fresh", refreshed_at=NOW)
        world.clock.pass_time(seconds)
        if elsewhere:
            world.forget()
        for _ in range(3):
            answer = world.refresher.report_failure("V1")
        assert (answer.stored.version_id, answer.state) == (world.store.current, "fresh")
        assert len(world.issuer.calls) == calls
        assert world.telemetry.names() == ["refreshed"] * calls or ["report_damped"] * 3

    @pytest.mark.parametrize("life", [32, 40])
    def test_a_new_token_may_be_due(self, life: int) -> None:
        world = World.with_token(refreshed_at=NOW, expires_at=NOW + timedelta(seconds=life))
        world.clock.pass_time(29.5)
        assert world.refresher.report_failure("V1").state == "due"
        assert world.telemetry.reports == [("report_damped", {"version_id": "V1"})]

    @pytest.mark.parametrize("window", ["expired", "unknown"])
    def test_a_new_token_that_has_ended_is_refreshed(self, window: str) -> None:
        world = World.with_token(window, refreshed_at=NOW)
        assert world.refresher.report_failure("V1").stored.version_id == "V2"


class TestRefreshTokenAlone:
    @pytest.mark.parametrize("use", USES)
    def test_the_first_use_refreshes_it(self, use: str) -> None:
        world = World.with_token("unknown", access_token="")
        USES[use](world)
        assert world.store.read().pair.access_token == "access-1"
        assert len(world.issuer.calls) == 1


class TestDeadTokenIsNotServed:
    def test_that_expires_while_it_is_stored(self) -> None:
        world = World.with_token("expired")
        world.issuer.expires_in = 1
        world.store.faults = {"put": [NOT_STORED] * 3}
        message = "The token was refreshed, but the new one has already expired. Try again."
        assert fails(world, "ask", errors.RefreshInProgressException) == message


def with_a_dead_token(window: str, world: World | None = None) -> World:
    """Return a world in which a forced refresh was not stored, and everything works again."""
    world = (world or World()).seeded(window)
    world.store.faults = {"put": [NOT_STORED] * 1000}
    fails(world, "force", NOT_STORED)
    world.store.faults, world.clock.left = {}, 60
    return world


class TestLostAnswer:
    """A token was replaced, and its successor not stored."""

    @pytest.mark.parametrize("window", ["fresh", "advisory", "mandatory"])
    @pytest.mark.parametrize(
        ("use", "elsewhere"), [("tick", False), ("tick", True), ("ask", False), ("report", False), ("report", True)]
    )
    def test_the_next_use_heals_it(self, window: str, use: str, *, elsewhere: bool) -> None:
        world = with_a_dead_token(window)
        if elsewhere:
            world.forget()
        answer = USES[use](world)
        assert answer.stored.version_id == world.store.current != "V1"
        assert answer.stored.pair.access_token == world.issuer.live
        assert world.telemetry.facts("refreshed", "recovered_from") == [NOT_STORED.reason]
        assert world.refresher.tick().outcome == "fresh", "once"

    @pytest.mark.parametrize("known", ["a killed holder", "a lost answer", "a lost answer of this process"])
    def test_a_report_of_a_new_one_heals(self, known: str) -> None:
        world = World.with_token("fresh", refreshed_at=NOW)
        match known:
            case "a killed holder":
                world.lock.hold(seconds=-1)
            case "a lost answer":
                world.lock.record_failure("V1", Failure(NOT_STORED.reason, NOW, lost=True))
            case _:
                world.memory.mark_dead("V1")
        assert world.refresher.report_failure("V1").stored.version_id == "V2"

    def test_a_refusal_alone_heals_no_new_one(self) -> None:
        world = World.with_token("fresh", refreshed_at=NOW)
        world.lock.record_failure("V1", Failure(REFUSED.reason, NOW, refused=True))
        assert world.refresher.report_failure("V1").stored.version_id == "V1"

    def test_a_killed_holder_may_have_lost_one(self) -> None:
        world = World.with_token("fresh")
        world.lock.hold()
        assert world.refresher.tick().outcome == "fresh", "someone is refreshing it right now"
        assert world.issuer.calls == []
        world.clock.pass_time(61)
        world.clock.left = 60
        world.issuer.fault = DOWN
        fails(world, "tick", DOWN)
        world.issuer.fault = None
        assert world.refresher.tick().outcome == "refreshed", "the doubt outlives a refresh that fails"

    @pytest.mark.parametrize("failure", [Failure(DOWN.reason, NOW), None])
    def test_other_outcomes_leave_a_fresh_token_alone(self, failure: Failure | None) -> None:
        world = World.with_token("fresh")
        if failure:
            world.lock.record_failure("V1", failure)
        else:
            world.lock.record_success("V1")
        assert world.refresher.tick().outcome == "fresh"
        assert world.issuer.calls == []

    def test_is_no_matter_of_a_pair_stored_meanwhile(self) -> None:
        world = with_a_dead_token("fresh")
        world.forget()
        world.issuer.while_calling = lambda: world.store.put("operator", pair("expired"))
        world.refresher.tick()
        assert world.telemetry.facts("refreshed", "recovered_from") == [None]


IDLE = GrantLife(idle=timedelta(days=60))
SHORT = {"expires_at": NOW + timedelta(minutes=10), "refreshed_at": NOW - timedelta(minutes=10)}
ENDED = {"expires_at": NOW - timedelta(minutes=10), "refreshed_at": NOW - timedelta(minutes=30)}
AGES_AGO = NOW - timedelta(days=40)
UNUSED = {"refreshed_at": AGES_AGO}
MARGIN = replace(WINDOWS, margin=timedelta(seconds=90))
NEARLY_OVER = {"expires_at": NOW + timedelta(seconds=90), "refreshed_at": NOW - timedelta(minutes=20)}

# (name, the connection's settings, the pair's window, what else the pair has, the tick's outcome)
TICKS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("a short life rests", {"policy": "auto"}, "fresh", ENDED, "idle"),
    ("a short life is fresh", {"policy": "auto"}, "fresh", SHORT, "fresh"),
    ("a long life does not rest", {"policy": "auto"}, "expired", {}, "refreshed"),
    ("a short life is always refreshed", {"policy": "always"}, "fresh", ENDED, "refreshed"),
    *((f"{window} on demand", {"policy": "demand"}, window, {}, "idle") for window in LEFT if window != "fresh"),
    ("a refresh token alone does not rest", {"policy": "demand"}, "unknown", {"access_token": ""}, "refreshed"),
    ("an unused grant", {"grant_life": IDLE}, "fresh", UNUSED, "refreshed"),
    ("an unused grant of unknown age", {"grant_life": IDLE}, "fresh", {"stored": AGES_AGO}, "refreshed"),
    ("a grant of unknown age", {"grant_life": IDLE}, "fresh", {"stored": NOW - timedelta(days=39)}, "fresh"),
    ("an unused grant on demand", {"grant_life": IDLE, "policy": "demand"}, "expired", UNUSED, "refreshed"),
    ("a grant in use", {"grant_life": IDLE}, "fresh", {"refreshed_at": NOW - timedelta(days=39)}, "fresh"),
    (
        "an unused grant that says so",
        {},
        "fresh",
        {**UNUSED, "refresh_expires_at": NOW + timedelta(days=20)},
        "refreshed",
    ),
    ("an unused grant before the margin", {"grant_life": IDLE, "windows": MARGIN}, "advisory", UNUSED, "fresh"),
    ("one that the margin would end", {"grant_life": IDLE, "windows": MARGIN}, "fresh", UNUSED, "refreshed"),
    ("before the margin", {"windows": MARGIN}, "fresh", SHORT, "fresh"),
    ("at the margin", {"windows": MARGIN}, "fresh", NEARLY_OVER, "refreshed"),
]


@pytest.mark.parametrize(
    ("settings", "window", "facts", "outcome"), [case[1:] for case in TICKS], ids=[case[0] for case in TICKS]
)
class TestTickSettings:
    def test_outcome(self, settings: dict[str, Any], window: str, facts: dict[str, Any], outcome: str) -> None:
        world = World(**settings).seeded(window, **facts)
        assert world.refresher.tick().outcome == outcome
        assert len(world.issuer.calls) == (outcome == "refreshed")
        assert world.telemetry.facts("token_age", "overdue") == [False]
        assert (world.telemetry.facts("token_age", "seconds_left") == [None]) == (outcome == "idle")

    def test_a_failing_issuer(self, settings: dict[str, Any], window: str, facts: dict[str, Any], outcome: str) -> None:
        world = World(**settings).seeded(window, **facts)
        world.issuer.fault = DOWN
        urgent = outcome == "refreshed" and "grant_life" not in settings and "refresh_expires_at" not in facts
        if urgent:
            fails(world, "tick", DOWN)
        else:
            assert world.refresher.tick().outcome == outcome.replace("refreshed", "degraded")
        assert world.telemetry.facts("token_age", "overdue") == [urgent]


class TestAccessTokenAlone:
    @pytest.mark.parametrize(
        ("use", "window"), [("tick", "advisory"), ("ask", "expired"), ("report", "fresh"), ("force", "fresh")]
    )
    def test_cannot_be_refreshed(self, use: str, window: str) -> None:
        world = World.with_token(window, refresh_token="")
        assert "Run `tokenctl authorize --stage <stage>` to sign in." in fails(world, use, REFUSED)
        assert (world.issuer.calls, world.lock.table) == ([], {})


class TestPairOfAnotherIssuer:
    OTHERS = (IssuedBy("oauth2", "api.figma.com"), IssuedBy("figma", "api.figma-gov.com"))

    @pytest.mark.parametrize("theirs", OTHERS, ids=str)
    @pytest.mark.parametrize("use", USES)
    def test_nothing_is_sent(self, use: str, theirs: IssuedBy) -> None:
        world = World.with_token("expired", issued_by=theirs)
        message = fails(world, use, errors.ConfigurationException)
        assert message == (
            f"The stored token pair belongs to {theirs}, but this stack uses figma (api.figma.com). Nothing was "
            "sent. Run `tokenctl authorize --stage <stage>` to sign in there, or deploy the settings of "
            f"{theirs} again."
        )
        assert (world.issuer.calls, world.lock.table) == ([], {})
        failed = {"reason": "ConfigurationException", "version_id": "V1", "first": True}
        assert ("refresh_failed", failed) in world.telemetry.reports


class TestOnDemand:
    def test_a_tick_replaces_what_is_known_dead(self) -> None:
        world = World(policy="demand").seeded("advisory")
        world.memory.mark_dead("V1")
        assert world.refresher.tick().outcome == "refreshed"


BEFORE = Failure(DOWN.reason, NOW)
BADLY = errors.ConfigurationException("wrong")
# The window, how the version's last refresh failed, what the issuer does now; whether a person must sign in, whether a
# pair is lost, and whether the token is overdue
STATE_CASES = [
    ("fresh", None, None, False, False, False),
    ("fresh", BEFORE, None, False, False, False),
    ("fresh", replace(BEFORE, refused=True), None, True, False, False),
    ("fresh", replace(BEFORE, lost=True), None, False, False, False),
    ("fresh", replace(BEFORE, lost=True), DOWN, False, True, False),
    ("advisory", None, DOWN, False, False, False),
    ("advisory", None, REFUSED, True, False, False),
    ("advisory", replace(BEFORE, refused=True), DOWN, True, False, False),
    ("mandatory", None, DOWN, False, False, True),
    ("mandatory", None, REFUSED, True, False, None),
    ("mandatory", None, BADLY, False, False, None),
    ("mandatory", replace(BEFORE, refused=True), DOWN, True, False, None),
    ("mandatory", replace(BEFORE, lost=True), DOWN, False, True, None),
    ("mandatory", replace(BEFORE, refused=True, lost=True), None, False, False, False),
    ("expired", None, NOT_STORED, False, True, None),
    ("unknown", None, DOWN, False, False, True),
]


@pytest.mark.parametrize(("window", "before", "fault", "refused", "lost", "overdue"), STATE_CASES)
def test_a_tick_tells_who_must_act(
    window: str,
    before: Failure | None,
    fault: errors.RefreshTokenError | None,
    *,
    refused: bool,
    lost: bool,
    overdue: bool | None,
) -> None:
    world = World.with_token(window)
    if before:
        world.lock.record_failure("V1", before)
    if fault is NOT_STORED:
        world.store.faults = {"put": [NOT_STORED] * 1000}
    else:
        world.issuer.fault = fault
    with nullcontext() if fault is None or (window, fault) == ("advisory", DOWN) else pytest.raises(type(fault)):
        world.refresher.tick()
    told = {"needs_sign_in": refused, "pair_not_stored": lost}
    assert [facts for name, facts in world.telemetry.reports if name == "grant_state"] == [told]
    assert world.telemetry.facts("token_age", "overdue") == [overdue]


class TestTickTelemetry:
    @pytest.mark.parametrize("window", LEFT)
    def test_measures_the_current_token_once(self, window: str) -> None:
        world = World.with_token(window)
        world.refresher.tick()
        ages = [facts for name, facts in world.telemetry.reports if name == "token_age"]
        left = 30 * 86_400.0 if window == "fresh" else 7_776_000.0
        assert ages == [{"version_id": world.store.current, "seconds_left": left, "overdue": False}]

    def test_measures_the_grant_if_its_end_is_known(self) -> None:
        world = World.with_token("fresh", refresh_expires_at=NOW + timedelta(hours=1))
        world.refresher.tick()
        assert world.telemetry.facts("grant_age", "seconds_left") == [3600.0]
        assert world.telemetry.facts("grant_age", "ending") == [True]

    def test_measures_the_grant_by_what_the_operator_knows(self) -> None:
        world = World(grant_life=IDLE).seeded("fresh", refreshed_at=NOW - timedelta(days=1))
        world.refresher.tick()
        assert world.telemetry.facts("grant_age", "seconds_left") == [59 * 86_400.0]
        assert world.telemetry.facts("grant_age", "ending") == [False]

    def test_measures_the_old_token_when_it_fails(self) -> None:
        world = World.with_token("mandatory")
        world.issuer.fault = DOWN
        fails(world, "tick", DOWN)
        facts = {"version_id": "V1", "seconds_left": 3 * 3600.0, "overdue": True}
        assert ("token_age", facts) in world.telemetry.reports

    def test_measures_the_token_despite_wrong_issuer_settings(self) -> None:
        world = World.with_token("fresh")

        def misconfigured() -> "Issuer":
            raise errors.ConfigurationException("ISSUER")

        world.make_issuer = misconfigured
        fails(world, "tick", errors.ConfigurationException)
        assert world.telemetry.names() == ["grant_state", "token_age", "grant_age"]

    def test_reports_a_lock_that_cannot_be_read(self) -> None:
        world = World.with_token("fresh")
        world.lock.fault = DOWN
        assert world.refresher.tick().outcome == "fresh"
        assert world.telemetry.names() == ["lock_not_read", "token_age", "grant_age"]
        assert world.telemetry.reports[0] == ("lock_not_read", {"reason": DOWN.reason, "version_id": "V1"})

    def test_reports_an_expiry_too_far_ahead(self) -> None:
        world = World.with_token(expires_at=NOW + timedelta(days=500))
        world.refresher.live_token()
        assert world.telemetry.names() == []
        world.refresher.tick()
        assert world.telemetry.names() == ["expiry_capped", "grant_state", "token_age", "grant_age"]


class TestBareOperation:
    def test_with_another_token_stores_nothing(self) -> None:
        world = World.with_token("fresh")
        world.issuer.expires_in, world.clock.left = 1234, 30
        bare = world.refresher.exchange("somebody else's", "their client")
        assert (bare.access_token, bare.expires_in) == ("access-1", 1234)
        assert world.issuer.calls == [("somebody else's", "their client", 30 - ANSWER_RESERVE)]
        assert world.store.steps == ["read", "read previous"]

    @pytest.mark.parametrize("expires_in", [7_776_000, int(NOW.timestamp()) + 3600])
    def test_with_the_stored_token_stores_the_result(self, expires_in: int) -> None:
        world = World.with_token("fresh")
        world.issuer.expires_in = expires_in
        bare = world.refresher.exchange("refresh-1", None)
        assert (bare.access_token, bare.expires_in) == ("access-1", expires_in)
        assert (world.store.current, world.store.read().pair.access_token) == ("V2", "access-1")

    def test_shares_a_refresh_that_is_under_way(self) -> None:
        world = World.with_token("fresh")
        world.lock.hold()
        world.clock.while_asleep = lambda: world.store.put("V9", pair(access_token="theirs"))
        bare = world.refresher.exchange("refresh-1", None)
        assert bare.access_token == "theirs"
        assert 0 < bare.expires_in < 30 * 24 * 3600
        assert world.issuer.calls == []

    @pytest.mark.parametrize("expires_in", [0, -1, int(NOW.timestamp()) - 1])
    def test_guesses_an_expiry_that_is_not_said(self, expires_in: int) -> None:
        world = World.with_token("fresh")
        world.issuer.expires_in = expires_in
        assert world.refresher.exchange("somebody else's", None) == BareToken("access-1", 7_776_000)

    def test_refused_token_is_a_wrong_parameter(self) -> None:
        world = World.with_token("fresh")
        world.issuer.fault = REFUSED
        with pytest.raises(errors.InvalidParameterException) as caught:
            world.refresher.exchange("somebody else's", None)
        assert str(caught.value) == (
            "The issuer refuses the token in `refreshTokenBody`. Check the token and its client id. Nothing was stored."
        )
        fails(world, "exchange", REFUSED)


UNREADABLE_TEXTS = {
    "no owner": '{"refreshToken": "refresh-1", "issuedBy": "figma"}',
    "of another issuer": '{"refreshToken": "refresh-1", "issuedBy": {"issuer": "oauth2", "host": "h"}, "clientId": 1}',
    "no usable token": '{"refreshToken": "refresh-1\\n"}',
    "a key twice": '{"refreshToken": "refresh-1", "refreshToken": 1}',
    "nested": '{"token": [{"refresh_token": "refresh-1"}], "note": "not seeded"}',
    "a comma too many": '{"refreshToken": "refresh-1",}',
    "a dictionary of Python": "{'refresh_token': 'refresh-1'}",
    "variables": "ACCESS=a\nREFRESH=refresh-1\n",
    "the token": "refresh-1",
    "a list": '[["refresh-1"]]',
    "a lone surrogate": '{"refreshToken": 1, "note": ["\\ud800", "refresh-1"]}',
}


class TestBareOperationBesideTheSecret:
    """A token that is in the secret is not sent by itself, and nothing is sent to another issuer."""

    def test_a_secret_whose_pair_has_moved(self) -> None:
        world = World()
        world.store.put_text("V1", '{"connection": "acme/u1"}')
        with pytest.raises(errors.SecretMalformedException) as caught:
            world.refresher.exchange("perhaps the one that has moved", None)
        assert caught.value.moved_to == "acme/u1"
        assert world.issuer.calls == []

    @pytest.mark.parametrize("text", UNREADABLE_TEXTS.values(), ids=UNREADABLE_TEXTS)
    def test_a_token_in_an_unreadable_secret(self, text: str) -> None:
        world = World()
        world.store.put_text("V1", text)
        fails(
            world,
            "exchange",
            errors.SecretNotSeededException if "not seeded" in text else errors.SecretMalformedException,
        )
        assert world.issuer.calls == []
        for part in ("refresh-", "efresh-1", "refresh-2"):
            world.refresher.exchange(part, None)
        assert len(world.issuer.calls) == 3

    def test_a_token_beside_a_revoked_grant(self) -> None:
        world = World()
        world.store.put_text("V1", '{"revokedAt": "2026-11-02T00:00:00Z"}')
        for use in ("ask", "tick", "force"):
            fails(world, use, errors.ReauthorizationRequiredException)
        assert world.issuer.calls == []
        world.refresher.exchange("another", None)
        assert len(world.issuer.calls) == 1

    def test_a_padded_token_in_an_unreadable_secret(self) -> None:
        world = World()
        world.store.put_text("V1", "REFRESH=cmVmcmVzaA==")
        with pytest.raises(errors.SecretMalformedException):
            world.refresher.exchange("cmVmcmVzaA==", None)

    def test_the_previous_token_while_unreadable(self) -> None:
        world = World.with_token("fresh")
        world.store.put_text("V2", "no JSON")
        fails(world, "exchange", errors.SecretMalformedException)
        assert world.issuer.calls == []

    @pytest.mark.parametrize("rotates", [False, True])
    def test_the_previous_token_of_another_issuer(self, *, rotates: bool) -> None:
        world = World.with_token("fresh", issued_by=OTHER)
        world.issuer.rotates = rotates
        world.store.put("V2", pair(refresh_token="refresh-2"))
        assert fails(world, "exchange", errors.ConfigurationException) == (
            "The token in `refreshTokenBody` belongs to oauth2 (login.example), but this stack uses figma "
            "(api.figma.com). Nothing was sent. Send a token of this stack's issuer, or deploy the settings of oauth2 "
            "(login.example) again."
        )
        assert world.issuer.calls == []

    @pytest.mark.parametrize("readable", [True, False])
    def test_the_issuer_knows_whose_the_pair_is(self, *, readable: bool) -> None:
        world = World.with_token("fresh", issued_by=OTHER)
        if not readable:
            world.store.put_text("V2", json.dumps({"refreshToken": 1, "issuedBy": OTHER.to_document()}))
        world.refresher.exchange("somebody else's", None)
        assert world.issuer.owner == OTHER


class TestRepeatedBareOperation:
    """The bare operation has spent ``refresh-1``, which the issuer replaced by ``refresh-2``."""

    def world(self) -> World:
        world = World.with_token("fresh")
        world.issuer.rotates, world.issuer.new_refresh_token = True, "refresh-2"
        world.refresher.exchange("refresh-1", None)
        return world

    def test_gets_the_current_token(self) -> None:
        world = self.world()
        assert world.refresher.exchange("refresh-1", None) == BareToken("access-1", 7_776_000)
        assert len(world.issuer.calls) == 1

    def test_gets_no_token_of_another_grant(self) -> None:
        world = self.world()
        world.store.put("by-hand", pair(refresh_token="refresh-3", granted_at=NOW + timedelta(days=1)))
        assert world.refresher.exchange("refresh-2", None).access_token == "access-2"
        assert world.issuer.calls[-1][0] == "refresh-2"

    def test_asks_the_issuer_about_other_tokens(self) -> None:
        world = self.world()
        assert world.refresher.exchange("somebody else's", None).access_token == "access-2"
        assert world.issuer.calls[-1][0] == "somebody else's"


class TestClientId:
    @pytest.mark.parametrize(("known", "used"), [(None, "given"), ("client-1", "client-1")])
    def test_of_the_request_fills_in_an_unknown_one(self, known: str | None, used: str) -> None:
        world = World.with_token("fresh", client_id=known)
        world.refresher.exchange("refresh-1", "given")
        assert world.issuer.calls[0][1] == world.store.read().pair.client_id == used

    def test_of_the_request_is_ignored_by_some_issuers(self) -> None:
        world = World.with_token("mandatory", client_id=None)
        world.issuer.takes_client_id, world.issuer.fault = False, REFUSED
        for _ in range(2):
            with pytest.raises(errors.ReauthorizationRequiredException):
                world.refresher.exchange("refresh-1", "any")
        assert len(world.issuer.calls) == 1, "the second one falls into the cooldown"
        assert world.telemetry.facts("refresh_failed", "first") == [True]
        world.issuer.fault = None
        world.refresher.force()
        assert world.store.read().pair.client_id is None, "a client id that nobody has checked is not stored"
