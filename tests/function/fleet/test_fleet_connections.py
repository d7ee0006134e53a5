"""Connections of several providers, opened with their own issuers, on the wire."""

import json
from typing import Any

import boto3
import pytest

from refresh_token.adapters.connection_table import ConnectionTable
from refresh_token.adapters.fleet_connections import FleetConnections, issuer_cache
from refresh_token.adapters.refreshing import refresher_for
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.errors import ConfigurationException, IssuerUnavailableException
from refresh_token.fleet.settings import FleetSettings
from refresh_token.fleet.state_change import StateChange
from refresh_token.issuers.registry import issuer_from
from tests.support.fakes import NOW, FakeTelemetry
from tests.support.fleet import NAME, FleetStage, fleet_stage, pair_of
from tests.support.function_environment import AppSecret
from tests.support.token_server import TokenServer, http, issued
from tests.support.windows import WINDOW_VARIABLES

ACME = {
    "name": "acme",
    "title": "Acme",
    "grant": "refresh_token",
    "params": {"shop": {"about": "the shop", "pattern": "[a-z]+"}},
    "refresh_token": {"replaced": False},
}


class Fleet:
    """A fleet with two providers that are one server: `oauth2`, and `acme` with an address for each shop."""

    def __init__(self, server: TokenServer, app: AppSecret, *, attempts: int | None = None, **variables: str) -> None:
        self.stage: FleetStage = fleet_stage()
        common = {"APP_SECRET_ARN": app.arn, "ALLOW_HTTP_ISSUER": "true"}
        profile = json.dumps({**ACME, "address": {"token": f"{server.url}/{{shop}}/token"}})
        rows = {
            "oauth2": {"ISSUER": "oauth2", "OAUTH2_TOKEN_URL": f"{server.url}/token", **common},
            "acme": {"ISSUER": "acme", "ISSUER_PROFILE": profile, **common},
        }
        environment = {"CONNECTIONS_TABLE": self.stage.table.name, "PROVIDERS": json.dumps(rows), **WINDOW_VARIABLES}
        self.told: list[StateChange] = []
        client = boto3.client("dynamodb")
        self.connections = FleetConnections(
            settings=FleetSettings.from_environment({**environment, **variables}),
            table=ConnectionTable(self.stage.table.name, client, lambda: client, lambda: client),
            seal=self.stage.seal,
            issuer_for=issuer_cache(issuer_from, attempts=attempts),
            changes=self,
            now=self.stage.clock.now,
            jitter=lambda: 0.0,
        )

    def changed(self, change: StateChange) -> None:
        self.told.append(change)

    def seed(self, provider: str = "oauth2", name: str = NAME, **more: Any) -> None:
        self.stage.seed(name, pair_of(provider=provider, expires_at=NOW, refreshed_at=None), **more)

    def force(self, name: str = NAME) -> str:
        opened = self.connections.open(name, force=True)
        parts: dict[str, Any] = {"telemetry": FakeTelemetry(), "memory": ProcessMemory()}
        refresher = refresher_for(opened.connection, clock=self.stage.clock, **parts)
        return refresher.force().stored.pair.access_token


@pytest.fixture
def fleet(token_endpoint: TokenServer, app_secret: AppSecret) -> Fleet:
    return Fleet(token_endpoint, app_secret)


def test_each_provider_has_its_issuer(fleet: Fleet, token_endpoint: TokenServer) -> None:
    fleet.seed()
    fleet.seed("acme", "acme/one", params={"shop": "one"})
    fleet.seed("acme", "acme/two", params={"shop": "two"})
    token_endpoint.answer(issued(access_token="a", refresh_token="refresh-1"))
    assert [fleet.force(name) for name in (NAME, "acme/one", "acme/two")] == ["a"] * 3
    assert [seen.line.split()[1] for seen in token_endpoint.seen] == ["/token", "/one/token", "/two/token"]
    assert {seen.form["refresh_token"] for seen in token_endpoint.seen} == {"refresh-0"}
    assert fleet.stage.opened("acme/two") == "refresh-1"


def test_an_issuer_is_kept(fleet: Fleet, token_endpoint: TokenServer) -> None:
    for number in range(3):
        fleet.seed(name=f"acme/u{number}")
        fleet.force(f"acme/u{number}")
    assert {seen.connection for seen in token_endpoint.seen} == {1}, "with its connection"


@pytest.mark.parametrize(("attempts", "sent"), [(None, 3), (1, 1)])
def test_a_worker_makes_one_attempt(
    attempts: int | None, sent: int, token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    fleet = Fleet(token_endpoint, app_secret, attempts=attempts)
    fleet.seed("acme", params={"shop": "one"})
    token_endpoint.answer(http(503))
    with pytest.raises(IssuerUnavailableException):
        fleet.force()
    assert len(token_endpoint.seen) == sent


def test_the_issuers_wait_becomes_the_due_time(token_endpoint: TokenServer, app_secret: AppSecret) -> None:
    fleet = Fleet(token_endpoint, app_secret, attempts=1)
    fleet.seed()
    token_endpoint.answer(http(429, b'{"error": "slow_down"}', Retry_After="1800"))
    with pytest.raises(IssuerUnavailableException):
        fleet.force()
    assert fleet.stage.table.record().due_at == int(NOW.timestamp()) + 1800


def test_changes_are_told_with_their_reasons(fleet: Fleet, token_endpoint: TokenServer) -> None:
    fleet.seed()
    token_endpoint.answer(http(429), http(429), http(429), issued())
    with pytest.raises(IssuerUnavailableException):
        fleet.force()
    fleet.force()
    assert [(told.connection, told.before, told.after, told.reason) for told in fleet.told] == [
        (NAME, "active", "cooling", "degraded"),
        (NAME, "cooling", "active", "recovered"),
    ]
    assert fleet.told[0].expires_at == NOW
    assert fleet.told[1].expires_at not in (None, NOW)


@pytest.mark.parametrize(
    ("item", "fleets", "policy"), [(None, "warm", "always"), (None, "demand", "demand"), ("demand", "warm", "demand")]
)
def test_a_connections_own_policy_comes_first(
    item: str | None, fleets: str, policy: str, token_endpoint: TokenServer, app_secret: AppSecret
) -> None:
    fleet = Fleet(token_endpoint, app_secret, CONNECTION_POLICY=fleets)
    fleet.seed(policy=item)
    assert fleet.connections.open(NAME).connection.policy == policy


def test_another_provider_is_no_part_of_it(fleet: Fleet, token_endpoint: TokenServer) -> None:
    fleet.seed("xero")
    with pytest.raises(ConfigurationException, match="provider that this fleet does not have"):
        fleet.connections.open(NAME)
    assert token_endpoint.seen == []


def test_wrong_params_claim_nothing(fleet: Fleet, token_endpoint: TokenServer) -> None:
    fleet.seed("acme", params={"shop": "NOT A SHOP"})
    before = fleet.stage.table.record()
    with pytest.raises(ConfigurationException, match="ISSUER_PARAMS"):
        fleet.force()
    assert (fleet.stage.table.record(), token_endpoint.seen) == (before, [])
