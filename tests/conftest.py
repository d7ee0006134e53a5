"""Shared by the suites that need the local cloud; they run in one worker (xdist group "cloud"), so it starts once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from tests.bench import Bench, build_asset


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
