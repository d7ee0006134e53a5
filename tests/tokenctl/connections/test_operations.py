"""Pausing, resuming and removing connections, on a real table."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from refresh_token.core.claims import Failure
from refresh_token.fleet import writes
from refresh_token.fleet.due import Retry
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from tests.support.bare_fleet import BareFleet
from tests.support.command_line import Tokenctl
from tests.support.fault_proxy import FaultProxy, Strike
from tests.support.fleet import pair_of

pytestmark = pytest.mark.xdist_group("connections")

Operate = Callable[..., object]
NAMES = ("acme/u1", "acme/u2", "other/u1")


@pytest.fixture
def seeded(fleet: BareFleet) -> BareFleet:
    for name in NAMES:
        fleet.table.seed(name, pair_of(provider="oauth2"))
    return fleet


def outcomes(done: object) -> dict[str, str]:
    return {row["connection"]: row["outcome"] for row in done.json}  # type: ignore[attr-defined]


def claimed(fleet: BareFleet, name: str = "acme/u1") -> Record:
    """Let a refresh of a connection begin; return what it has seen."""
    seen = fleet.table.record(name)
    request = writes.claim(seen, now=time.time(), seconds=60, claim_id="theirs", ignore_cooldown=True)
    fleet.table.make("update_item", request)
    return seen


def in_index(fleet: BareFleet) -> dict[str, list[str]]:
    rows = {name: fleet.table.item(name) for name in fleet.names()}
    return {
        index: [name for name, item in rows.items() if key in item]
        for index, key in {"due": "slot", "trouble": "trouble"}.items()
    }


class TestOneConnection:
    def test_pause_takes_it_out_and_resume_back(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        done = tokenctl("pause", "acme/u1")
        assert (done.code, done.out) == (0, "acme/u1  paused\n")
        assert in_index(seeded) == {"due": ["acme/u2", "other/u1"], "trouble": ["acme/u1"]}
        again = tokenctl("pause", "acme/u1", "--output", "json")
        assert again.json == [
            {"connection": "acme/u1", "outcome": "unchanged", "state": "paused", "detail": "it is paused already"}
        ]
        assert tokenctl("resume", "acme/u1").out == "acme/u1  resumed\n"
        record = seeded.table.record("acme/u1")
        assert record.state is State.ACTIVE
        assert abs((record.due_at or 0) - time.time()) < 5, "the worker looks at it now"
        assert in_index(seeded)["trouble"] == []

    def test_resume_forgets_what_failed(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        seeded.table.change("acme/u1", openClaims={"N": "3"}, attempts={"N": "4"}, failure={"M": {}})
        seeded.table.make("update_item", writes.mark(seeded.table.record("acme/u1"), State.STUCK, now=time.time()))
        assert tokenctl("resume", "acme/u1").code == 0
        record = seeded.table.record("acme/u1")
        assert (record.state, record.open_claims, record.attempts, record.failure) == (State.ACTIVE, 0, 0, None)

    def test_resume_undoes_a_pause_of_what_failed(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        refused = Failure("ReauthorizationRequiredException", datetime.now(UTC), refused=True)
        retry = Retry(State.REFUSED, None)
        seen = seeded.table.record("acme/u1")
        seeded.table.make("update_item", writes.note_failure(seen, refused, attempts=1, retry=retry))
        before = seeded.table.item("acme/u1")
        assert tokenctl("pause", "acme/u1").code == 0
        done = tokenctl("resume", "acme/u1", "--output", "json")
        assert (done.code, done.json[0]["outcome"], done.json[0]["state"]) == (0, "resumed", "refused")
        assert "resume it once more" in done.json[0]["detail"]
        assert seeded.table.item("acme/u1") == before
        assert tokenctl("resume", "acme/u1").out == "acme/u1  resumed\n"
        assert seeded.table.record("acme/u1").state is State.ACTIVE

    def test_pause_keeps_the_answer_of_a_refresh(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        claimed(seeded)
        assert tokenctl("pause", "acme/u1").code == 0
        item = seeded.table.item("acme/u1")
        assert (item["state"], item["claimId"]) == ("paused", "theirs"), "the claim can still be closed"

    def test_remove_waits_for_a_refresh(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        claimed(seeded)
        done = tokenctl("remove", "acme/u1", "--yes")
        assert done.code == 254
        assert "acme/u1 is being refreshed. Nothing was removed." in done.err
        assert tokenctl("remove", "acme/u2", "--yes").out == "acme/u2  removed\n"
        assert seeded.names() == ["acme/u1", "other/u1"]

    def test_a_revoked_one_has_nothing_to_resume(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        assert tokenctl("revoke", "acme/u1", "--mark-only", "--yes").out == "acme/u1  revoked\n"
        item = seeded.table.item("acme/u1")
        assert not {"accessToken", "refreshToken", "expiresAt"} & item.keys()
        assert item["state"] == "revoked"
        done = tokenctl("resume", "acme/u1")
        assert done.code == 254
        assert "Connect it again with `tokenctl connections authorize`" in done.err
        assert "nothing refreshes it" in tokenctl("pause", "acme/u1").out


class TestEvents:
    def test_operators_changes_are_told(self, seeded: BareFleet, tokenctl: Tokenctl, proxy: FaultProxy) -> None:
        seeded.set(EVENT_BUS="default")
        told = {"pause": 1, "resume": 2, "revoke": 3, "remove": 3}
        for command, calls in told.items():
            words = ("--mark-only",) if command == "revoke" else ()
            assert tokenctl(command, "acme/u1", *words, *(("--yes",))).code == 0
            assert proxy.calls.count("PutEvents") == calls, command

    def test_a_lost_event_is_only_warned_of(self, seeded: BareFleet, tokenctl: Tokenctl, proxy: FaultProxy) -> None:
        seeded.set(EVENT_BUS="default")
        proxy.strike("PutEvents", Strike(status=400, code="AccessDeniedException"))
        done = tokenctl("pause", "acme/u1")
        assert (done.code, seeded.table.record("acme/u1").state) == (0, State.PAUSED)
        assert done.err.startswith("1 change of state could not be told to EventBridge.")


class TestSeveral:
    def test_filters_choose_and_ask(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        refused = tokenctl("pause", "--tenant", "acme")
        assert refused.code == 252
        assert "This pauses 2 connections" in refused.err
        assert in_index(seeded)["trouble"] == []
        done = tokenctl("pause", "--tenant", "acme", "--yes", "--output", "json")
        assert outcomes(done) == {"acme/u1": "paused", "acme/u2": "paused"}
        listed = tokenctl("list", "--state", "paused", "--output", "json").json
        assert {row["connection"] for row in listed} == {"acme/u1", "acme/u2"}
        done = tokenctl("resume", "--state", "paused", "--yes", "--output", "json")
        assert outcomes(done) == {
            "acme/u1": "resumed",
            "acme/u2": "resumed",
        }

    @pytest.mark.usefixtures("seeded")
    def test_one_that_fails_does_not_stop_others(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("pause", "acme/u1", "gone", "other/u1", "--output", "json")
        assert done.code == 254
        assert outcomes(done) == {"acme/u1": "paused", "gone": "failed", "other/u1": "paused"}

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("pause",), "Name the connections, or choose them with --tenant"),
            (("pause", "acme/u1", "--tenant", "acme"), "either names of connections, or filters"),
            (("pause", "a b"), "The name of a connection must be"),
            (("remove", "acme/u1"), "This deletes acme/u1 of"),
            (("revoke", "acme/u1"), "This ends the access of acme/u1 of"),
            (("refresh", "acme/u1"), "This refreshes acme/u1 of"),
        ],
    )
    def test_mistakes_change_nothing(
        self, seeded: BareFleet, tokenctl: Tokenctl, words: tuple[str, ...], says: str
    ) -> None:
        before = {name: seeded.table.item(name) for name in NAMES}
        done = tokenctl(*words)
        assert (done.code, says in done.err) == (252, True), done.err
        assert {name: seeded.table.item(name) for name in NAMES} == before

    def test_filters_that_fit_nothing_say_so(self, seeded: BareFleet, tokenctl: Tokenctl) -> None:
        assert seeded.names()
        done = tokenctl("remove", "--tenant", "nobody", "--yes")
        assert (done.code, "No connection fits these filters" in done.err) == (255, True)
