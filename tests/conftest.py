"""Shared by the suites that need the local cloud; they run in one worker (xdist group "cloud"), so it starts once."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from local.cloud import LocalCloud
from local.demo import Demo
from local.deployment import Deployment
from tests.bench import Bench, build_asset


@dataclass(frozen=True)
class Played:
    """What the demo left: our stack, the consumer's function, and all that it printed."""

    deployment: Deployment
    consumer: str
    printed: str


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
def bench(cloud: LocalCloud, asset: Path, tmp_path: Path) -> Iterator[Bench]:
    """Return a secret and a table of this test's own."""
    cloud.standin.reset()
    yield Bench(cloud, asset, tmp_path)
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
