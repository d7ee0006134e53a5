"""kill -9 of dispatcher and worker before and after each step: no connection is forgotten, none refreshed twice.

    dispatcher   read the brake | lease | send | record the brake
    worker       read | claim | decrypt | call | write, which closes the claim

Time passes by moving the lease and the claim of the item into the past.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from refresh_token.fleet.states import State
from tests.support.killed_fleet import KilledFleet, batch, killed_fleet

pytestmark = pytest.mark.xdist_group("fleet")

NAME, USER = "acme/u1", "u1"
FIRST_LEASE = "UpdateItem", 2
CALL = "RefreshToken", 1

DISPATCHER = {
    "before the lease": (FIRST_LEASE, False, 0),
    "after the lease": (FIRST_LEASE, True, 0),
    "before the send": (("SendMessageBatch", 1), False, 0),
    "after the send": (("SendMessageBatch", 1), True, 1),
    "before the brake is recorded": (("UpdateItem", 3), False, 1),
}
"""Where the dispatcher is killed: at which call, whether it was answered, and how many messages that leaves."""

WORKER = {
    "before the claim": (("UpdateItem", 1), False, 1),
    "after the claim": (("UpdateItem", 1), True, 1),
    "before the refresh token is decrypted": (("Decrypt", 1), False, 1),
    "before the call": (CALL, False, 1),
    "after the call": (CALL, True, 2),
    "before the write": (("UpdateItem", 2), False, 2),
    "after the write": (("UpdateItem", 2), True, 1),
}
"""The same for the worker, and how often the provider is called in all: a lost answer costs another call."""

LOST = ("after the call", "before the write")


@pytest.fixture(scope="module")
def running_fleet(cloud: LocalCloud, asset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KilledFleet]:
    with killed_fleet(cloud, asset, tmp_path_factory.mktemp("fleet-kill")) as fleet:
        yield fleet


@pytest.fixture(params=[False, True], ids=["reusable", "replaced"])
def rotates(request: pytest.FixtureRequest) -> bool:
    """Return whether the provider replaces refresh tokens, and takes a spent one for theft."""
    return bool(request.param)


def due(fleet: KilledFleet, *, rotates: bool) -> KilledFleet:
    """Return the fleet with one connection, which is due."""
    fleet.cloud.standin.reset()
    fleet.cloud.standin.set_rotation(on=rotates)
    fleet.messages()
    fleet.connect(NAME, fleet.cloud.standin.grant(user=USER))
    return fleet


def recover(fleet: KilledFleet, message: str) -> None:
    """Deliver a message again, as the queue does, and let the fleet do its work until nothing is open."""
    fleet.deliver(message)
    while (record := fleet.table.record(NAME)).claim_id is not None or record.state is State.COOLING:
        fleet.let_time_pass(NAME)
        fleet.tick()
        for late in fleet.messages():
            fleet.deliver(late)


@pytest.mark.parametrize("point", DISPATCHER)
def test_a_killed_dispatcher_forgets_none(running_fleet: KilledFleet, point: str) -> None:
    held, answered, left = DISPATCHER[point]
    fleet = due(running_fleet, rotates=True)
    fleet.kill(fleet.dispatcher, {"source": "aws.scheduler"}, held, answered=answered)
    sent = fleet.messages()
    assert len(sent) == left
    fleet.tick()
    fleet.let_time_pass(NAME)
    fleet.tick()
    sent += fleet.messages()
    for message in [*sent, *sent]:
        fleet.deliver(message)
    record, counts = fleet.table.record(NAME), fleet.cloud.standin.counts()[USER]
    assert (counts.refreshed, counts.calls, counts.reused) == (1, 1, 0)
    assert record.state is State.ACTIVE
    assert fleet.cloud.standin.accepts(str(record.access))


@pytest.mark.parametrize("point", WORKER)
def test_a_killed_worker_loses_only_an_answer(running_fleet: KilledFleet, point: str, *, rotates: bool) -> None:
    held, answered, calls = WORKER[point]
    fleet = due(running_fleet, rotates=rotates)
    message = fleet.work(NAME)
    fleet.kill(fleet.worker, batch(message), held, answered=answered)
    recover(fleet, message)
    record, counts = fleet.table.record(NAME), fleet.cloud.standin.counts()[USER]
    assert counts.calls == calls
    if rotates and point in LOST:
        assert (record.state, counts.reused) == (State.REFUSED, 1), "it says why"
    else:
        assert (record.state, record.open_claims, counts.reused) == (State.ACTIVE, 0, 0)
        assert fleet.cloud.standin.accepts(str(record.access))


@pytest.mark.parametrize("answered", [False, True], ids=["before the claim is closed", "after the claim is closed"])
def test_a_killed_worker_tries_a_failure_again(running_fleet: KilledFleet, *, answered: bool) -> None:
    fleet = due(running_fleet, rotates=True)
    message = fleet.work(NAME)
    fleet.kill(fleet.worker, batch(message), ("UpdateItem", 2), answered=answered, down=True)
    recover(fleet, message)
    record, counts = fleet.table.record(NAME), fleet.cloud.standin.counts()[USER]
    assert (record.state, record.failure, record.attempts) == (State.ACTIVE, None, 0)
    assert (counts.refreshed, counts.calls, counts.reused) == (1, 1, 0)
