"""The deployed asset under the real Lambda runtime, with the issuers that the team's own app calls."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support.certificates import Authority
from tests.support.events import TICK
from tests.support.fault_proxy import FaultProxy
from tests.support.local_function import LocalFunction
from tests.support.token_server import issued, token_server
from tests.support.windows import EXPIRED

pytestmark = pytest.mark.xdist_group("runtime")

CALLS = [
    *("GetSecretValue", "PutItem", "GetSecretValue", "GetSecretValue", "RefreshToken"),
    *("PutSecretValue", "UpdateSecretVersionStage", "UpdateItem"),
]


@pytest.fixture
def figma(function: LocalFunction) -> dict[str, str]:
    """Return the variables that make Figma the issuer; here it is the stand-in."""
    return {
        "ISSUER": "figma",
        "FIGMA_BASE_URL": function.cloud.standin.url,
        "ALLOW_HTTP_ISSUER": "true",
        **function.app_secret(CLIENT_ID, CLIENT_SECRET),
    }


def test_figma_refreshes(function: LocalFunction, figma: dict[str, str], proxy: FaultProxy) -> None:
    standin = function.cloud.standin
    grant = standin.grant()
    function.seed(grant, expires_in=timedelta(hours=1), note="kept")
    with function.runtime(**{**figma, **proxy.environment}) as runtime:
        report = runtime.invoke(TICK)
        assert report["outcome"] == "refreshed"
        version, stored = function.current()
        assert version == report["versionId"]
        assert standin.accepts(stored["accessToken"])
        assert (stored["provider"], stored["note"], stored["refreshToken"]) == ("figma", "kept", grant.refresh_token)
        assert proxy.calls == CALLS
        proxy.forget()
        assert runtime.invoke({})["accessToken"] == stored["accessToken"]
        assert proxy.calls == ["GetSecretValue"], "a fresh token costs no issuer"
        log = runtime.log()
    for secret in (grant.access_token, grant.refresh_token, stored["accessToken"], CLIENT_ID, CLIENT_SECRET):
        assert secret not in log
    assert standin.calls("RefreshToken") == []


@pytest.mark.parametrize("trusted", [True, False])
def test_the_pruned_asset_checks_certificates(*, trusted: bool, function: LocalFunction, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    function.seed(function.cloud.standin.grant(), expires_in=EXPIRED)
    with token_server(certificate=authority.issue("localhost")) as server:
        server.answer(issued(refresh_token="rotated"))
        environment: dict[str, Any] = {
            "ISSUER": "oauth2",
            "OAUTH2_TOKEN_URL": f"{server.url}/token",
            **function.app_secret(CLIENT_ID, CLIENT_SECRET),
            **({"AWS_CA_BUNDLE": str(authority.bundle)} if trusted else {}),
        }
        with function.runtime(**environment) as runtime:
            answer = runtime.invoke({})
    if trusted:
        assert answer["accessToken"] == "access-issued"
        assert function.current()[1]["refreshToken"] == "rotated"
    else:
        assert answer["errorType"] == "IssuerUnavailableException"
        assert "certificate" in answer["errorMessage"]
        assert server.seen == []
