"""`tokenctl errors --connections` on a deployed fleet."""

import pytest

from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.processes import wait_until
from tests.support.windows import EXPIRED

pytestmark = pytest.mark.xdist_group("connections-deployed")


def test_counts_each_failure_once_by_error(fleet: DeployedFleet, tokenctl: Tokenctl) -> None:
    name = "errors/u1"
    grant = fleet.cloud.standin.grant(user="u9")
    fleet.cloud.standin.revoke(user="u9")
    fleet.connect({name: grant}, expires_in=EXPIRED)
    for _ in range(2):
        assert fleet.ask(name).failed

    def seen() -> bool:
        rows = tokenctl("errors", "--connections", "--output", "json").json["errors"]
        found = [row for row in rows if row["connection"] == name]
        return [(row["reason"], row["runbook"]) for row in found] == [
            ("ReauthorizationRequiredException", "docs/runbook.md#connectionsrefused")
        ]

    wait_until(seen)
    shown = tokenctl("errors", "--connections").out
    assert f" for {name}\n" in shown
    assert "Failed in the last day:" in shown
