"""Shared by the suites that need the local cloud. It starts once in each worker of xdist that needs one.

What needs the stack that the demo deploys is one group, "stack", so that it is deployed once. The other groups share
fixtures that take long. `make test` has four workers, for two cores: much of the time they wait.
"""

import io
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from local.cloud import LocalCloud
from local.demo import Demo
from local.deployment import Deployment
from tests.support.local_function import LocalFunction, build_asset


@dataclass(frozen=True)
class Played:
    """What the demo left: our stack, the consumer's function, and all that it printed."""

    deployment: Deployment
    consumer: str
    printed: str


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # As a shell starts what runs in its background. The programs under test would inherit it and never see a Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


CHAINS = ("stack", "matrix")
"""The groups that take longest, and mostly wait."""

AT_A_TIME = 100
"""Tests of a file that a worker is given at once: what their module sets up is made in few workers."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group what has no group; let two workers begin with the long chains, and others with what does not wait."""
    counts = Counter[Path]()

    def turn(item: pytest.Item) -> int:
        if mark := item.get_closest_marker("xdist_group"):
            return CHAINS.index(mark.args[0]) if mark.args[0] in CHAINS else len(CHAINS) + 1
        group = f"{item.path.parent.name} {item.path.stem} {counts[item.path] // AT_A_TIME}"
        counts[item.path] += 1
        item.add_marker(pytest.mark.xdist_group(group))
        return len(CHAINS)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Return a running MiniStack and stand-in."""
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def asset() -> Path:
    """Return the built asset."""
    return build_asset()


@pytest.fixture
def bench(cloud: LocalCloud, asset: Path, tmp_path: Path) -> Iterator[LocalFunction]:
    """Return a secret and a table of this test's own."""
    cloud.standin.reset()
    yield LocalFunction(cloud, asset, tmp_path)
    cloud.standin.reset()


@pytest.fixture(scope="session")
def played(cloud: LocalCloud) -> Played:
    """Play the whole demo once, then stop the schedule, so that no tick disturbs what the tests count."""
    printed = io.StringIO()
    deployment, consumer = Demo(Console(file=printed, width=120), cloud).run()
    scheduler = cloud.client("scheduler")
    for summary in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
        kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        scheduler.update_schedule(**{key: schedule[key] for key in kept}, State="DISABLED")
    return Played(deployment, consumer, printed.getvalue())


@pytest.fixture
def stack(played: Played) -> Iterator[Deployment]:
    """Return our stack, with a stand-in that knows of nothing yet."""
    played.deployment.cloud.standin.reset()
    yield played.deployment
    played.deployment.cloud.standin.reset()
