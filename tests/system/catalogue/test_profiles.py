"""Each profile of the catalogue, unchanged, against a server that behaves as the provider's document says.

The behaviour (`tests/support/behaviours/*.toml`) was written from the document by somebody who had not read the
profile. The server is reached under the provider's real addresses.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from refresh_token.core.grant import Grant
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.ports import Issuer
from refresh_token.core.spending import meaning_for
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issuers.registry import issuer_from
from refresh_token.oauth import catalogue
from refresh_token.oauth.app_credentials import AppCredentials, parse_app_credentials
from refresh_token.oauth.other_requests import revoke_request
from refresh_token.oauth.profile_settings import ProfileSettings
from refresh_token.oauth.requests import Occasion
from refresh_token.oauth.variables import SIGNING_KEY
from tests.support.canaries import assert_clean
from tests.support.function_environment import AppSecret
from tests.support.provider_server import Provider, ProviderServer, behaviour, behaviours, provider_server
from tokenctl.sign_in.authorization_response import Outcome
from tokenctl.sign_in.own_app_plan import plan_at
from tokenctl.sign_in.sign_in_plan import SignInPlan
from tokenctl.sign_in.transport import send

ERRORS: dict[str, type[RefreshTokenError]] = {
    "grant": ReauthorizationRequiredException,
    "app": ConfigurationException,
    "settings": ConfigurationException,
    "later": IssuerUnavailableException,
}
ONE_ATTEMPT = 12.0
"""Seconds that are enough for one attempt and not for two."""

CALLBACK = "http://127.0.0.1:8976/callback"
ALGORITHMS = {"RS256": "RSA_2048", "PS256": "RSA_2048", "ES256": "ECC_NIST_P256"}
APP = {"clientId": "canary-id", "clientSecret": "canary-secret"}


@dataclass
class Subject:
    """A provider that is played, and the deployment that refreshes with its profile."""

    provider: Provider
    settings: ProfileSettings
    app: AppCredentials
    environment: dict[str, str]
    bundle: str
    pair: TokenPair

    @cached_property
    def issuer(self) -> Issuer:
        return issuer_from(self.environment)

    @cached_property
    def plan(self) -> SignInPlan:
        profile = self.settings.profile
        return plan_at(
            self.settings,
            self.app,
            consent_page=profile.consent_page,
            scopes=profile.scopes,
            issued_by=self.settings.issued_by,
            bundle=self.bundle,
        )

    def sign_in(self) -> None:
        request = self.plan.request(CALLBACK)
        redirect = self.provider.page(request.address)
        state = parse_qs(urlsplit(request.address).query)[request.rules.names.get("state", "state")]
        response = request.read({**{name: [value] for name, value in redirect.items()}, "state": state})
        assert response.outcome is Outcome.ALLOWED
        self.pair = self.plan.exchange(request, response.code, now=datetime.now(UTC), redirect=response.redirect)

    def renew(self) -> IssuedToken:
        pair, now = self.pair, datetime.now(UTC)
        grant = Grant(pair.refresh_token, pair.access_token, pair.values)
        issued = self.issuer.refresh(grant, None, seconds=ONE_ATTEMPT)
        assert isinstance(issued, IssuedToken)
        expires_at = issued.expiry(now=now).at
        self.pair = pair.refreshed(
            issued, issued_by=self.issuer.issued_by, client_id=None, expires_at=expires_at, now=now
        )
        return issued

    def lives(self, step: str) -> bool:
        """Tell whether the pair lives as long as the document says, if it says that."""
        life = timedelta(seconds=self.provider.behaviour[step].get("life", 0))
        assert self.pair.expires_at is not None
        return not life or abs(self.pair.expires_at - datetime.now(UTC) - life) < timedelta(seconds=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderServer]:
    with provider_server(tmp_path_factory.mktemp("authority")) as started:
        yield started


@pytest.fixture
def play(server: ProviderServer, app_secret: AppSecret, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Subject]:
    def played(name: str) -> Subject:
        described = behaviour(name)
        given = described.get("given", {})
        server.provider = Provider(described)
        for variable, value in server.environment.items():
            monkeypatch.setenv(variable, value)
        app = {**APP, **given.get("keys", {})}
        app_secret.store(json.dumps(app))
        settings = ProfileSettings(
            described=catalogue.load(name), params=given.get("params", {}), scope=given.get("scope", "")
        )
        environment = {**settings.to_variables(), "APP_SECRET_ARN": app_secret.arn}
        if settings.signs_with:
            kms = boto3.client("kms")
            key = kms.create_key(KeySpec=ALGORITHMS[settings.signs_with], KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
            public = kms.get_public_key(KeyId=key)["PublicKey"]
            server.provider.public_key = load_der_public_key(public)
            environment[SIGNING_KEY] = key
        known = server.provider.known
        pair = TokenPair(
            access_token=known["access"], refresh_token=known["refresh"], values=described.get("values", {})
        )
        credentials = parse_app_credentials(json.dumps(app), needs=settings.app_keys)
        return Subject(server.provider, settings, credentials, environment, str(server.authority.bundle), pair)

    return played


SIGN_INS = [name for name in behaviours() if "sign_in" in behaviour(name)]
RENEWING = [name for name in behaviours() if "refresh" in behaviour(name)]
REFUSING = [name for name in RENEWING if "refusals" in behaviour(name)]


def test_every_profile_has_a_behaviour() -> None:
    assert behaviours() == catalogue.names()


@pytest.mark.parametrize("name", SIGN_INS)
def test_a_sign_in_and_who_it_was(name: str, play: Callable[[str], Subject]) -> None:
    subject = play(name)
    subject.sign_in()
    assert subject.provider.faults == []
    assert subject.pair.access_token == subject.provider.known["access"]
    assert subject.pair.refresh_token in ("", subject.provider.known["refresh"])
    assert subject.lives("exchange" if "exchange" in subject.provider.behaviour else "code")
    values = {name: subject.pair.values.get(name) for name in subject.provider.behaviour.get("values", {})}
    assert values == subject.provider.behaviour.get("values", {})
    if subject.plan.who and "user" in subject.provider.behaviour:
        assert subject.plan.who(subject.pair)
        assert subject.provider.faults == []


@pytest.mark.parametrize("name", RENEWING)
def test_three_refreshes(name: str, play: Callable[[str], Subject]) -> None:
    subject = play(name)
    stays = subject.provider.behaviour["refresh"].get("old", "works") == "works"
    assert stays or subject.issuer.rotates  # or a refresh token that the provider takes for stolen could be sent again
    for _ in range(3):
        issued = subject.renew()
        assert subject.provider.faults == []
        assert issued.access_token == subject.provider.known["access"]
        assert issued.refresh_token in (None, subject.provider.known["refresh"])
        assert subject.lives("refresh")


@pytest.mark.parametrize("name", REFUSING)
def test_each_refusal_means_what_the_document_says(name: str, play: Callable[[str], Subject]) -> None:
    subject = play(name)
    for refusal in subject.provider.behaviour["refusals"]:
        subject.provider.refusal = refusal
        with pytest.raises(RefreshTokenError) as caught:
            subject.renew()
        error = meaning_for(caught.value, subject.issuer.spends)  # what the core makes of it
        assert (refusal["when"], type(error)) == (refusal["when"], ERRORS[refusal["means"]])
        assert_clean(caught.value)


@pytest.mark.parametrize("name", [name for name in behaviours() if "revoke" in behaviour(name)])
def test_a_revocation(name: str, play: Callable[[str], Subject]) -> None:
    subject = play(name)
    if not subject.settings.described.address.revoke:
        pytest.skip("the profile sends people to the provider's page")
    grant = Grant(subject.pair.refresh_token, subject.pair.access_token, subject.pair.values)
    bound = subject.settings.profile.with_values(subject.pair.values)
    request = revoke_request(bound, subject.app, grant, Occasion(datetime.now(UTC), "0"))
    send(request, bundle=subject.bundle, seconds=ONE_ATTEMPT)
    assert subject.provider.faults == []
    assert subject.provider.asked == ["revoke"]
