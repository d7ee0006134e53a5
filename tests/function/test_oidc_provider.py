"""The generic issuer against oidc-provider, which replaces refresh tokens and notices spent ones.

`tests/system/faults/test_rotation.py` does the same under load, with a server built with Authlib.
"""

import json
from collections.abc import Callable, Iterator

import pytest

from refresh_token import errors
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth.client_auth import STANDARD
from tests.support.canaries import assert_clean
from tests.support.checkout import ROOT
from tests.support.function_environment import AppSecret
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider

MakeIssuer = Callable[..., Issuer]
OTHER = "canary-other"
METHODS = pytest.mark.parametrize("method", STANDARD)


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    if not (ROOT / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not installed: run `make setup`")
    with oidc_provider() as running:
        yield running


@pytest.fixture
def issuer(server: OidcProvider, app_secret: AppSecret) -> MakeIssuer:
    def make(method: str, *, secret: str = CLIENT_SECRET, path: str = "/token", scope: str = "") -> Issuer:
        app_secret.store(json.dumps({"clientId": CLIENT_ID, "clientSecret": secret}))
        settings = {"OAUTH2_TOKEN_URL": f"{server.url}{path}", "OAUTH2_CLIENT_AUTH": method, "OAUTH2_SCOPE": scope}
        always = {"ISSUER": "oauth2", "APP_SECRET_ARN": app_secret.arn, "ALLOW_HTTP_ISSUER": "true"}
        return issuer_from({**always, **settings})

    return make


def refresh(issuer: Issuer, token: str) -> IssuedToken:
    issued = issuer.refresh(token, None, seconds=30)
    assert isinstance(issued, IssuedToken)
    return issued


@METHODS
def test_each_refresh_token_is_replaced(method: str, server: OidcProvider, issuer: MakeIssuer) -> None:
    tokens = [server.sign_in()]
    for _ in range(3):
        issued = refresh(issuer(method), tokens[-1])
        assert (issued.expires_in, issued.odd) == (3600, ())
        assert server.accepts(issued.access_token)
        assert issued.refresh_token
        tokens.append(issued.refresh_token)
    assert len(set(tokens)) == 4


def test_a_spent_token_ends_the_grant(server: OidcProvider, issuer: MakeIssuer) -> None:
    first = server.sign_in()
    second = refresh(issuer("basic"), first).refresh_token
    for token in (first, str(second)):
        with pytest.raises(errors.ReauthorizationRequiredException) as caught:
            refresh(issuer("basic"), token)
        assert_clean(caught.value)


WRONG: dict[str, tuple[dict[str, str], type[errors.RefreshTokenError]]] = {
    "another secret": ({"method": "basic", "secret": OTHER}, errors.ConfigurationException),
    "another secret, in the form": ({"method": "post", "secret": OTHER}, errors.ConfigurationException),
    "a scope that was not granted": ({"method": "basic", "scope": "openid admin"}, errors.ConfigurationException),
    "no token endpoint": ({"method": "basic", "path": "/tokens"}, errors.IssuerProtocolException),
}


@pytest.mark.parametrize(("settings", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_settings_spend_no_token(
    settings: dict[str, str], expected: type[errors.RefreshTokenError], server: OidcProvider, issuer: MakeIssuer
) -> None:
    token = server.sign_in()
    with pytest.raises(expected, match=r"(?i)oauth2_") as caught:
        refresh(issuer(**settings), token)
    assert_clean(caught.value)
    assert refresh(issuer("post"), token)
