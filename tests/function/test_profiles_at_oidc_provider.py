"""Profiles against a server that nobody here wrote: it checks signatures and knows spent tokens."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from refresh_token import errors
from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth.profile_file import to_compact_json
from tests.support.canaries import clean_fault
from tests.support.function_environment import AppSecret
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider

SHARED = "a secret of at least 32 bytes that both sides have"
SIGNED = {"RS256": "RSA_2048", "ES256": "ECC_NIST_P256"}
"""What both sides can. moto's PS256 has a longer salt than RFC 7518, 3.5, allows."""

CLAIMS = 'claims = { iss = "{clientId}", sub = "{clientId}", aud = "{server}" }\n'
PROFILE = (
    'name = "acme"\ntitle = "Acme"\ngrant = "{}"\nparams.server = {{ hosts = ["*"], pattern = ".+" }}\n'
    'address.token = "{{server}}/token"\n'
)
OWN = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": []}
CLIENTS = (
    {**OWN, "client_id": "shared", "client_secret": SHARED, "token_endpoint_auth_method": "client_secret_jwt"},
    {
        "client_id": "public",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://client.example/callback"],
    },
)


def number(value: int) -> str:
    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


def public_jwk(der: bytes) -> dict[str, str]:
    """Return a public key as JWK (RFC 7518, 6)."""
    key = load_der_public_key(der)
    if isinstance(key, rsa.RSAPublicKey):
        return {"kty": "RSA", "n": number(key.public_numbers().n), "e": number(key.public_numbers().e)}
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = {"x": key.public_numbers().x, "y": key.public_numbers().y}
    texts = {name: urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode() for name, value in point.items()}
    return {"kty": "EC", "crv": "P-256", **texts}


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    with oidc_provider(*CLIENTS) as running:
        yield running


@pytest.fixture
def issuer(app_secret: AppSecret) -> Callable[..., Issuer]:
    def make(at: OidcProvider, grant: str, text: str, *login: str, **more: str) -> Issuer:
        app_secret.store(json.dumps(dict(zip(("clientId", "clientSecret"), login, strict=False))))
        given = {
            "ISSUER": "acme",
            "ISSUER_PROFILE": to_compact_json(PROFILE.format(grant) + text),
            "ISSUER_PARAMS": json.dumps({"server": at.url}),
            "ISSUER_GRANT": "" if grant == "refresh_token" else grant,
            "APP_SECRET_ARN": app_secret.arn,
            "ALLOW_HTTP_ISSUER": "true",
        }
        return issuer_from({**given, **more})

    return make


def refresh(issuer: Issuer, token: str = "") -> IssuedToken:
    issued = issuer.refresh(Grant(token), None, seconds=20)
    assert isinstance(issued, IssuedToken)
    return issued


def test_it_accepts_what_kms_signs(issuer: Callable[..., Issuer]) -> None:
    kms: Any = boto3.client("kms")
    made = {alg: kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY") for alg, spec in SIGNED.items()}
    keys = {alg: key["KeyMetadata"]["Arn"] for alg, key in made.items()}
    clients = [
        {
            **OWN,
            "client_id": alg,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg,
            "jwks": {"keys": [public_jwk(kms.get_public_key(KeyId=key)["PublicKey"])]},
        }
        for alg, key in keys.items()
    ]
    with oidc_provider(*clients) as server:
        for alg, key in keys.items():
            text = f'[client]\nauth = "private_key_jwt"\n[jwt]\nalg = "{alg}"\n{CLAIMS}'
            signing = issuer(server, "client_credentials", text, alg, ISSUER_SIGNING_KEY=key)
            assert refresh(signing).access_token != refresh(signing).access_token


def test_it_accepts_what_a_shared_secret_signs(server: OidcProvider, issuer: Callable[..., Issuer]) -> None:
    text = f'[client]\nauth = "private_key_jwt"\n[jwt]\nalg = "HS256"\nsecret = "{{clientSecret}}"\n{CLAIMS}'
    assert refresh(issuer(server, "client_credentials", text, "shared", SHARED)).access_token
    wrong = issuer(server, "client_credentials", text, "shared", f"{SHARED}!")
    assert type(clean_fault(lambda: refresh(wrong))) is errors.ConfigurationException


@pytest.mark.parametrize("login", [("basic", CLIENT_ID, CLIENT_SECRET), ("none", "public")], ids=["basic", "public"])
def test_it_replaces_refresh_tokens(
    login: tuple[str, ...], server: OidcProvider, issuer: Callable[..., Issuer]
) -> None:
    auth, *app = login
    made, tokens = issuer(server, "refresh_token", f'[client]\nauth = "{auth}"\n', *app), [server.sign_in(app[0])]
    for _ in range(3):
        issued = refresh(made, tokens[-1])
        assert server.accepts(issued.access_token)
        tokens.append(str(issued.refresh_token))
    assert len(set(tokens)) == 4
    for spent in (tokens[0], tokens[-1]):
        assert type(clean_fault(partial(refresh, made, spent))) is errors.ReauthorizationRequiredException
