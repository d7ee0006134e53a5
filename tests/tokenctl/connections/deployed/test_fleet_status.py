"""What `tokenctl status` says about a fleet."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from rich.console import Console

from refresh_token.fleet.attributes import encode
from refresh_token.fleet.names import shard_of
from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.fleet import pair_of
from tests.support.windows import FRESH
from tokenctl.terminal.status_screen import render

pytestmark = pytest.mark.xdist_group("connections-deployed")

Answer = TypeVar("Answer")

LATER = int(time.time()) + 86_400


def put(fleet: DeployedFleet, *, state: str = "active", count: int = 1, prefix: str = "", due: int = LATER) -> None:
    """Store connections in a state, as the functions leave them."""
    for number in range(count):
        name = f"{prefix or state}/u{number}"
        fleet.table.seed(name, pair_of(), due_at=due)
        if state != "active":
            gone = {} if state == "cooling" else {"slot": None, "dueAt": None}
            fleet.table.change(name, state=encode(state), trouble=encode(f"{state}#{shard_of(name)}"), **gone)


def brake(fleet: DeployedFleet, provider: str = "figma") -> None:
    item = {"pk": encode(f"#brake#{provider}"), "brakedSince": encode(int(time.time()) - 600)}
    fleet.table.client.put_item(TableName=fleet.table.name, Item=item)


def before_a_lease(fleet: DeployedFleet, name: str, due: int, ask: Callable[[], Answer]) -> Answer:
    """Return the answer about a due connection. The dispatcher takes it at each full minute; then ask again."""
    while True:
        fleet.table.change(name, dueAt=encode(due))
        answer = ask()
        if fleet.table.record(name).due_at == due:
            return answer


def part(tokenctl: Tokenctl) -> Any:
    return tokenctl("status", "--output", "json").json["fleet"]


class TestTheFleet:
    def test_an_empty_one_is_healthy(self, tokenctl: Tokenctl) -> None:
        done = tokenctl("status")
        assert done.code == 0, done.out
        shown = " ".join(done.out.split())
        for sight in ("HEALTHY", "connections 0 active none is due", "token none: this stack keeps connections only"):
            assert sight in shown

    def test_counts_by_state_and_provider(self, fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
        states = {"active": 20, "cooling": 2, "refused": 3, "paused": 4, "revoked": 1}
        for state, count in states.items():
            put(fleet, state=state, count=count)
        late = int(time.time()) - 100
        put(fleet, prefix="late", due=late)
        found = before_a_lease(fleet, "late/u0", late, lambda: part(tokenctl))
        assert {state: count for state, count in found["byState"].items() if count} == {**states, "active": 21}
        assert (found["connections"], found["complete"], found["due"]) == (31, True, 1)
        figma, oauth2 = found["providers"]
        assert (figma["provider"], figma["due"], oauth2["due"]) == ("figma", 1, 0)
        assert 100 <= found["oldestOverdueSeconds"] < 160
        assert found["troubles"] == [], "a few refused ones are their users' affair"

    @pytest.mark.parametrize(
        ("state", "count", "says"),
        [
            ("stuck", 1, "1 connection is stuck: see docs/runbook.md#connectionsstuck"),
            ("malformed", 2, "2 connections are malformed: see docs/runbook.md#connectionsstuck"),
            ("refused", 10, "10 connections are refused: see docs/runbook.md#connectionsrefused"),
        ],
    )
    def test_troubles_degrade(
        self, fleet: DeployedFleet, tokenctl: Tokenctl, state: str, count: int, says: str
    ) -> None:
        put(fleet)
        put(fleet, state=state, count=count)
        done = tokenctl("status")
        assert (done.code, f"DEGRADED {says}" in " ".join(done.out.split())) == (1, True), done.out

    def test_what_waits_too_long_and_a_brake(self, fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
        late = int(time.time()) - 1200
        put(fleet, due=late)
        brake(fleet)
        done = before_a_lease(fleet, "active/u0", late, lambda: tokenctl("status"))
        shown = " ".join(done.out.split())
        assert done.code == 1
        assert "1 connection is due, the oldest for 20 minutes: see docs/runbook.md#connectionsoverdue" in shown
        assert "figma is braked since 20" in shown
        assert "BRAKED: figma (10 minutes ago)" in shown

    def test_nobody_served_is_dead(self, fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
        put(fleet, state="refused", count=2)
        put(fleet, state="paused")
        done = tokenctl("status")
        assert (done.code, "DEAD: see docs/runbook.md#connectionsrefused" in " ".join(done.out.split())) == (2, True)

    def test_it_fits_a_small_terminal_when_watched(self, fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
        fleet.deployment.seed(fleet.cloud.standin.grant(), expires_in=FRESH)
        for state in ("active", "cooling", "refused", "stuck", "malformed", "paused", "revoked"):
            put(fleet, state=state)
        brake(fleet)
        brake(fleet, "oauth2")
        report = tokenctl("status", "--output", "json").json
        report["lastOutcome"] = {
            "at": "2026-11-26T11:00:00Z",
            "outcome": "failed",
            "reason": "X",
            "detail": "Why. " * 30,
        }
        console = Console(width=80, height=24)
        with console.capture() as watched:
            console.print(render(report, interval=5))
        assert len(watched.get().splitlines()) < 24
