"""tokenctl in this process on a deployed fleet. Whatever it prints is searched for tokens."""

import io
import sys
from collections.abc import Iterator

import pytest

from tests.support.command_line import Done, Tokenctl, check_schema
from tests.support.deployed_fleet import DeployedFleet, deploy_fleet
from tests.support.documents import dangling
from tokenctl.main import run


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
    for name, value in (fleet.cloud.exports | {"COLUMNS": "120"}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def command(*words: str, stdin: str | bytes = "") -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        code = run([*words, "--stage", "local"])
        captured = capfd.readouterr()
        for grant in fleet.cloud.standin.grants():
            for token in (grant.access_token, grant.refresh_token):
                assert token not in captured.out + captured.err
        assert "Traceback" not in captured.err
        assert dangling(captured.out + captured.err) == []
        check_schema(words, captured.out)
        return Done(code, captured.out, captured.err)

    return command
