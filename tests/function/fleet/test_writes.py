"""Each change of an item on DynamoDB's own rules: what it changes, and when it changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError

from refresh_token.core.claims import Failure
from refresh_token.fleet import operator_writes, writes
from refresh_token.fleet.due import Retry
from refresh_token.fleet.names import slot_of
from refresh_token.fleet.record import MAX_CLAIM, Record, read_record
from refresh_token.fleet.states import State, trouble_of
from refresh_token.fleet.table import DUE_INDEX, TROUBLE_INDEX
from refresh_token.fleet.update import Request
from tests.support.fakes import NOW
from tests.support.fleet import DUE, HIDDEN, NAME, FleetTable, create_fleet_table, pair_of, successor

T0 = NOW.timestamp()
FAILURE = Failure("IssuerUnavailableException", NOW + timedelta(seconds=60))
REFUSED = Failure("ReauthorizationRequiredException", NOW + timedelta(minutes=15), refused=True)
COOLING = Retry(State.COOLING, DUE + 90)
NEW = successor(pair_of("access-1"), version="V2", kept=True)


@pytest.fixture
def table(aws: None) -> FleetTable:  # noqa: ARG001 - moto must be there
    client = boto3.client("dynamodb")
    create_fleet_table(client)
    return FleetTable(client)


def claim(
    seen: Record, claim_id: str = "ours", *, at: float = T0, seconds: float = 60, ignore_cooldown: bool = False
) -> Request:
    return writes.claim(seen, now=at, seconds=seconds, claim_id=claim_id, ignore_cooldown=ignore_cooldown)


def holds(table: FleetTable, request: Request) -> bool:
    """Make a change; tell whether its condition held."""
    kinds = {"Item": "put_item", "UpdateExpression": "update_item"}
    operation = next((each for key, each in kinds.items() if key in request), "delete_item")
    try:
        table.make(operation, request)
    except table.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def in_state(table: FleetTable, state: State) -> Record:
    """Return a connection in a state that a change has made."""
    seen = table.seed()
    changes: dict[State, Callable[[], Request]] = {
        State.COOLING: lambda: writes.note_failure(seen, FAILURE, attempts=1, retry=COOLING),
        State.REFUSED: lambda: writes.note_failure(seen, REFUSED, attempts=1, retry=Retry(State.REFUSED, None)),
        State.STUCK: lambda: writes.mark(seen, State.STUCK, now=T0),
        State.MALFORMED: lambda: writes.mark(seen, State.MALFORMED, now=T0),
        State.PAUSED: lambda: operator_writes.pause(seen),
        State.REVOKED: lambda: operator_writes.revoke(seen, version="V9", now=NOW),
    }
    if state in changes:
        assert holds(table, changes[state]())
    return table.record()


@pytest.mark.parametrize("state", State)
def test_an_index_has_exactly_what_it_should(table: FleetTable, state: State) -> None:
    record = in_state(table, state)
    assert record.state is state
    due = table.names_in(DUE_INDEX, slot_of("figma", NAME))
    assert due == ([NAME] if state in (State.ACTIVE, State.COOLING) else [])
    assert (record.due_at is not None) == bool(due)
    trouble = trouble_of(state, NAME)
    assert (table.names_in(TROUBLE_INDEX, trouble) if trouble else []) == ([NAME] if trouble else [])
    assert ("trouble" in table.item()) == (state is not State.ACTIVE)


class TestClaim:
    def test_shows_the_item_as_it_was(self, table: FleetTable) -> None:
        seen = table.seed()
        assert read_record(table.make("update_item", claim(seen))["Attributes"]) == seen
        claimed = table.record()
        assert (claimed.claim_id, claimed.claim_until, claimed.open_claims) == ("ours", T0 + 60, 1)
        assert claimed.due_at == int(T0) + 60 + writes.CLAIM_GRACE, "the dispatcher looks after a dead holder"

    def test_one_of_two_wins_until_it_ends(self, table: FleetTable) -> None:
        seen = table.seed()
        assert holds(table, claim(seen, "first"))
        assert not holds(table, claim(seen, "second", at=T0 + 59.99))
        assert holds(table, claim(table.record(), "second", at=T0 + 60))
        assert table.record().open_claims == 2

    def test_waits_for_the_cooldown_unless_told(self, table: FleetTable) -> None:
        seen = in_state(table, State.COOLING)
        assert not holds(table, claim(seen, at=T0 + 59))
        assert holds(table, claim(seen, at=T0 + 59, ignore_cooldown=True))
        assert table.record().failure == FAILURE, "what is known about the version stays known"

    def test_is_for_the_version_and_state_seen(self, table: FleetTable) -> None:
        seen = table.seed()
        assert not holds(table, claim(replace(seen, version="other")))
        in_state(table, State.PAUSED)
        assert not holds(table, claim(seen, ignore_cooldown=True))
        assert not holds(table, claim(replace(seen, name="acme/nobody"))), "and makes no item"
        assert table.item("acme/nobody") == {}

    @pytest.mark.parametrize("until", [{"S": "soon"}, {"N": str(T0 + MAX_CLAIM + 1)}, {"N": "9e99"}])
    def test_damage_holds_nobody_back(self, table: FleetTable, until: dict[str, Any]) -> None:
        table.seed()
        table.change(claimUntil=until, failure={"S": "what"}, openClaims={"S": "three"})
        seen = table.record()
        assert not seen.is_claimed(T0)
        assert holds(table, claim(seen))
        assert table.record().open_claims == 1

    @pytest.mark.parametrize("state", [State.REFUSED, State.STUCK])
    def test_leaves_a_troubled_one_out_of_due(self, table: FleetTable, state: State) -> None:
        assert holds(table, claim(in_state(table, state), ignore_cooldown=True))
        assert table.record().due_at is None


class TestReplace:
    def test_changes_everything_that_belongs_together(self, table: FleetTable) -> None:
        seen = in_state(table, State.COOLING)
        table.make("update_item", claim(seen, ignore_cooldown=True))
        assert holds(table, writes.replace(seen, NEW, due_at=DUE + 5))
        item = table.item()
        assert (item["version"], item["accessToken"], item["state"], item["dueAt"]) == (
            "V2",
            "access-1",
            "active",
            DUE + 5,
        )
        gone = {"failure", "attempts", "claimId", "claimUntil", "openClaims", "trouble"}
        assert not gone & item.keys()
        assert item["refreshToken"] == [HIDDEN], "an unchanged refresh token stays as it is"

    def test_removes_what_the_new_pair_lacks(self, table: FleetTable) -> None:
        seen = table.seed(
            pair=pair_of(scope="a b", values={"realmId": 7}, unknown={"note": [1.5, None]}, client_id="c")
        )
        assert table.item()["unknown"] == '{"note": [1.5, null]}'
        assert holds(table, writes.replace(seen, NEW, due_at=DUE))
        assert not {"scope", "values", "unknown", "clientId"} & table.item().keys()

    def test_gives_way_to_another_version(self, table: FleetTable) -> None:
        seen, theirs = table.seed(), table.seed()
        assert not holds(table, writes.replace(seen, NEW, due_at=DUE))
        assert table.record() == theirs

    def test_keeps_a_pause(self, table: FleetTable) -> None:
        seen = table.seed()
        in_state_of_seen = operator_writes.pause(seen)
        assert holds(table, in_state_of_seen)
        assert not holds(table, writes.replace(seen, NEW, due_at=DUE))
        assert holds(table, writes.replace_paused(seen, NEW))
        paused = table.record()
        assert (paused.state, paused.version, paused.access, paused.due_at) == (State.PAUSED, "V2", "access-1", None)

    def test_while_paused_gives_way_to_a_resume(self, table: FleetTable) -> None:
        seen = table.seed()
        assert not holds(table, writes.replace_paused(seen, NEW))
        assert table.record() == seen

    def test_gives_way_to_a_revocation(self, table: FleetTable) -> None:
        seen = table.seed()
        assert holds(table, operator_writes.revoke(seen, version="V9", now=NOW))
        assert not holds(table, writes.replace(seen, NEW, due_at=DUE))
        assert not {"accessToken", "refreshToken"} & table.item().keys()


class TestClosing:
    def close(self, what: str, seen: Record) -> Request:
        return {
            "failure": lambda: writes.record_failure(seen, "ours", FAILURE, attempts=3, retry=COOLING),
            "release": lambda: writes.release(seen, "ours"),
            "alone": lambda: writes.close_claim(seen.name, "ours", FAILURE),
        }[what]()

    @pytest.mark.parametrize("what", ["failure", "release", "alone"])
    def test_is_for_its_own_claim(self, table: FleetTable, what: str) -> None:
        seen = table.seed()
        table.make("update_item", claim(seen, "another's"))
        assert not holds(table, self.close(what, seen))
        assert table.record().claim_id == "another's"

    def test_a_failure_is_remembered(self, table: FleetTable) -> None:
        seen = table.seed()
        table.make("update_item", claim(seen))
        assert holds(table, self.close("failure", seen))
        record = table.record()
        assert (record.failure, record.attempts, record.state, record.due_at) == (FAILURE, 3, State.COOLING, DUE + 90)
        assert (record.claim_id, record.open_claims) == (None, 0)

    def test_alone_it_keeps_the_failure_before(self, table: FleetTable) -> None:
        seen = in_state(table, State.COOLING)
        table.make("update_item", claim(seen, ignore_cooldown=True))
        assert holds(table, writes.close_claim(NAME, "ours", None))
        assert (table.record().failure, table.record().claim_id) == (FAILURE, None)

    def test_a_release_leaves_no_trace(self, table: FleetTable) -> None:
        seen = table.seed()
        table.make("update_item", claim(seen))
        assert holds(table, self.close("release", seen))
        assert table.record() == seen

    @pytest.mark.parametrize("what", ["failure", "release"])
    def test_leaves_a_state_that_changed_meanwhile(self, table: FleetTable, what: str) -> None:
        seen = table.seed()
        table.make("update_item", claim(seen))
        assert holds(table, operator_writes.pause(table.record()))
        assert not holds(table, self.close(what, seen))
        assert holds(table, self.close("alone", seen))
        record = table.record()
        assert (record.state, record.claim_id, record.due_at, record.failure) == (State.PAUSED, None, None, FAILURE)


class TestDueTimes:
    CHANGES: ClassVar[dict[str, Callable[[Record], Request]]] = {
        "lease": lambda seen: writes.lease(seen.name, due_at=seen.due_at or 0, until=DUE + 300),
        "reschedule": lambda seen: writes.reschedule(seen.name, fence=seen.due_at or 0, due_at=DUE + 300),
    }

    @pytest.mark.parametrize("what", CHANGES)
    def test_move_once(self, table: FleetTable, what: str) -> None:
        seen = table.seed()
        assert holds(table, self.CHANGES[what](seen))
        assert table.record() == replace(seen, due_at=DUE + 300)
        assert not holds(table, self.CHANGES[what](seen))

    @pytest.mark.parametrize("what", CHANGES)
    @pytest.mark.parametrize("state", sorted(set(State) - {State.ACTIVE, State.COOLING}))
    def test_do_not_move_what_is_out(self, table: FleetTable, what: str, state: State) -> None:
        before = in_state(table, state)
        assert not holds(table, self.CHANGES[what](replace(before, due_at=DUE)))
        assert table.record() == before

    def test_and_what_was_told_is_noted(self, table: FleetTable) -> None:
        seen, end = table.seed(), "2027-01-01T00:00:00Z"
        assert holds(table, writes.reschedule(NAME, fence=DUE, due_at=DUE + 1, told=end))
        assert holds(table, writes.reschedule(NAME, fence=DUE + 1, due_at=DUE + 2))
        assert table.record().told == end, "it stays"
        assert holds(table, writes.replace(seen, NEW, due_at=DUE, told="2028-01-01T00:00:00Z"))
        assert table.record().told == "2028-01-01T00:00:00Z"

    def test_a_lease_shows_no_token(self, table: FleetTable) -> None:
        seen = table.seed()
        assert "Attributes" not in table.make("update_item", self.CHANGES["lease"](seen))
        with pytest.raises(ClientError) as caught:
            table.make("update_item", self.CHANGES["lease"](seen))
        assert "Item" not in caught.value.response

    def test_a_cooling_one_with_a_fresh_token_calms(self, table: FleetTable) -> None:
        seen = in_state(table, State.COOLING)
        assert holds(table, writes.calm(seen, due_at=DUE + 7))
        assert table.record() == replace(seen, state=State.ACTIVE, failure=None, attempts=0, due_at=DUE + 7)
        assert not holds(table, writes.calm(seen, due_at=DUE + 7))
        assert not holds(table, writes.calm(table.record(), due_at=DUE + 8)), "one that is active is calm"


class TestMark:
    def test_waits_for_a_claim(self, table: FleetTable) -> None:
        seen = table.seed()
        table.make("update_item", claim(seen))
        assert not holds(table, writes.mark(table.record(), State.STUCK, now=T0 + 59))
        assert holds(table, writes.mark(table.record(), State.STUCK, now=T0 + 60))
        assert table.record().open_claims == 1, "an answer may be lost, so its token is refreshed when it is resumed"


class TestOperators:
    def test_a_seed_replaces_only_what_it_may(self, table: FleetTable) -> None:
        item = {**table.client.get_item(TableName=table.name, Key={"pk": {"S": table.seed().name}})["Item"]}
        seen = table.record()
        fresh: Any = {**item, "version": {"S": "V5"}}
        assert not holds(table, operator_writes.seed(fresh, over=None))
        assert not holds(table, operator_writes.seed(fresh, over="other"))
        assert table.record() == seen
        assert holds(table, operator_writes.seed(fresh, over=seen.version))
        assert holds(table, operator_writes.seed(item, over=True))
        assert holds(table, operator_writes.remove(NAME, now=T0))
        assert not holds(table, operator_writes.remove(NAME, now=T0))
        assert holds(table, operator_writes.seed(fresh, over=None))

    def test_what_is_being_refreshed_is_not_seeded_again(self, table: FleetTable) -> None:
        seen = table.seed()
        item = {**table.client.get_item(TableName=table.name, Key={"pk": {"S": NAME}})["Item"]}
        table.make("update_item", claim(seen))
        assert not holds(table, operator_writes.seed(item, over=seen.version, now=T0 + 59))
        assert holds(table, operator_writes.seed(item, over=seen.version, now=T0 + 60))
        table.make("update_item", claim(table.record()))
        assert holds(table, operator_writes.seed(item, over=seen.version)), "as one who holds the claim"
        table.make("update_item", claim(table.record()))
        another = {**item, "version": {"S": "V5"}}
        assert holds(table, operator_writes.seed(another, over=seen.version, now=T0)), "a new pair is stored"
        assert not holds(table, operator_writes.seed(item, over=seen.version, now=T0 + 60)), "and stays"

    def test_what_is_being_refreshed_is_not_removed(self, table: FleetTable) -> None:
        assert holds(table, claim(table.seed()))
        assert not holds(table, operator_writes.remove(NAME, now=T0 + 59))
        assert not holds(table, operator_writes.remove_claimed(NAME, "theirs"))
        assert holds(table, operator_writes.remove(NAME, now=T0 + 60))

    @pytest.mark.parametrize("state", sorted(set(State) - {State.REVOKED, State.ACTIVE, State.PAUSED}))
    def test_resume_makes_active_again(self, table: FleetTable, state: State) -> None:
        in_state(table, state)
        table.change(openClaims={"N": "3"})
        assert holds(table, operator_writes.resume(table.record(), due_at=DUE + 1, now=NOW))
        record = table.record()
        assert (record.state, record.due_at, record.failure, record.open_claims) == (State.ACTIVE, DUE + 1, None, 0)

    @pytest.mark.parametrize(
        ("state", "due"),
        [(State.ACTIVE, int(T0)), (State.COOLING, int(FAILURE.retry_at.timestamp())), (State.REFUSED, None)],
    )
    def test_resume_undoes_a_pause(self, table: FleetTable, state: State, due: int | None) -> None:
        before = in_state(table, state)
        assert holds(table, operator_writes.pause(before))
        assert holds(table, operator_writes.resume(table.record(), due_at=int(T0), now=NOW))
        assert table.record() == replace(before, due_at=due)

    def test_a_stuck_one_is_stuck_after_its_pause(self, table: FleetTable) -> None:
        table.seed()
        table.change(openClaims={"N": "3"})
        assert holds(table, operator_writes.pause(table.record()))
        assert holds(table, operator_writes.resume(table.record(), due_at=DUE, now=NOW))
        assert (table.record().state, table.record().open_claims) == (State.STUCK, 3)

    def test_resume_does_not_forget_a_lost_answer(self, table: FleetTable) -> None:
        lost = replace(REFUSED, lost=True)
        assert holds(table, writes.note_failure(table.seed(), lost, attempts=4, retry=Retry(State.REFUSED, None)))
        assert holds(table, operator_writes.resume(table.record(), due_at=DUE, now=NOW))
        record = table.record()
        assert (record.state, record.attempts) == (State.ACTIVE, 0)
        assert record.failure == Failure(lost.reason, NOW, lost=True)

    @pytest.mark.parametrize(
        "change", [operator_writes.pause, lambda seen: operator_writes.revoke(seen, version="V9", now=NOW)]
    )
    def test_an_operator_changes_what_he_saw(self, table: FleetTable, change: Callable[[Record], Request]) -> None:
        seen, now = table.seed(), table.seed()
        assert not holds(table, change(seen))
        assert table.record() == now


NEEDS: dict[str, tuple[State, Callable[[Record], Request], tuple[str, ...]]] = {
    # the state before, the change, and what must be as it was seen
    "claim": (State.ACTIVE, lambda seen: claim(seen, ignore_cooldown=True), ("version", "state", "due_at")),
    "replace": (State.COOLING, lambda seen: writes.replace(seen, NEW, due_at=DUE), ("version",)),
    "replace, paused": (State.PAUSED, lambda seen: writes.replace_paused(seen, NEW), ("version",)),
    "note a failure": (
        *(State.ACTIVE, lambda seen: writes.note_failure(seen, FAILURE, attempts=1, retry=COOLING)),
        ("due_at", "state"),
    ),
    "calm": (State.COOLING, lambda seen: writes.calm(seen, due_at=DUE), ("due_at", "version")),
    "mark": (State.ACTIVE, lambda seen: writes.mark(seen, State.STUCK, now=T0), ("version", "state")),
    "pause": (State.ACTIVE, operator_writes.pause, ("version", "state")),
    "resume": (State.STUCK, lambda seen: operator_writes.resume(seen, due_at=DUE, now=NOW), ("version", "state")),
    "revoke": (
        *(State.COOLING, lambda seen: operator_writes.revoke(seen, version="V9", now=NOW)),
        ("version", "state"),
    ),
}


@pytest.mark.parametrize("what", NEEDS)
def test_a_change_needs_what_it_saw(table: FleetTable, what: str) -> None:
    before, change, needed = NEEDS[what]
    seen = in_state(table, before)
    others: dict[str, Any] = {"version": "other", "state": State.REFUSED, "due_at": DUE + 1}
    for name in needed:
        other = {name: others[name], **({"due_at": None} if name == "state" else {})}
        assert not holds(table, change(replace(seen, **other))), name
    assert table.record() == seen
    assert holds(table, change(seen))
    item = table.item()
    alive = item["state"] in (State.ACTIVE, State.COOLING)
    assert item.get("slot") == (slot_of("figma", NAME) if alive else None), "it stays in its slot, or leaves it"


def test_a_revocation_leaves_nothing_of_the_grant(table: FleetTable) -> None:
    table.seed(pair=pair_of(refresh_expires_at=NOW))
    table.change(failure={"M": {}}, attempts={"N": "2"}, claimId={"S": "x"}, claimUntil={"N": "1"})
    assert holds(table, operator_writes.revoke(table.record(), version="V9", now=NOW))
    assert table.item() == {
        "pk": NAME,
        "provider": "figma",
        "state": "revoked",
        "trouble": trouble_of(State.REVOKED, NAME),
        "version": "V9",
        "storedAt": "2026-11-23T12:00:00Z",
        "revokedAt": "2026-11-23T12:00:00Z",
        "refreshedAt": "2026-11-23T12:00:00Z",
    }
