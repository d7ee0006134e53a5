"""Moving the pair of a stack into its fleet and back, while a consumer asks all the time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from refresh_token.environment import CONNECTIONS_TABLE
from refresh_token.fleet.attributes import encode
from tests.support.command_line import Tokenctl
from tests.support.deployed_fleet import DeployedFleet
from tests.support.processes import wait_until
from tests.support.windows import FRESH
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.lock_claim import claimed_pair
from tokenctl.stack.target import LIVE, Target

pytestmark = pytest.mark.xdist_group("connections-deployed")

NAME = "acme"
INTO = ("connections", "import", "--from-secret-of-stack", NAME)
BACK = ("connections", "export", NAME, "--to-secret-of-stack", "--yes")


@dataclass
class Consumer:
    """Asks the stack's own function, again and again, and never tells it of a dead token."""

    fleet: DeployedFleet
    answers: list[Any] = field(default_factory=list)

    def ask(self) -> Any:
        answer = self.fleet.deployment.invoke({}, function_name=self.fleet.outputs["FunctionAliasArn"])
        self.answers.append(answer)
        return answer.payload

    def wait_for(self, more: int) -> None:
        """Wait until the consumer has got so many more answers."""
        wanted = len(self.answers) + more
        wait_until(lambda: len(self.answers) >= wanted)

    @contextmanager
    def asking(self) -> Iterator[None]:
        ended = threading.Event()

        def go_on() -> None:
            while not ended.is_set():
                self.ask()

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@pytest.fixture
def version(fleet: DeployedFleet) -> Iterator[str]:
    """Return the version of a pair that the secret holds."""
    yield fleet.deployment.seed(fleet.cloud.standin.grant(), expires_in=FRESH, note="kept")
    put = fleet.cloud.client("secretsmanager").put_secret_value
    put(SecretId=fleet.outputs["SecretArn"], SecretString="{}")


def refreshes(fleet: DeployedFleet) -> int:
    return len(fleet.cloud.standin.calls("refresh"))


def test_a_consumer_notices_nothing(fleet: DeployedFleet, tokenctl: Tokenctl, version: str) -> None:
    consumer = Consumer(fleet)
    with consumer.asking():
        consumer.wait_for(3)
        assert tokenctl(*INTO).code == 0
        consumer.wait_for(3)
        moved = fleet.ask(NAME)
        assert (moved.failed, moved.payload["versionId"]) == (False, version)
        _, pointer = fleet.deployment.current()
        assert pointer == {"connection": NAME, "provider": "figma", "note": "kept"}
        reported = fleet.ask(NAME, force=True).payload
        consumer.wait_for(3)
        assert tokenctl(*BACK).code == 0
        consumer.wait_for(3)
    assert [answer.payload for answer in consumer.answers if answer.failed] == []
    assert {answer.payload["versionId"] for answer in consumer.answers} == {version, reported["versionId"]}
    current, pair = fleet.deployment.current()
    assert (current, pair["accessToken"], pair["note"]) == (reported["versionId"], reported["accessToken"], "kept")
    assert consumer.ask()["accessToken"] == reported["accessToken"]
    assert fleet.ask(NAME).payload["errorType"] == "ConnectionNotFoundException"


def test_status_and_doctor_name_the_connection(fleet: DeployedFleet, tokenctl: Tokenctl, version: str) -> None:
    assert version
    tokenctl(*INTO)
    done = tokenctl("status")
    assert (done.code, f"it is the connection {NAME}" in done.out) == (0, True)
    assert f"it is the connection {NAME}" in tokenctl("doctor").line("secret")
    again = tokenctl(*INTO)
    assert (again.code, again.err) == (0, ""), "there is nothing left to do"
    other = tokenctl("connections", "import", "--from-secret-of-stack", "other")
    assert (other.code, f"is the connection {NAME} already" in other.err) == (255, True)
    assert fleet.table.record(NAME).claim_id is None
    tokenctl(*BACK)


def test_a_running_refresh_is_waited_for(fleet: DeployedFleet, tokenctl: Tokenctl, version: str) -> None:
    deployed = DeployedStack(Target(aws=AwsAccess(), given_stage="local"))
    with claimed_pair(deployed, version):
        refused = fleet.deployment.invoke({"force": True})
        assert refused.payload["errorType"] == "RefreshInProgressException", "it is the claim of the function"
        done = tokenctl(*INTO)
        assert (done.code, "is being refreshed. Nothing was changed." in done.err) == (255, True)
    assert fleet.deployment.current()[0] == version
    assert fleet.table.item(NAME) == {}
    assert not fleet.deployment.invoke({"force": True}).failed, "the claim has ended"


def test_consumers_must_be_served_afterwards(fleet: DeployedFleet, tokenctl: Tokenctl, version: str) -> None:
    client, name = fleet.cloud.client("lambda"), fleet.outputs["FunctionName"]
    before = client.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    without = {key: value for key, value in variables.items() if key != CONNECTIONS_TABLE}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": without})
    client.update_alias(
        FunctionName=name, Name=LIVE, FunctionVersion=client.publish_version(FunctionName=name)["Version"]
    )
    done = tokenctl(*INTO)
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    client.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=before)
    assert (done.code, "cannot read the fleet, so its consumers would get errors" in done.err) == (253, True)
    assert (fleet.deployment.current()[0], fleet.table.item(NAME)) == (version, {})


@pytest.mark.parametrize("killed", ["before the secret points to it", "before others may refresh it"])
def test_a_move_that_was_killed_goes_on(fleet: DeployedFleet, tokenctl: Tokenctl, version: str, killed: str) -> None:
    secrets, arn = fleet.cloud.client("secretsmanager"), fleet.outputs["SecretArn"]
    tokenctl(*INTO)
    fleet.table.change(NAME, claimId=encode("dead"), claimUntil=encode(1), openClaims=encode(1))
    if killed.startswith("before the secret"):
        pointer = secrets.get_secret_value(SecretId=arn)["VersionId"]
        secrets.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=pointer
        )
    assert tokenctl(*INTO).code == 0
    record = fleet.table.record(NAME)
    assert (record.version, record.claim_id, record.state) == (version, None, "active")
    assert not fleet.ask(NAME).failed
    tokenctl(*BACK)


def test_another_pair_is_not_overwritten(fleet: DeployedFleet, tokenctl: Tokenctl, version: str) -> None:
    fleet.connect({NAME: fleet.cloud.standin.grant(user="u2")}, expires_in=FRESH)
    into, back = tokenctl(*INTO), tokenctl(*BACK)
    assert (into.code, f"There is another connection {NAME}" in into.err) == (255, True)
    assert (back.code, "The secret of the stack holds another pair" in back.err) == (255, True)
    assert fleet.deployment.current()[0] == version
    assert fleet.table.record(NAME).claim_id is None
