"""The deployed asset under the real Lambda runtime, with each issuer that the team's own app asks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support.certificates import Authority
from tests.support.fault_proxy import Wire, wire_to
from tests.support.local_function import LocalFunction
from tests.support.token_server import issued, token_server

pytestmark = pytest.mark.xdist_group("runtime")

TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}
FORCE = {"provider": "figma", "force": True}
ASKS = ["GetSecretValue", "PutItem", "GetSecretValue", "GetSecretValue", "RefreshToken"]
STORES = ["PutSecretValue", "UpdateSecretVersionStage", "UpdateItem"]


def figma(bench: LocalFunction) -> dict[str, str]:
    """Return what makes Figma, which is the stand-in here, the issuer."""
    return {
        "ISSUER": "figma",
        "FIGMA_BASE_URL": bench.cloud.standin.url,
        "ALLOW_HTTP_ISSUER": "true",
        **bench.app_secret(CLIENT_ID, CLIENT_SECRET),
    }


@pytest.fixture
def wire(bench: LocalFunction) -> Iterator[Wire]:
    with wire_to(bench.cloud) as wire:
        yield wire


def test_figma_refreshes_and_nothing_else_is_different(bench: LocalFunction, wire: Wire) -> None:
    grant = bench.cloud.standin.grant()
    bench.seed(grant, expires_in=timedelta(hours=1), note="kept")
    with bench.runtime(**{**figma(bench), **wire.environment}) as runtime:
        report = runtime.invoke(TICK)
        assert report["outcome"] == "refreshed"
        version, stored = bench.current()
        assert version == report["versionId"]
        assert bench.cloud.standin.accepts(stored["accessToken"])
        assert (stored["provider"], stored["note"], stored["refreshToken"]) == ("figma", "kept", grant.refresh_token)
        assert wire.calls == [*ASKS, *STORES]
        wire.forget()
        assert runtime.invoke({})["accessToken"] == stored["accessToken"]
        assert wire.calls == ["GetSecretValue"], "who only asks pays for no issuer"
        log = runtime.log()
    for secret in (grant.access_token, grant.refresh_token, stored["accessToken"], CLIENT_ID, CLIENT_SECRET):
        assert secret not in log
    assert bench.cloud.standin.calls("RefreshToken") == []


def test_a_missing_secret_of_the_app_names_the_command_and_what_is_stored_next_is_used_at_once(
    bench: LocalFunction,
) -> None:
    bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
    settings = figma(bench)
    arn = settings["APP_SECRET_ARN"]
    with bench.runtime(**settings) as runtime:
        for text in ("{}", json.dumps({"clientId": CLIENT_ID, "clientSecret": "wrong"})):
            bench.secrets.put_secret_value(SecretId=arn, SecretString=text)
            answer = runtime.invoke(FORCE)
            assert answer["errorType"] == "ConfigurationException"
            assert "`tokenctl app-credentials --stage <stage>`" in answer["errorMessage"]
        good = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
        bench.secrets.put_secret_value(SecretId=arn, SecretString=good)
        assert runtime.invoke(FORCE)["state"] == "fresh"


def test_the_bare_operation_answers_what_it_always_does(
    bench: LocalFunction,
) -> None:
    grant = bench.cloud.standin.grant()
    body = {"provider": "figma", "refreshTokenBody": {"token": grant.refresh_token, "clientId": "another"}}
    with bench.runtime(**figma(bench)) as runtime:
        answer = runtime.invoke(body)
        assert set(answer) == {"accessToken", "expiresIn"}
        assert bench.cloud.standin.accepts(answer["accessToken"])
        bench.cloud.standin.revoke()
        assert runtime.invoke(body)["errorType"] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"ISSUER": "github"}, ["ISSUER"]),
        ({"APP_SECRET_ARN": "", "FIGMA_BASE_URL": "ftp://x"}, ["APP_SECRET_ARN", "FIGMA_BASE_URL"]),
        ({"ALLOW_HTTP_ISSUER": "false"}, ["FIGMA_BASE_URL"]),
    ],
)
def test_wrong_settings_keep_no_live_token_from_anybody_and_name_themselves_at_the_next_tick(
    wrong: dict[str, str], named: list[str], bench: LocalFunction
) -> None:
    bench.seed(bench.cloud.standin.grant())
    with bench.runtime(**{**figma(bench), **wrong}) as runtime:
        assert runtime.invoke({})["state"] == "fresh"
        answer = runtime.invoke(TICK)
    assert answer["errorType"] == "ConfigurationException"
    assert [name for name in named if name not in answer["errorMessage"]] == []


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_checked_from_the_pruned_asset(*, trusted: bool, bench: LocalFunction, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(seconds=-1))
    with token_server(certificate=authority.issue("localhost")) as server:
        server.answer(issued(refresh_token="rotated"))
        environment: dict[str, Any] = {
            "ISSUER": "oauth2",
            "OAUTH2_TOKEN_URL": f"{server.url}/token",
            **bench.app_secret(CLIENT_ID, CLIENT_SECRET),
            **({"AWS_CA_BUNDLE": str(authority.bundle)} if trusted else {}),
        }
        with bench.runtime(**environment) as runtime:
            answer = runtime.invoke({})
    if trusted:
        assert answer["accessToken"] == "access-issued"
        assert bench.current()[1]["refreshToken"] == "rotated"
    else:
        assert answer["errorType"] == "IssuerUnavailableException"
        assert "certificate" in answer["errorMessage"]
        assert server.seen == []
