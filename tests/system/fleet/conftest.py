"""One deployed fleet for the tests of the group "fleet"; `fleet` is empty again before each test."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from tests.support.deployed_fleet import DeployedFleet, deploy_fleet


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Return a cloud of this folder's own, which has no other stack."""
    with LocalCloud.start(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def deployed_fleet(cloud: LocalCloud) -> DeployedFleet:
    return deploy_fleet(cloud)


@pytest.fixture
def fleet(deployed_fleet: DeployedFleet) -> Iterator[DeployedFleet]:
    deployed_fleet.clear()
    yield deployed_fleet
    deployed_fleet.clear()
