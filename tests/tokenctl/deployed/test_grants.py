"""What ends and examines a grant: revoke, introspect. At a real server, which a profile describes."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.deployment import Deployment
from refresh_token.oauth import catalogue
from tests.support.bare_stack import Stack
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider
from tests.support.windows import FRESH
from tokenctl.stack import pair_secret

pytestmark = pytest.mark.xdist_group("deployed")

Command = Callable[..., Done]


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as server:
        yield server


@pytest.fixture
def acme(bare: Stack, provider: OidcProvider) -> Stack:
    """Return a bare stack whose issuer is the provider, with a live pair."""
    bare.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(provider.profile))
    bare.put_app(CLIENT_ID, CLIENT_SECRET)
    bare.put({**provider.pair(), "note": "mine"})
    return bare


@pytest.fixture
def run(tokenctl: Tokenctl, acme: Stack) -> Command:
    """Run a command on that stack, and check that it shows no token and no credentials."""

    def command(*words: str) -> Done:
        before = acme.stored() or {}
        done = tokenctl(*words, "--stage", acme.stage)
        for hidden in (CLIENT_ID, CLIENT_SECRET, before.get("access_token", "?-?"), before.get("refresh_token", "?-?")):
            assert hidden not in done.out + done.err
        return done

    return command


class TestRevoke:
    def test_ends_the_grant_and_says_when(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        token = (acme.stored() or {})["access_token"]
        assert provider.accepts(token)
        done = run("revoke", "--yes", "--output", "json")
        assert done.code == 0
        assert not provider.accepts(token)
        at = done.json["revokedAt"]
        assert acme.stored() == {"note": "mine", "provider": "acme", "revokedAt": at}
        revoked = f"The grant was revoked with `tokenctl revoke` on {at}."
        assert revoked in run("doctor").line("secret")
        status = run("status", "--output", "json").json
        assert status["token"]["revokedAt"] == at
        assert f"The grant was revoked with tokenctl on {at}, and consumers get an error" in status["verdict"]["text"]
        again = run("revoke", "--yes")
        assert again.code == 255
        assert again.err.startswith(f"tokenctl: {revoked} Sign in with `tokenctl authorize")

    def test_asks_first(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        before = acme.stored()
        done = run("revoke")
        assert (done.code, "This ends the access of RefreshToken-" in done.err) == (252, True)
        dialogue = [("Go on?", "n")]
        done = on_terminal(acme.cloud.env, "revoke", "--stage", acme.stage, dialogue=dialogue)
        assert (done.code, "to Acme (acme). Its tokens stop" in done.out) == (255, True), done.out
        assert acme.stored() == before
        assert provider.accepts((before or {})["access_token"])

    def test_changes_nothing_if_refused(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        before = acme.stored()
        acme.put_app(CLIENT_ID, "canary-wrong")
        done = run("revoke", "--yes")
        assert done.code == 254
        assert "Acme (acme) did not revoke the grant (HTTP 401, invalid_client). Nothing was changed." in done.err
        assert acme.stored() == before
        assert provider.accepts((before or {})["access_token"])

    def test_says_where_to_click_instead(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        before, profile = acme.stored(), provider.profile
        del profile["address"]["revoke"]
        profile["address"]["manage"] = "https://acme.example/apps"
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(profile))
        done = run("revoke", "--yes")
        assert done.code == 253
        assert "End the access by hand, at https://acme.example/apps. Then run `tokenctl revoke --mark-only" in done.err
        assert acme.stored() == before
        assert run("revoke", "--mark-only", "--yes").code == 0
        assert "revokedAt" in (acme.stored() or {})

    def test_also_ends_a_pair_that_came_meanwhile(
        self, run: Command, acme: Stack, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later, reads = provider.pair(), iter([None, lambda: acme.put(later)])

        def read(*words: object) -> object:
            if refresh := next(reads, None):
                refresh()
            return pair_secret.read_pair(*words)  # type: ignore[arg-type]

        monkeypatch.setattr("tokenctl.commands.revoke.read_pair", read)
        assert run("revoke", "--yes").code == 0
        assert not provider.accepts(later["access_token"])

    def test_an_apps_own_token_has_no_grant(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        profile = json.dumps({**provider.profile, "grant": "client_credentials"})
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=profile, ISSUER_GRANT="client_credentials")
        assert (done := run("revoke", "--yes")).code == 253
        assert "The app itself gets the tokens of" in done.err


class TestIntrospect:
    def test_shows_what_the_provider_says(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        found = run("introspect", "--output", "json").json
        assert (found["active"], found["scope"], found["subject"]) == (True, "openid offline_access", "ada")
        assert datetime.now(UTC) < datetime.fromisoformat(found["expiresAt"])
        assert re.fullmatch(
            r"active\n  expires   20.*\n  scope     openid .*\n  subject   ada\n", run("introspect").out
        )
        provider.revoke((acme.stored() or {})["access_token"])
        assert run("introspect").out == "not active: the provider does not accept the token\n"

    def test_says_why_it_cannot(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        acme.put_app(CLIENT_ID, "canary-wrong")
        done = run("introspect")
        assert (done.code, "did not tell about the token (HTTP 401, invalid_client)" in done.err) == (254, True)
        profile = provider.profile
        del profile["address"]["introspect"]
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(profile))
        assert (done := run("introspect")).code == 253
        assert "Acme (acme) has no address where it tells about a token" in done.err
        acme.put({"refreshToken": "x"})
        assert "The secret holds no access token yet." in run("introspect").err


@pytest.mark.parametrize("command", [("revoke", "--yes"), ("introspect",)], ids=["revoke", "introspect"])
def test_nothing_goes_to_another_issuer(command: tuple[str, ...], run: Command, acme: Stack) -> None:
    theirs, before = {"issuedBy": {"issuer": "acme", "host": "other.example"}}, acme.stored()
    acme.put_app(CLIENT_ID, CLIENT_SECRET, **theirs)
    done = run(*command)
    assert done.code == 253
    assert "The stored app credentials belong to acme (other.example), but the function uses acme" in done.err
    acme.put_app(CLIENT_ID, CLIENT_SECRET)
    acme.put({**(before or {}), **theirs})
    assert (done := run(*command)).code == 253
    assert "belongs to acme (other.example), but the function uses acme" in done.err


def test_consumers_are_told_until_a_sign_in(tokenctl: Tokenctl, stack: Deployment) -> None:
    stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    assert "Amplify" not in (refused := tokenctl("revoke", "--yes")).err or refused.code == 253
    assert tokenctl("revoke", "--mark-only", "--yes").code == 0
    calls = len(stack.cloud.standin.calls("RefreshToken"))
    for words in (("token",), ("tick",), ("refresh", "--yes")):
        done = tokenctl(*words)
        assert done.code == 254
        assert "(ReauthorizationRequiredException) when calling the" in done.err
        assert "The grant was revoked with `tokenctl revoke` on 20" in done.err
    assert len(stack.cloud.standin.calls("RefreshToken")) == calls
    stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    assert tokenctl("token").code == 0


class TestASignInOnAnotherDevice:
    """The provider answers the first question with `authorization_pending`: the person types the code after it."""

    @pytest.mark.parametrize("allow", [True, False])
    def test_ends_with_the_persons_answer(self, acme: Stack, provider: OidcProvider, *, allow: bool) -> None:
        acme.put({})
        words = ("authorize", "--device", "--timeout", "30", "--stage", acme.stage)

        def answer(shown: str) -> None:
            found = re.search(r"type this code: (\S+)", shown)
            assert found
            threading.Timer(6, provider.answer_device, (found[1],), {"allow": allow}).start()

        done = on_terminal(acme.cloud.env, *words, dialogue=[("Ctrl-C stops.", answer)])
        assert f"Open this address on any device:\r\n\r\n{provider.url}/device\r\n" in done.out
        assert CLIENT_ID not in done.out
        stored = acme.stored() or {}
        if allow:
            assert done.code == 0, done.out
            assert "Signed in. The token pair is stored." in done.out
            assert provider.accepts(stored["accessToken"])
            assert stored["accessToken"] not in done.out
            assert (stored["provider"], stored["scope"]) == ("acme", "openid offline_access")
        else:
            assert (done.code, stored) == (255, {})
            assert "The sign-in was denied on Acme's page. Nothing was stored." in done.out

    def test_needs_a_profile_with_an_address(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        profile = provider.profile
        del profile["address"]["device"]
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(profile))
        done = run("authorize", "--device", "--yes")
        assert (done.code, "Acme (acme) has no sign-in on another device" in done.err) == (253, True)
        assert run("authorize", "--device", "--issuer", "figma").code == 252

    def test_warns_of_a_profile_that_nobody_has_tried(
        self, run: Command, acme: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
        text = 'name = "acme"\ntitle = "Acme"\ngrant = "refresh_token"\n'
        addresses = '[address]\ntoken = "https://localhost:1"\ndevice = "https://localhost:1"\n'
        (tmp_path / "acme.toml").write_text(f"{text}{addresses}")
        acme.set_environment(ISSUER="acme")
        done = run("authorize", "--device", "--yes")
        assert done.err.startswith("Nobody has tried the profile acme yet. If something does not work, open an issue")
        (tmp_path / "acme.toml").write_text(f'{text}rests_on = "client"\n{addresses}')
        assert "Nobody" not in run("authorize", "--device", "--yes").err


class TestRegister:
    def test_stores_the_app_that_the_provider_makes(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps({**provider.profile, "client": {"auth": "post"}}))
        done = run("app-credentials", "--register", "--yes")
        assert (done.code, "Stored the app's credentials" in done.out) == (0, True), done.err
        app = acme.stored_app()
        assert app["issuedBy"]["issuer"] == "acme"
        for hidden in (app["clientId"], app["clientSecret"], app["registrationAccessToken"]):
            assert hidden not in done.out + done.err
        client = provider.registered(app["registrationClientUri"], app["registrationAccessToken"])
        assert client["redirect_uris"] == ["http://127.0.0.1:8976/callback"]
        assert client["token_endpoint_auth_method"] == "client_secret_post"

    def test_asks_before_it_registers(self, run: Command, acme: Stack) -> None:
        before = acme.stored_app()
        done = run("app-credentials", "--register")
        assert (done.code, "already has app credentials" in done.err) == (252, True)
        assert acme.stored_app() == before

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("--from", "app.json"), 252, "either --from or --register"),
            (("--redirect-uri", "here"), 252, "The redirect address"),
            (("--redirect-uri", "http://client.example/callback", "--yes"), 252, "must begin with https://"),
        ],
    )
    def test_stores_nothing_that_fails(
        self, run: Command, acme: Stack, words: tuple[str, ...], code: int, said: str
    ) -> None:
        before = acme.stored_app()
        done = run("app-credentials", "--register", *words)
        assert (done.code, said in done.err) == (code, True), done.err
        assert acme.stored_app() == before

    def test_says_where_to_make_an_app_instead(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        profile = provider.profile
        del profile["address"]["register"]
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(profile))
        done = run("app-credentials", "--register", "--yes")
        assert (done.code, "has no address where an app registers itself" in done.err) == (253, True)

    def test_stores_nothing_that_is_refused(self, run: Command, acme: Stack, provider: OidcProvider) -> None:
        before, profile = acme.stored_app(), provider.profile
        profile["address"]["register"] = profile["address"]["token"]
        acme.set_environment(ISSUER="acme", ISSUER_PROFILE=json.dumps(profile))
        done = run("app-credentials", "--register", "--yes")
        assert (done.code, "did not register the app (HTTP 400, invalid_request). Nothing" in done.err) == (254, True)
        assert acme.stored_app() == before
