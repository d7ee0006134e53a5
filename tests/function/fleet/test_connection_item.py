"""A connection's refreshes on its item: what they call, and what becomes of it when something goes wrong in the middle.

`test_ports.py` has what the item has in common with a secret and its lock.
"""

from datetime import timedelta
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.connection_table import MAX_CALL_TIME, ConnectionTable
from refresh_token.adapters.deadline import Deadline
from refresh_token.adapters.item_tokens import PLACEHOLDER
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.claims import Failure, HeldClaim
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.errors import (
    ConfigurationException,
    ConnectionNotFoundException,
    ConnectionPausedException,
    IssuerProtocolException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)
from refresh_token.fleet import operator_writes, writes
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from tests.support.fakes import NOW
from tests.support.fleet import DUE, NAME, WORKS, Fate, FleetStage, failing, fleet_stage, pair_of
from tests.support.memory_kms import MemoryKms
from tests.support.windows import LEFT

if TYPE_CHECKING:
    from collections.abc import Callable

DOWN = IssuerUnavailableException("down")
REFUSED = ReauthorizationRequiredException("refused")


@pytest.fixture
def stage(aws: None) -> FleetStage:  # noqa: ARG001 - moto must be there
    return fleet_stage()


def seeded(stage: FleetStage, window: str = "mandatory", **facts: Any) -> Record:
    left = LEFT[window]
    life = {"expires_at": None if left is None else NOW + left, "refreshed_at": NOW - timedelta(days=60)}
    return stage.seed(pair=pair_of(**{**life, **facts}))


def calls(stage: FleetStage) -> list[str]:
    made, stage.wire.calls = stage.wire.calls, []
    return made


class TestCalls:
    def test_a_fresh_token_costs_one_read(self, stage: FleetStage) -> None:
        seeded(stage, "fresh")
        assert stage.refresher().live_token().state == "fresh"
        assert calls(stage) == ["GetItem"]

    def test_a_sealed_one_costs_a_decryption_more(self, stage: FleetStage) -> None:
        stage.seals_access = True
        seeded(stage, "fresh")
        assert stage.refresher().live_token().stored.pair.access_token == "access-0"
        assert calls(stage) == ["GetItem", "Decrypt"]

    @pytest.mark.parametrize(
        ("replaced", "expected"),
        [
            (None, ["GetItem", "UpdateItem", "Decrypt", "UpdateItem"]),
            ("refresh-0", ["GetItem", "UpdateItem", "Decrypt", "UpdateItem"]),
            ("refresh-1", ["GetItem", "UpdateItem", "Decrypt", "Encrypt", "UpdateItem"]),
        ],
    )
    def test_a_refresh_costs_two_changes(self, stage: FleetStage, replaced: str | None, expected: list[str]) -> None:
        before, stage.issuer.new_refresh_token = seeded(stage), replaced
        assert stage.refresher().tick().outcome == "refreshed"
        assert calls(stage) == expected
        after = stage.table.record()
        assert (after.refresh == before.refresh) == (replaced != "refresh-1"), "an unchanged token stays as it is"
        assert stage.opened() == (replaced or "refresh-0")
        assert [sent for sent, _, _ in stage.issuer.calls] == ["refresh-0"], "and the placeholder was not sent"

    @pytest.mark.parametrize(("rotates", "seals"), [(True, False), (False, True)])
    def test_the_key_is_tried_before_the_call(self, stage: FleetStage, *, rotates: bool, seals: bool) -> None:
        stage.seals_access, stage.issuer.rotates, stage.issuer.new_refresh_token = seals, rotates, "refresh-1"
        seeded(stage)
        stage.wire.fates["Encrypt"] = [failing("AccessDeniedException")]
        with pytest.raises(SecretUnavailableException, match="the provider was not called"):
            stage.refresher().tick()
        assert (stage.issuer.calls, stage.opened()) == ([], "refresh-0")
        assert stage.refresher().tick().outcome == "refreshed"

    def test_a_tick_with_a_fresh_token_moves_on(self, stage: FleetStage) -> None:
        seeded(stage, "fresh")
        refresher = stage.refresher()
        report = refresher.tick()
        assert report.outcome == "fresh"
        item: Any = refresher.connection.store
        item.move_on(report.stored)
        assert calls(stage) == ["GetItem", "UpdateItem"]
        assert stage.table.record().due_at == int((NOW + LEFT["fresh"] - timedelta(days=7)).timestamp())  # type: ignore[operator]

    def test_a_long_token_is_sealed_in_pieces(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.new_refresh_token = "ö" * 5000
        stage.refresher().tick()
        assert len(stage.table.record().refresh or ()) == 3
        assert stage.opened() == "ö" * 5000


class TestWhatIsStored:
    def test_it_shows_no_refresh_token(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.new_refresh_token = "refresh-1"
        stage.refresher().tick()
        shown = repr(stage.table.item())
        assert [each for each in ("refresh-0", "refresh-1", PLACEHOLDER) if each in shown] == []
        assert "access-1" in shown

    def test_sealed_access_tokens_show_neither(self, stage: FleetStage) -> None:
        stage.seals_access = True
        seeded(stage)
        assert stage.refresher().force().stored.pair.access_token == "access-1"
        assert "access" not in repr([value for key, value in stage.table.item().items() if key != "state"])
        assert stage.refresher().live_token().stored.pair.access_token == "access-1"

    def test_a_placeholder_is_refused(self, stage: FleetStage) -> None:
        version, item = seeded(stage).version, stage.item()
        with pytest.raises(ValueError, match="placeholder"):
            item.replace(item.read().pair, expected=version, version_id="V2", seconds=30)
        assert stage.table.record().version == version

    def test_a_token_of_another_connection_is_not_opened(self, stage: FleetStage) -> None:
        stage.seed("acme/u2", pair_of(refresh_token="canary", expires_at=NOW))
        theirs = stage.table.client.get_item(TableName=stage.table.name, Key={"pk": {"S": "acme/u2"}})["Item"]
        seeded(stage, "expired")
        stage.table.change(refreshToken=theirs["refreshToken"])
        with pytest.raises(SecretMalformedException, match="not encrypted for it"):
            stage.refresher().tick()
        assert stage.issuer.calls == []
        record = stage.table.record()
        assert (record.state, record.due_at, record.claim_id) == (State.MALFORMED, None, None)
        assert stage.changes == [(NAME, "active", "malformed")]


def theirs(stage: FleetStage) -> None:
    """Do what another process does: it refreshes the connection."""
    record = stage.table.record()
    successor = stage.sealed(NAME, "refresh-9")
    stage.table.change(
        version={"S": "theirs"},
        accessToken={"S": "access-9"},
        claimId=None,
        claimUntil=None,
        openClaims=None,
        refreshToken={"L": [{"B": piece} for piece in successor]},
        expiresAt={"S": "2027-02-20T12:00:00Z"},
    )
    assert record.version != "theirs"


class TestLateAnswers:
    """A change took effect, and its answer did not arrive, or came only to a repeated call."""

    @pytest.mark.parametrize("which", range(2), ids=["claim", "store"])
    def test_our_own_is_recognised(self, stage: FleetStage, which: int) -> None:
        seeded(stage)
        stage.wire.fates["UpdateItem"] = [*[WORKS] * which, Fate(repeated=True)]
        assert stage.refresher().force().stored.pair.access_token == "access-1"
        record = stage.table.record()
        assert (record.access, record.claim_id, record.state) == ("access-1", None, State.ACTIVE)
        assert (len(stage.issuer.calls), stage.telemetry.names()) == (1, ["refreshed"])

    def test_a_lost_answer_to_the_store_is_found(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.new_refresh_token = "refresh-1"
        stage.wire.fates["UpdateItem"] = [WORKS, Fate(lost=True)]
        assert stage.refresher().force().stored.pair.access_token == "access-1"
        assert (stage.table.record().access, stage.opened()) == ("access-1", "refresh-1")
        assert (len(stage.issuer.calls), stage.telemetry.names()) == (1, ["refreshed"])

    def test_a_lost_answer_to_the_claim_stops_everything(self, stage: FleetStage) -> None:
        version = seeded(stage).version
        stage.wire.fates["UpdateItem"] = [Fate(lost=True)]
        with pytest.raises(IssuerUnavailableException, match="does not answer"):
            stage.refresher().force()
        record = stage.table.record()
        assert (record.version, record.open_claims, stage.issuer.calls) == (version, 1, [])
        stage.clock.pass_time(61)
        stage.clock.left = 60
        assert stage.refresher().tick().outcome == "refreshed", "and the next worker finds it"

    def test_anothers_pair_stays(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.wire.fates["UpdateItem"] = [WORKS, Fate(before=lambda: theirs(stage))]
        assert stage.refresher().force().stored.pair.access_token == "access-9"
        assert "superseded" in stage.telemetry.names()
        assert stage.table.record().version == "theirs"

    def test_anothers_claim_stays(self, stage: FleetStage) -> None:
        record = seeded(stage)
        rival = writes.claim(record, now=NOW.timestamp(), seconds=60, claim_id="theirs", ignore_cooldown=True)
        stage.wire.fates["UpdateItem"] = [Fate(before=lambda: stage.table.make("update_item", rival))]
        item = stage.item()
        assert not isinstance(item.claim(record.version, seconds=60, now=NOW, ignore_cooldown=True), HeldClaim)
        assert stage.table.record().claim_id == "theirs"

    def test_a_failure_is_recorded_once(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.fault = DOWN
        stage.wire.fates["UpdateItem"] = [WORKS, Fate(repeated=True)]
        with pytest.raises(IssuerUnavailableException):
            stage.refresher().force()
        assert (stage.table.record().attempts, stage.table.record().state) == (1, State.COOLING)


class TestOperatorsInTheMiddle:
    def act(self, stage: FleetStage, what: str) -> None:
        record = stage.table.record()
        changes: dict[str, Callable[[], Any]] = {
            "seeds": lambda: stage.seed(pair=pair_of("access-op", refresh_token="refresh-op")),
            "pauses": lambda: stage.table.make("update_item", operator_writes.pause(record)),
            "revokes": lambda: stage.table.make("update_item", operator_writes.revoke(record, version="gone", now=NOW)),
            "removes": lambda: stage.table.make("delete_item", {"Key": {"pk": {"S": NAME}}}),
        }
        changes[what]()

    def test_a_seed_stays(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.while_calling = lambda: self.act(stage, "seeds")
        assert stage.refresher().force().stored.pair.access_token == "access-op"
        assert (stage.table.record().access, stage.opened()) == ("access-op", "refresh-op")

    def test_a_pause_stays_and_nothing_is_lost(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.new_refresh_token = "refresh-1"
        stage.issuer.while_calling = lambda: self.act(stage, "pauses")
        assert stage.refresher().force().stored.pair.access_token == "access-1"
        record = stage.table.record()
        assert (record.state, record.due_at, record.access) == (State.PAUSED, None, "access-1")
        assert stage.opened() == "refresh-1"

    @pytest.mark.parametrize("fault", [DOWN, REFUSED])
    def test_a_pause_outlasts_a_failure(self, stage: FleetStage, fault: RefreshTokenError) -> None:
        seeded(stage)
        stage.issuer.fault = fault
        stage.wire.fates["UpdateItem"] = [WORKS, Fate(before=lambda: self.act(stage, "pauses"))]
        with pytest.raises(type(fault)):
            stage.refresher().force()
        record = stage.table.record()
        assert (record.state, record.due_at, record.claim_id) == (State.PAUSED, None, None)
        assert record.failure
        assert record.failure.reason == type(fault).__name__

    @pytest.mark.parametrize(
        ("what", "error"), [("revokes", ConnectionPausedException), ("removes", ConnectionNotFoundException)]
    )
    def test_what_is_gone_stays_gone(self, stage: FleetStage, what: str, error: type[RefreshTokenError]) -> None:
        seeded(stage)
        stage.issuer.while_calling = lambda: self.act(stage, what)
        with pytest.raises(error):
            stage.refresher().force()
        assert "accessToken" not in stage.table.item()

    @pytest.mark.parametrize(
        ("what", "error"),
        [
            ("pauses", ConnectionPausedException),
            ("revokes", ConnectionPausedException),
            ("removes", ConnectionNotFoundException),
        ],
    )
    def test_before_the_claim_nothing_is_sent(
        self, stage: FleetStage, what: str, error: type[RefreshTokenError]
    ) -> None:
        seeded(stage)
        stage.wire.fates["UpdateItem"] = [Fate(before=lambda: self.act(stage, what))]
        refresher = stage.refresher()
        with pytest.raises(error):
            refresher.force()
        assert stage.issuer.calls == []

    def test_one_who_waits_learns_of_the_pause(self, stage: FleetStage) -> None:
        record = seeded(stage, "expired")
        stage.table.make(
            "update_item",
            writes.claim(record, now=NOW.timestamp(), seconds=60, claim_id="theirs", ignore_cooldown=True),
        )
        stage.clock.while_asleep = lambda: self.act(stage, "pauses")
        with pytest.raises(ConnectionPausedException, match=f"connections resume {NAME}"):
            stage.refresher().live_token()


class TestStates:
    REFUSING: tuple[tuple[State, type[RefreshTokenError]], ...] = (
        (State.PAUSED, ConnectionPausedException),
        (State.REVOKED, ConnectionPausedException),
        (State.STUCK, ConnectionPausedException),
        (State.REFUSED, ReauthorizationRequiredException),
        (State.MALFORMED, SecretMalformedException),
    )

    @pytest.mark.parametrize(("state", "error"), REFUSING)
    def test_a_question_is_refused_without_a_call(
        self, stage: FleetStage, state: State, error: type[RefreshTokenError]
    ) -> None:
        seeded(stage, "fresh")
        stage.table.change(state={"S": state})
        with pytest.raises(error, match=NAME):
            stage.refresher().live_token()
        assert calls(stage) == ["GetItem"]

    @pytest.mark.parametrize("state", [State.STUCK, State.REFUSED, State.MALFORMED, State.COOLING])
    def test_a_force_is_tried(self, stage: FleetStage, state: State) -> None:
        seeded(stage, "fresh")
        stage.table.change(state={"S": state}, openClaims={"N": "3"}, dueAt=None, slot=None)
        stage.refresher(force=True).force()
        record = stage.table.record()
        assert (record.state, record.access, record.open_claims) == (State.ACTIVE, "access-1", 0)
        assert stage.changes == [(NAME, state, "active")]

    @pytest.mark.parametrize("state", [State.PAUSED, State.REVOKED])
    def test_but_not_against_an_operator(self, stage: FleetStage, state: State) -> None:
        seeded(stage, "fresh")
        stage.table.change(state={"S": state})
        with pytest.raises(ConnectionPausedException):
            stage.refresher(force=True).force()
        assert stage.issuer.calls == []

    def test_a_fault_is_retried_later_and_later(self, stage: FleetStage) -> None:
        seeded(stage, "expired")
        stage.issuer.fault = DOWN
        waits = []
        for _ in range(4):
            with pytest.raises(IssuerUnavailableException):
                stage.refresher().tick()
            waits.append((stage.table.record().due_at or 0) - int(stage.clock.now().timestamp()))
        assert waits == [60, 120, 240, 480]
        assert stage.changes == [(NAME, "active", "cooling")]
        stage.issuer.fault = None
        assert stage.refresher().tick().outcome == "refreshed"
        assert stage.changes[1:] == [(NAME, "cooling", "active")]

    def test_the_providers_wait_counts_for_consumers_too(self, stage: FleetStage) -> None:
        seeded(stage, "expired")
        stage.issuer.fault = IssuerUnavailableException("busy")
        stage.issuer.fault.retry_after = 1800.0
        with pytest.raises(IssuerUnavailableException):
            stage.refresher().tick()
        assert stage.table.record().due_at == int(NOW.timestamp()) + 1800
        stage.clock.pass_time(1799)
        stage.clock.left = 60
        with pytest.raises(IssuerUnavailableException, match="cannot cause another attempt"):
            stage.refresher().live_token()
        assert len(stage.issuer.calls) == 1

    def test_a_refusal_ends_the_refreshes(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.fault = REFUSED
        with pytest.raises(ReauthorizationRequiredException):
            stage.refresher().tick()
        record = stage.table.record()
        assert (record.state, record.due_at) == (State.REFUSED, None)
        assert stage.changes == [(NAME, "active", "refused")]

    @pytest.mark.parametrize(
        ("attribute", "error"),
        [
            ({"expiresAt": {"S": "soon"}}, SecretMalformedException),
            ({"version": {"N": "7"}}, SecretMalformedException),
            ({"version": None}, SecretMalformedException),
            ({"provider": {"S": "another"}}, SecretMalformedException),
            ({"refreshToken": None}, SecretMalformedException),
            ({"refreshToken": None, "accessToken": None}, SecretNotSeededException),
        ],
    )
    def test_what_is_no_pair_is_set_aside(
        self, stage: FleetStage, attribute: dict[str, Any], error: type[RefreshTokenError]
    ) -> None:
        seeded(stage)
        stage.table.change(**attribute)
        for expected in (error, SecretMalformedException):
            with pytest.raises(expected):
                stage.refresher().tick()
        assert (stage.table.record().state, stage.table.record().due_at) == (State.MALFORMED, None)
        assert stage.changes == [(stage.changes[0][0], "active", "malformed")]

    def test_a_process_that_dies_again_parks_it(self, stage: FleetStage) -> None:
        seeded(stage, "expired")
        for _ in range(3):
            item = stage.item()
            item.claim(item.read().version_id, seconds=60, now=stage.clock.now(), ignore_cooldown=True)
            stage.clock.pass_time(61)
        stage.clock.left = 60
        with pytest.raises(ConnectionPausedException, match="stuck"):
            stage.refresher().tick()
        record = stage.table.record()
        assert (record.state, record.due_at, stage.issuer.calls) == (State.STUCK, None, [])
        assert stage.changes == [(NAME, "active", "stuck")]

    def test_a_closed_claim_starts_the_count_again(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.table.change(openClaims={"N": "2"})
        stage.issuer.fault = DOWN
        with pytest.raises(IssuerUnavailableException):
            stage.refresher().force()
        assert stage.table.record().open_claims == 0


class TestKilled:
    def test_after_the_answer_the_dispatcher_finds_it(self, stage: FleetStage) -> None:
        seeded(stage, "fresh")
        item = stage.item()
        item.claim(item.read().version_id, seconds=60, now=NOW, ignore_cooldown=True)
        record = stage.table.record()
        assert record.due_at == int(NOW.timestamp()) + 60 + writes.CLAIM_GRACE
        stage.clock.pass_time(121)
        stage.clock.left = 60
        assert stage.refresher().tick().outcome == "refreshed", "although the token looks fresh"
        assert stage.table.record().due_at != record.due_at


def gone(stage: FleetStage) -> None:
    stage.wire.fates.clear()


FAULTS: dict[str, tuple[str, int, Fate, type[RefreshTokenError], bool | None]] = {
    # operation, how many work first, fate of all others, error, `passing`
    "read throttled": ("GetItem", 0, failing("ThrottlingException"), SecretUnavailableException, True),
    "read too fast": (
        "GetItem",
        0,
        failing("ProvisionedThroughputExceededException"),
        SecretUnavailableException,
        True,
    ),
    "read denied": ("GetItem", 0, failing("AccessDeniedException"), SecretUnavailableException, False),
    "no table": ("GetItem", 0, failing("ResourceNotFoundException"), SecretUnavailableException, False),
    "read fails": ("GetItem", 0, failing("InternalServerError", 500), SecretUnavailableException, True),
    "claim throttled": ("UpdateItem", 0, failing("ThrottlingException"), IssuerUnavailableException, None),
    "claim denied": ("UpdateItem", 0, failing("AccessDeniedException"), ConfigurationException, None),
    "no table to claim": ("UpdateItem", 0, failing("ResourceNotFoundException"), ConfigurationException, None),
    "decrypt throttled": ("Decrypt", 0, failing("ThrottlingException"), SecretUnavailableException, True),
    "decrypt denied": ("Decrypt", 0, failing("AccessDeniedException"), SecretUnavailableException, False),
    "key disabled": ("Decrypt", 0, failing("DisabledException"), SecretUnavailableException, False),
    "another key": ("Decrypt", 0, failing("IncorrectKeyException"), SecretUnavailableException, False),
    "key pending deletion": ("Decrypt", 0, failing("KMSInvalidStateException"), SecretUnavailableException, False),
    "KMS fails": ("Decrypt", 0, failing("KMSInternalException", 500), SecretUnavailableException, True),
    "trial throttled": ("Encrypt", 0, failing("ThrottlingException"), SecretUnavailableException, True),
    "trial denied": ("Encrypt", 0, failing("AccessDeniedException"), SecretUnavailableException, False),
    "trial with a disabled key": ("Encrypt", 0, failing("DisabledException"), SecretUnavailableException, False),
    "encrypt throttled": ("Encrypt", 1, failing("ThrottlingException"), TokenNotStoredException, None),
    "encrypt denied": ("Encrypt", 1, failing("AccessDeniedException"), TokenNotStoredException, None),
    "key disabled after the answer": ("Encrypt", 1, failing("DisabledException"), TokenNotStoredException, None),
    "store throttled": ("UpdateItem", 1, failing("ThrottlingException"), TokenNotStoredException, None),
    "store denied": ("UpdateItem", 1, failing("AccessDeniedException"), TokenNotStoredException, None),
    "store refused for good": ("UpdateItem", 1, failing("ValidationException"), TokenNotStoredException, None),
}


class TestFaults:
    @pytest.mark.parametrize("what", FAULTS)
    def test_each_call_that_fails_says_so(self, stage: FleetStage, what: str) -> None:
        operation, works, fate, error, passing = FAULTS[what]
        before = seeded(stage, "expired")
        stage.issuer.rotates, stage.issuer.new_refresh_token = True, "refresh-1"
        stage.wire.fates[operation] = [*[WORKS] * works, *[fate] * 100]
        with pytest.raises(error) as caught:
            stage.refresher().tick()
        assert type(caught.value) is error
        assert NAME in str(caught.value)
        assert caught.value.__cause__ is caught.value.__context__ is None
        assert passing is None or getattr(caught.value, "passing", None) is passing
        assert stage.table.record().version == before.version
        answered = error is TokenNotStoredException
        assert len(stage.issuer.calls) == int(answered), "before the answer nothing is spent"
        gone(stage)
        stage.clock.pass_time(121)
        stage.clock.left = 60
        stage.issuer.new_refresh_token = None
        assert stage.refresher().tick().outcome == "refreshed", "and this process has lost nothing"
        assert len(stage.issuer.calls) == 1
        assert stage.opened() == (
            "refresh-1" if answered else "refresh-0" if not stage.issuer.calls else stage.opened()
        )

    @pytest.mark.parametrize("operation", ["Encrypt", "UpdateItem"])
    def test_a_passing_fault_after_the_answer_is_outwaited(self, stage: FleetStage, operation: str) -> None:
        seeded(stage)
        stage.issuer.new_refresh_token = "refresh-1"
        fates = [failing("ThrottlingException")] * 2
        stage.wire.fates[operation] = [WORKS, *fates] if operation == "UpdateItem" else fates
        assert stage.refresher().tick().outcome == "refreshed"
        assert (stage.opened(), len(stage.issuer.calls)) == ("refresh-1", 1)

    def test_a_slow_key_leaves_time_to_close(self) -> None:
        """A long token takes a call for each of its pieces."""
        kms = MemoryKms(lambda *_: sleep(0.1))
        sealed = KmsSeal("key", lambda: kms, lambda: kms).seal(NAME, "x" * 40_000, Deadline.after(MAX_CALL_TIME + 0.25))
        assert sealed == Fault("other", "no time left")

    def test_another_process_heals_what_was_not_stored(self, stage: FleetStage) -> None:
        seeded(stage, "fresh")
        stage.wire.fates["UpdateItem"] = [WORKS, *[failing("InternalServerError", 500)] * 100]
        with pytest.raises(TokenNotStoredException):
            stage.refresher().force()
        gone(stage)
        stage.memory = ProcessMemory()
        stage.clock.pass_time(121)
        stage.clock.left = 60
        assert stage.refresher().tick().outcome == "refreshed", "although the token looks fresh"
        assert stage.table.record().access == "access-2"

    def test_a_claim_that_cannot_be_closed_ends(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.fault = IssuerProtocolException("nonsense")
        stage.wire.fates["UpdateItem"] = [WORKS, failing("InternalServerError", 500)]
        with pytest.raises(IssuerProtocolException):
            stage.refresher().force()
        assert "lock_not_closed" in stage.telemetry.names()
        assert stage.table.record().is_claimed(NOW.timestamp() + 30)

    def test_a_released_claim_leaves_no_trace(self, stage: FleetStage) -> None:
        before = seeded(stage)
        stage.wire.fates["Decrypt"] = [failing("ThrottlingException")]
        with pytest.raises(SecretUnavailableException):
            stage.refresher().force()
        assert stage.table.record() == before

    @pytest.mark.parametrize(
        ("decrypt", "fault"), [(failing("ThrottlingException"), None), (WORKS, DOWN)], ids=["before", "at the provider"]
    )
    def test_an_answer_that_may_be_lost_stays_so(
        self, stage: FleetStage, decrypt: Fate, fault: RefreshTokenError | None
    ) -> None:
        """A process died with its claim, and a consumer's report then fails."""
        seeded(stage, "fresh")
        stage.table.change(claimId={"S": "gone"}, claimUntil={"N": "1"}, openClaims={"N": "1"})
        stage.wire.fates["Decrypt"], stage.issuer.fault = [decrypt], fault
        with pytest.raises(RefreshTokenError):
            stage.refresher().report_failure(stage.table.record().version)
        gone(stage)
        stage.issuer.fault = None
        failure = stage.item().failure(stage.table.record().version, now=NOW)
        assert failure
        assert failure.lost
        assert stage.refresher().tick().outcome == "refreshed", "although the token looks fresh"

    def test_a_page_is_no_answer(self, stage: FleetStage) -> None:
        seeded(stage)

        class Page:
            def get_item(self, **_: object) -> dict[str, Any]:
                return {"ResponseMetadata": {"HTTPHeaders": {"content-type": "text/html; charset=utf-8"}}}

        page: Any = Page()
        with pytest.raises(SecretUnavailableException, match="did not come from DynamoDB"):
            ConnectionTable("connections", page).read(NAME)


class TestPutOff:
    def put_off(self, stage: FleetStage, error: RefreshTokenError) -> None:
        refresher = stage.refresher()
        item: Any = refresher.connection.store
        item.read()
        item.put_off(error)

    def test_an_error_before_the_claim_waits(self, stage: FleetStage) -> None:
        seeded(stage)
        self.put_off(stage, ConfigurationException("wrong params", unsent=True))
        record = stage.table.record()
        assert (record.state, record.attempts, record.due_at) == (State.COOLING, 1, int(NOW.timestamp()) + 60)
        assert record.failure == Failure("ConfigurationException", NOW)

    def test_what_a_refresh_recorded_stays(self, stage: FleetStage) -> None:
        seeded(stage)
        stage.issuer.fault = DOWN
        refresher = stage.refresher()
        with pytest.raises(IssuerUnavailableException) as caught:
            refresher.tick()
        item: Any = refresher.connection.store
        item.put_off(caught.value)
        assert stage.table.record().attempts == 1

    def test_a_provider_that_says_when_lengthens_no_pause(self, stage: FleetStage) -> None:
        seeded(stage)
        error = IssuerUnavailableException("429")
        error.retry_after = 5.0
        for _ in range(3):
            self.put_off(stage, error)
        record = stage.table.record()
        assert (record.state, record.attempts, record.due_at) == (State.COOLING, 0, int(NOW.timestamp()) + 60)

    def test_another_due_time_stays(self, stage: FleetStage) -> None:
        seeded(stage)
        item = stage.item()
        item.read()
        stage.table.make("update_item", writes.lease(NAME, due_at=DUE, until=DUE + 300))
        item.put_off(DOWN)
        assert stage.table.record().due_at == DUE + 300
        assert stage.table.record().failure is None

    def test_a_cooling_one_that_is_fresh_calms(self, stage: FleetStage) -> None:
        seeded(stage, "fresh")
        self.put_off(stage, DOWN)
        refresher = stage.refresher()
        report = refresher.tick()
        item: Any = refresher.connection.store
        item.move_on(report.stored)
        record = stage.table.record()
        assert (record.state, record.failure, record.attempts) == (State.ACTIVE, None, 0)
        assert stage.changes == [(NAME, "active", "cooling"), (NAME, "cooling", "active")]
