"""The fixtures of the suites that need the local AWS, and who runs what.

The local AWS starts once in each xdist worker that needs it. Tests of the stack that the demo deploys are one group,
"stack", so that it is deployed once. tokenctl's have a stack and a cloud of their own, "deployed", since the demo waits
for its schedule. Other groups share fixtures that take long. `make test` has four workers for two cores, since many
groups mostly wait. The longest groups start first and small pieces of the unit tests come last, so that no worker is
left with a long one at the end.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.deployment import Deployment
from local.standin import Standin
from tests.support.botocore_models import kept_models
from tests.support.certificates import Authority
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.local_function import LocalFunction, build_asset
from tests.support.played_demo import PlayedDemo, play_demo

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts background jobs with SIGINT ignored. The programs under test would inherit that and never see
    # Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# jsii's process, which starts when a test imports the CDK, does not load the CDK's own rules for templates: seconds for
# each process that synthesises. tests/infra/test_synth.py keeps a template to them.
os.environ["CDK_VALIDATION"] = "false"

CHAINS = ("stack", "ministack", "deployed", "matrix of amplify")
"""The groups that take longest."""

AT_A_TIME = 100
"""Tests of a file that a worker gets at once: few workers then set up the file's fixtures."""


NOT_COVERED = ("browser", "faults", "leak", "runtime")
"""Folders whose tests run our code in other processes, or lines that the unit tests run: with coverage they would take
half as long again."""


def pytest_configure(config: pytest.Config) -> None:
    """Sort the paths of the command line, so that those of a folder come together.

    pytest 9.1 does not find the fixtures of a folder's conftest.py when it comes back to the folder after another one.
    """
    config.args.sort()


@pytest.hookimpl(tryfirst=True)  # before xdist's own hook reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests that have no group; sort the groups, the longest first."""
    counts = Counter[Path]()

    def turn(item: pytest.Item) -> int:
        if mark := item.get_closest_marker("xdist_group"):
            return CHAINS.index(mark.args[0]) if mark.args[0] in CHAINS else len(CHAINS)
        group = f"{item.path.parent.name} {item.path.stem} {counts[item.path] // AT_A_TIME}"
        counts[item.path] += 1
        item.add_marker(pytest.mark.xdist_group(group))
        return len(CHAINS) + 1

    items.sort(key=turn)
    for item in items:
        if item.path.parent.name in NOT_COVERED:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def _models() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, function in kept_models():
            patch.setattr(owner, name, function)
        yield


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def running_standin() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="session")
def asset() -> Path:
    return build_asset()


@pytest.fixture
def function(cloud: LocalCloud, asset: Path, tmp_path: Path) -> Iterator[LocalFunction]:
    """Return the function with a secret and a lock table of this test's own, and a new stand-in."""
    cloud.standin.reset()
    yield LocalFunction(cloud, asset, tmp_path)
    cloud.standin.reset()


@pytest.fixture
def proxy(cloud: LocalCloud) -> Iterator[FaultProxy]:
    with fault_proxy(cloud) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def played(cloud: LocalCloud) -> PlayedDemo:
    return play_demo(cloud)


@pytest.fixture
def stack(played: PlayedDemo) -> Iterator[Deployment]:
    """Return the stack that the demo deployed, and a new stand-in."""
    played.deployment.cloud.standin.reset()
    yield played.deployment
    played.deployment.cloud.standin.reset()
