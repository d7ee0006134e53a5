"""One stage for all plays of a module."""

from collections.abc import Iterator

import pytest

from tests.system.leak.stage import Stage, open_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as ready:
        yield ready
