"""Consumers of a deployed fleet, through the client, and of the secret beside it after its pair has moved."""

import json
from datetime import timedelta

import boto3
import pytest

from refresh_token.fleet.operator_writes import pause
from tests.support.deployed_fleet import REPLACED, REUSABLE, DeployedFleet
from tests.support.in_this_process import call_with
from token_client import TokenClient, TokenClients
from token_client.errors import ConnectionNotFoundException, ConnectionPausedException, ReauthorizationRequiredException

pytestmark = pytest.mark.xdist_group("fleet")

ADA, BOB, EVE = "acme/ada", "acme/bob", "acme/eve"
FRESH, EXPIRED = timedelta(days=60), -timedelta(seconds=1)


@pytest.fixture
def consumer(fleet: DeployedFleet, monkeypatch: pytest.MonkeyPatch) -> DeployedFleet:
    call_with(monkeypatch, fleet.cloud.exports | {"CONNECTIONS_FUNCTION_NAME": fleet.outputs["ConnectionsFunctionArn"]})
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return fleet


def test_clients_get_and_heal_each_users_token(consumer: DeployedFleet) -> None:
    standin = consumer.cloud.standin
    consumer.connect({ADA: standin.grant(user="ada")}, expires_in=FRESH)
    consumer.connect({BOB: standin.grant(user="bob")}, expires_in=EXPIRED, provider=REPLACED)
    consumer.connect({EVE: standin.grant(user="eve")}, expires_in=FRESH)
    clients = TokenClients.from_parameter("/RefreshToken/local/connections-function-arn")
    tokens = {name: clients.connection(name).get_token() for name in (ADA, BOB, EVE)}
    assert all(standin.accepts(token.access_token) for token in tokens.values())
    assert {(token.connection, token.provider) for token in tokens.values()} == {
        *((ADA, REUSABLE), (BOB, REPLACED), (EVE, REUSABLE))
    }
    standin.kill(user="ada")
    healed = clients.connection(ADA).report_failure(tokens[ADA])
    assert standin.accepts(healed.access_token)
    assert {user: count.refreshed for user, count in standin.counts().items()} == {"ada": 1, "bob": 1}
    standin.revoke(user="ada")
    aged = {"refreshedAt": {"S": "2026-01-01T00:00:00Z"}}  # a report of a new token refreshes nothing
    consumer.table.change(ADA, **aged)
    with pytest.raises(ReauthorizationRequiredException, match=ADA):
        TokenClient(connection=ADA).report_failure(healed)
    consumer.table.make("update_item", pause(consumer.table.record(EVE)))
    with pytest.raises(ConnectionPausedException, match=EVE):
        TokenClient(connection=EVE).get_token()
    with pytest.raises(ConnectionNotFoundException, match="acme/nobody"):
        clients.connection("acme/nobody").get_token()


def test_both_functions_serve_a_moved_pair(consumer: DeployedFleet) -> None:
    standin, secrets = consumer.cloud.standin, consumer.cloud.client("secretsmanager")
    consumer.connect({ADA: standin.grant(user="ada")}, expires_in=FRESH)
    pointer = json.dumps({"connection": ADA, "provider": REUSABLE})
    secrets.put_secret_value(SecretId=consumer.outputs["SecretArn"], SecretString=pointer)
    one, many = TokenClient(consumer.outputs["FunctionAliasArn"]), TokenClient(connection=ADA)
    dead = one.get_token()
    assert many.get_token().version_id == dead.version_id
    standin.kill(user="ada")
    assert one.report_failure(dead) == many.report_failure(dead)
    assert standin.counts()["ada"].refreshed == 1
    ticked = consumer.deployment.invoke({"source": "aws.scheduler"}, function_name=consumer.outputs["FunctionName"])
    assert ticked.payload["outcome"] == "fresh"
