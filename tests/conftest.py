"""Shared by the suites that need the local cloud; they run in one worker (xdist group "cloud"), so it starts once."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Return a running MiniStack and stand-in."""
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running
