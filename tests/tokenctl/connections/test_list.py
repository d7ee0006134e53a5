"""`tokenctl connections list`: from the indexes, page by page."""

import json
import re

import pytest

from refresh_token.fleet import operator_writes
from refresh_token.fleet.states import State, trouble_of
from tests.support.bare_fleet import ACME, BareFleet
from tests.support.bare_stack import Stack
from tests.support.command_line import Tokenctl
from tests.support.connections import lines
from tests.support.fault_proxy import FaultProxy, Strike
from tests.support.fleet import pair_of

pytestmark = pytest.mark.xdist_group("connections")

NAMES = {"oauth2": ["a", "acme", "acme/u1", "acme/u2", "acme2/u1"], "linear": ["acme/u3", "b"]}
EVERY = [*NAMES["oauth2"], *NAMES["linear"]]
STATES = {"acme/u1": State.REFUSED, "b": State.COOLING, "acme/u3": State.PAUSED}
"""The others are active."""


@pytest.fixture
def seeded(fleet: BareFleet) -> BareFleet:
    fleet.set({"oauth2": ACME, "linear": {"ISSUER": "linear"}})
    for provider, names in NAMES.items():
        for name in names:
            seen = fleet.table.seed(name, pair_of("canary-access", refresh_token="canary", provider=provider))
            state = STATES.get(name, State.ACTIVE)
            if state is State.PAUSED:
                fleet.table.make("update_item", operator_writes.pause(seen))
            elif state is not State.ACTIVE:
                marks = {"state": {"S": state}, "trouble": {"S": trouble_of(state, name)}}
                gone = {} if state.is_kept_alive else {"dueAt": None, "slot": None}
                fleet.table.change(name, **marks, **gone)
    return fleet


FILTERS: list[tuple[tuple[str, ...], list[str]]] = [
    ((), EVERY),
    (("--state", "active"), ["a", "acme", "acme/u2", "acme2/u1"]),
    (("--state", "cooling"), ["b"]),
    (("--state", "refused", "--state", "paused"), ["acme/u1", "acme/u3"]),
    (("--state", "stuck"), []),
    (("--provider", "linear"), ["acme/u3", "b"]),
    (("--provider", "unknown"), []),
    (("--tenant", "acme"), ["acme", "acme/u1", "acme/u2", "acme/u3"]),
    (("--tenant", "acme", "--provider", "oauth2", "--state", "active"), ["acme", "acme/u2"]),
]


@pytest.mark.parametrize(("words", "names"), FILTERS, ids=" ".join)
def test_filters_choose_connections(
    tokenctl: Tokenctl, seeded: BareFleet, words: tuple[str, ...], names: list[str]
) -> None:
    assert seeded
    done = tokenctl("list", *words, "--output", "json")
    assert (done.code, done.err) == (0, "")
    assert sorted(row["connection"] for row in done.json) == sorted(names)
    assert all(row["state"] == STATES.get(row["connection"], State.ACTIVE) for row in done.json)
    assert all((row["dueAt"] is None) is (row["state"] in {"refused", "paused"}) for row in done.json)
    assert done.out == f"{json.dumps(done.json, indent=4)}\n", "as the AWS CLI prints it"
    shown = tokenctl("list", *words)
    assert [line.split()[:2] for line in sorted(shown.out.splitlines())] == sorted(
        [STATES.get(name, State.ACTIVE).value, name] for name in names
    )
    assert ("There is no such connection." in shown.err) is (not names)


def test_a_damaged_state_is_malformed(tokenctl: Tokenctl, seeded: BareFleet) -> None:
    seeded.table.change("a", state={"S": "weird"})
    rows = {row["connection"]: row["state"] for row in tokenctl("list", "--output", "json").json}
    assert rows == {**dict.fromkeys(EVERY, "active"), **STATES, "a": "malformed"}
    assert "a" not in tokenctl("list", "--state", "active", "--query", "[].connection", "--output", "json").json


def test_only_indexes_are_read(tokenctl: Tokenctl, seeded: BareFleet, proxy: FaultProxy) -> None:
    assert seeded
    tokenctl("list")
    assert {*proxy.calls} - {""} == {"Query"}


def test_what_is_read_is_printed_at_once(tokenctl: Tokenctl, seeded: BareFleet, proxy: FaultProxy) -> None:
    assert seeded
    proxy.strike("Query", Strike(status=400, code="AccessDeniedException"), nth=100)
    done = tokenctl("list")
    assert (done.code, "calling the Query operation" in done.err) == (254, True)
    assert "acme2/u1" in done.out


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_show_each_connection_once(
    tokenctl: Tokenctl, seeded: BareFleet, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    assert seeded
    monkeypatch.setattr("tokenctl.connections.listing.MIN_READ", 1)
    found: list[str] = []
    words: tuple[str, ...] = ()
    for _ in range(len(EVERY) + 1):
        done = tokenctl("list", "--limit", str(limit), "--output", "json", *words)
        assert len(done.json) <= limit
        found += [row["connection"] for row in done.json]
        token = re.search(r"--starting-token (\S+)", done.err)
        if token is None:
            break
        words = ("--starting-token", token[1])
    assert sorted(found) == sorted(EVERY)


def test_what_does_not_match_is_read_over(tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenctl.connections.listing.MIN_READ", 1)
    tokenctl("import", "--from", "-", stdin=lines([*(f"t/{number}" for number in range(24)), "z/1"]))
    assert tokenctl("list", "--tenant", "z", "--limit", "1", "--query", "[].connection").json == ["z/1"]


MISTAKES = [
    (("--starting-token", "canary"), "--starting-token is not one of this list"),
    (("--starting-token", "W10="), "--starting-token is not one of this list"),
    (("--starting-token", "WyJkdWUiLCAieCIsIHt9XQ=="), "--starting-token is not one of this list"),
    (("--limit", "0"), "--limit"),
    (("--limit", "canary"), "--limit"),
    (("--state", "canary"), "must be one of active, cooling"),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES)
def test_a_mistake_is_refused(tokenctl: Tokenctl, words: tuple[str, ...], message: str) -> None:
    done = tokenctl("list", *words)
    assert (done.code, done.out, message in done.err) == (252, "", True)


def test_a_stack_without_a_fleet_is_named(tokenctl: Tokenctl, fleet: BareFleet) -> None:
    done = tokenctl("list", "--stage", "local")
    assert (done.code, "There is no stack" in done.err) == (253, True)
    done = tokenctl("list", "--function-name", fleet.name, "--stage", fleet.stage)
    assert (done.code, f"The stack {fleet.name} has no output FunctionName" in done.err) == (253, True)


class TestTheFleet:
    def test_is_found_in_other_ways(self, tokenctl: Tokenctl, seeded: BareFleet) -> None:
        path, arn = f"/{seeded.stage}", f"{seeded.name}:live"
        seeded.cloud.client("ssm").put_parameter(Name=f"{path}/connections-function-arn", Value=arn, Type="String")
        for words in (("--stack-name", seeded.name), ("--function-name", arn), ("--parameter-path", path)):
            done = tokenctl("list", *words, "--query", "length(@)")
            assert (done.code, done.out) == (0, f"{len(EVERY)}\n"), done.err

    def test_is_missing_in_others(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        with Stack(fleet.cloud).deployed() as stack:
            done = tokenctl("list", "--stage", stack.stage)
            assert (done.code, "keeps no fleet of connections. Deploy it with" in done.err) == (253, True)
            done = tokenctl("list", "--stack-name", stack.name)
            assert (done.code, "holds no function of a fleet. Check --stack-name." in done.err) == (253, True)
