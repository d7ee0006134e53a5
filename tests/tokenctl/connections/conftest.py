"""tokenctl in this process on a fleet's table and key. Whatever it prints is searched for tokens."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from tests.support.bare_fleet import BareFleet
from tests.support.command_line import Done, Tokenctl
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.in_this_process import call_with, run_tokenctl

NAMES_A_FLEET = {"--stage", "--stack-name", "--function-name", "--parameter-path"}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(cloud: LocalCloud) -> Iterator[BareFleet]:
    with BareFleet(cloud).deployed() as fleet:
        yield fleet


@pytest.fixture
def fleet(deployed: BareFleet) -> BareFleet:
    """Return a fleet of one provider without connections."""
    deployed.reset()
    return deployed


@pytest.fixture
def tokenctl(fleet: BareFleet, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tokenctl:
    """Run `tokenctl connections` on the fleet. A token's text has `canary` in it, and only `export` may print one."""
    call_with(monkeypatch, fleet.cloud.exports | {"COLUMNS": "120"})

    def command(*words: str, stdin: str | bytes = "") -> Done:
        target = () if NAMES_A_FLEET & {*words} else ("--stage", fleet.stage)
        done = run_tokenctl(["connections", *words, *target], stdin, monkeypatch, capfd)
        assert "canary" not in done.err
        assert words[0] == "export" or "canary" not in done.out
        return done

    return command


@pytest.fixture
def proxy(tokenctl: Tokenctl, fleet: BareFleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Return a proxy between tokenctl and AWS. What AWS throttles is tried only twice, to save the pauses."""
    assert tokenctl
    with fault_proxy(fleet.cloud) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        monkeypatch.setattr("tokenctl.connections.fleet.MAX_ATTEMPTS", 2)
        yield proxy
