"""The fleet as `cdk deploy` makes it."""

from datetime import timedelta

import pytest

from tests.support.deployed_fleet import REPLACED, REUSABLE, DeployedFleet
from tests.support.processes import wait_until

pytestmark = pytest.mark.xdist_group("fleet")


def test_the_parts_find_each_other(fleet: DeployedFleet) -> None:
    (mapping,) = fleet.cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["BatchSize"] == 1, "one of the providers replaces refresh tokens"
    assert mapping["FunctionArn"].endswith(fleet.function("Worker"))
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert fleet.tick() == {"outcome": "dispatched", "due": 0, "sent": 0, "oldestOverdueSeconds": 0}


def test_imported_connections_are_found(fleet: DeployedFleet) -> None:
    grant = fleet.cloud.standin.grant(user="u1")
    fleet.connect({"acme/u1": grant}, expires_in=timedelta(days=80))
    assert fleet.table.record("acme/u1").state == "active"


def test_a_due_connection_is_refreshed_by_a_worker(fleet: DeployedFleet) -> None:
    names = {f"acme/u{number}": provider for number, provider in enumerate((REUSABLE, REPLACED))}
    fleet.cloud.standin.set_rotation(on=False)
    versions = {}
    for name, provider in names.items():
        fleet.connect({name: fleet.cloud.standin.grant(user=name)}, expires_in=timedelta(hours=1), provider=provider)
        versions[name] = fleet.table.record(name).version

    def refreshed() -> bool:
        fleet.tick()
        return all(fleet.table.record(name).version != versions[name] for name in names)

    wait_until(refreshed, seconds=90)
    for name in names:
        assert fleet.cloud.standin.accepts(fleet.ask(name).payload["accessToken"])
