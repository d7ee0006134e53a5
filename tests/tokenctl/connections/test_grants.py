"""What begins and ends the grant of a connection: authorize at the stand-in, revoke at a server nobody here wrote."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.standin import CLIENT_ID as FIGMA_ID
from local.standin import CLIENT_SECRET as FIGMA_SECRET
from refresh_token.fleet import writes
from refresh_token.fleet.attributes import encode
from refresh_token.fleet.states import State
from tests.support.authorize_command import allow_shown
from tests.support.bare_fleet import BareFleet
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider

pytestmark = pytest.mark.xdist_group("connections")

NAME = "acme/u1"
KEYS = ("clientId", "clientSecret")


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as server:
        yield server


@pytest.fixture(scope="module")
def apps(cloud: object) -> dict[str, str]:
    """Return the ARNs of the secrets with the apps' credentials."""
    client = cloud.client("secretsmanager")  # type: ignore[attr-defined]
    held = {"acme": (CLIENT_ID, CLIENT_SECRET), "figma": (FIGMA_ID, FIGMA_SECRET)}
    return {
        name: client.create_secret(Name=f"apps/{name}", SecretString=json.dumps(dict(zip(KEYS, app, strict=True))))[
            "ARN"
        ]
        for name, app in held.items()
    }


@pytest.fixture
def two(fleet: BareFleet, provider: OidcProvider, apps: dict[str, str]) -> BareFleet:
    """Return a fleet whose providers are that server, and Figma."""
    acme = {"ISSUER": "acme", "ISSUER_PROFILE": json.dumps(provider.profile), "APP_SECRET_ARN": apps["acme"]}
    figma = {"ISSUER": "figma", "FIGMA_BASE_URL": fleet.cloud.standin.url, "APP_SECRET_ARN": apps["figma"]}
    fleet.cloud.standin.reset()
    local = {"ALLOW_HTTP_ISSUER": "true"}
    fleet.set({"acme": {**acme, **local}, "figma": {**figma, **local}})
    return fleet


@pytest.fixture
def token(two: BareFleet, provider: OidcProvider, tokenctl: Tokenctl) -> str:
    """Return the access token of a live connection."""
    pair = provider.pair()
    done = tokenctl("seed", NAME, "--provider", "acme", "--yes", stdin=json.dumps(pair))
    assert done.code == 0, done.err
    assert two.names() == [NAME]
    return pair["access_token"]


class TestRevoke:
    def test_ends_the_grant(self, two: BareFleet, tokenctl: Tokenctl, provider: OidcProvider, token: str) -> None:
        assert provider.accepts(token)
        before = two.table.record(NAME).version
        done = tokenctl("revoke", NAME, "--yes")
        assert (done.code, done.out) == (0, f"{NAME}  revoked\n"), done.err
        assert not provider.accepts(token)
        record = two.table.record(NAME)
        assert (record.state, record.access, record.refresh, record.claim_id) == (State.REVOKED, None, None, None)
        assert record.version != before, "a refresh that runs is superseded"
        assert tokenctl("revoke", NAME, "--yes").out == f"{NAME}  unchanged: it is revoked already\n"

    def test_waits_for_a_running_refresh(
        self, two: BareFleet, tokenctl: Tokenctl, provider: OidcProvider, token: str
    ) -> None:
        seen = two.table.record(NAME)
        claim = writes.claim(seen, now=time.time(), seconds=60, claim_id="theirs", ignore_cooldown=True)
        two.table.make("update_item", claim)
        done = tokenctl("revoke", NAME, "--yes")
        assert (done.code, f"{NAME} is being refreshed. Nothing was changed." in done.err) == (254, True)
        assert provider.accepts(token)
        assert two.table.record(NAME).claim_id == "theirs"

    def test_a_refusal_changes_nothing(
        self, two: BareFleet, tokenctl: Tokenctl, provider: OidcProvider, apps: dict[str, str], token: str
    ) -> None:
        client = two.cloud.client("secretsmanager")
        wrong = json.dumps({"clientId": CLIENT_ID, "clientSecret": "canary-wrong"})
        client.put_secret_value(SecretId=apps["acme"], SecretString=wrong)
        before = two.table.record(NAME)
        done = tokenctl("revoke", NAME, "--yes")
        right = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
        client.put_secret_value(SecretId=apps["acme"], SecretString=right)
        assert done.code == 254
        assert "Acme (acme) did not revoke the grant (HTTP 401, invalid_client). Nothing was changed." in done.err
        assert f"Then run `tokenctl connections revoke {NAME} --mark-only --stage {two.stage}`" in done.err
        assert two.table.record(NAME) == before
        assert provider.accepts(token)

    def test_without_an_address_a_person_does_it(self, two: BareFleet, tokenctl: Tokenctl) -> None:
        grant = two.cloud.standin.grant()
        pair = {"accessToken": grant.access_token, "refreshToken": grant.refresh_token}
        tokenctl("seed", "other", "--provider", "figma", "--yes", stdin=json.dumps(pair))
        done = tokenctl("revoke", "other", "--yes")
        assert (done.code, "has no address where tokenctl could revoke the grant" in done.err) == (254, True), done.err
        assert tokenctl("revoke", "other", "--mark-only", "--yes").code == 0
        assert two.table.record("other").state is State.REVOKED


class TestAuthorize:
    def authorize(self, two: BareFleet, *dialogue: tuple[str, Any]) -> Done:
        page = f"{two.cloud.standin.url}/oauth"
        words = ("connections", "authorize", NAME, "--provider", "figma", "--authorize-url", page, "--no-browser")
        steps: list[tuple[str, Any]] = [*dialogue, ("Ctrl-C stops.", allow_shown)]
        done = on_terminal(two.cloud.env, *words, "--stage", two.stage, dialogue=steps)
        for grant in two.cloud.standin.grants():
            assert grant.access_token not in done.out
            assert grant.refresh_token not in done.out
        return done

    def test_connects_a_user(self, two: BareFleet) -> None:
        done = self.authorize(two)
        assert done.code == 0, done.out
        assert f"Signed in. {NAME} is connected." in done.out
        assert "signed in as" in done.out
        (grant,) = two.cloud.standin.grants()
        record = two.table.record(NAME)
        assert (record.state, record.provider, record.access) == (State.ACTIVE, "figma", grant.access_token)
        assert two.opened(NAME) == grant.refresh_token

    def test_replaces_after_a_question(self, two: BareFleet, token: str) -> None:
        two.table.change(NAME, policy=encode("demand"))
        done = self.authorize(two, ("Go on?", "y"))
        assert (done.code, f"There is a connection {NAME} of acme. It is active" in " ".join(done.out.split())) == (
            0,
            True,
        )
        record = two.table.record(NAME)
        assert (record.provider, record.policy, record.access != token) == ("figma", "demand", True)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ((NAME,), "--provider is missing. Name one of the fleet's with --provider: acme, figma"),
            ((NAME, "--provider", "nobody"), "The fleet has no such provider."),
            ((NAME, "--provider", "acme", "--param", "shop"), "--param has the form KEY=VALUE"),
            (("a b", "--provider", "acme"), "The name of a connection must be"),
            (
                (NAME, "--provider", "figma", "--param", "shop=x"),
                "`params` has no effect, because no profile describes",
            ),
            ((NAME, "--provider", "acme"), f"There is a connection {NAME} of acme."),
        ],
    )
    @pytest.mark.usefixtures("token")
    def test_mistakes_are_252(self, tokenctl: Tokenctl, words: tuple[str, ...], says: str) -> None:
        done = tokenctl("authorize", *words)
        assert (done.code, says in done.err) == (252, True), done.err

    def test_on_another_device(self, two: BareFleet, provider: OidcProvider) -> None:
        def allow(seen: str) -> None:
            code = seen.split("type this code: ")[1].split(maxsplit=1)[0]
            provider.answer_device(code, allow=True)

        words = ("connections", "authorize", NAME, "--provider", "acme", "--device", "--stage", two.stage)
        done = on_terminal(two.cloud.env, *words, dialogue=[("Ctrl-C stops.", allow)])
        assert (done.code, f"{NAME} is connected" in done.out) == (0, True), done.out
        assert two.table.record(NAME).provider == "acme"
