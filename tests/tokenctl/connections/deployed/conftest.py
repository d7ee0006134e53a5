"""tokenctl in this process on a deployed fleet. Whatever it prints is searched for tokens."""

from collections.abc import Iterator

import pytest

from tests.support.command_line import Done, Tokenctl
from tests.support.deployed_fleet import DeployedFleet, deploy_fleet
from tests.support.documents import dangling
from tests.support.in_this_process import call_with, run_tokenctl


@pytest.fixture(scope="session")
def deployed_fleet(cloud: object) -> DeployedFleet:
    return deploy_fleet(cloud, context={"schedule": "rate(12 hours)", "schedule_enabled": "true"})  # type: ignore[arg-type]


@pytest.fixture
def fleet(deployed_fleet: DeployedFleet) -> Iterator[DeployedFleet]:
    deployed_fleet.clear()
    yield deployed_fleet
    deployed_fleet.clear()


@pytest.fixture
def tokenctl(fleet: DeployedFleet, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokenctl:
    """Run a command on the stage `local`."""
    call_with(monkeypatch, fleet.cloud.exports | {"COLUMNS": "120"})

    def command(*words: str, stdin: str | bytes = "") -> Done:
        done = run_tokenctl([*words, "--stage", "local"], stdin, monkeypatch, capfd)
        for grant in fleet.cloud.standin.grants():
            for token in (grant.access_token, grant.refresh_token):
                assert token not in done.out + done.err
        assert dangling(done.out + done.err) == []
        return done

    return command
