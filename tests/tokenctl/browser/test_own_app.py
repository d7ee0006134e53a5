"""The sign-in with an app of your own, at the stand-in's Figma and at an OAuth 2 server. In Chromium or plain HTTP."""

import re

import pytest
from selenium.webdriver import Chrome

from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support.authorize_command import Refuse, Start, allow_shown, assert_private, assert_stored, authorize
from tests.support.bare_stack import Stack
from tests.support.chromium import press, see
from tests.support.command_line import on_terminal
from tests.support.http_server import answering

pytestmark = pytest.mark.xdist_group("sign in")  # they share a Chromium


@pytest.fixture
def issuer() -> str:
    return "figma"


def test_a_sign_in_uses_pkce(stack: Stack, opened: Start, browser: Chrome) -> None:
    stack.put_app()
    command = opened("--debug", "--issuer", "figma")
    assert command.asked["code_challenge_method"] == "S256"
    assert len(command.asked["code_challenge"]) == 43
    assert command.asked["scope"] == "current_user:read"
    browser.get(command.address)
    press(browser, "allow")
    see(browser, "You are signed in")
    done = command.end()
    assert done.code == 0
    user = stack.cloud.standin.grants()[-1].user
    assert re.search(rf"Signed in\..*signed in as +{user.partition('@')[0]} \({user}\)\n", done.out, re.DOTALL)
    assert user in browser.page_source
    assert f"POST request to {stack.cloud.standin.url}\n" in done.err
    assert_stored(stack)
    assert len(stack.cloud.standin.calls("FigmaToken")) == 1
    assert stack.cloud.standin.calls("ExchangeCodeForToken") == []
    assert_private(command, stack, browser.page_source, done.out, done.err)


class TestTheApp:
    @pytest.mark.parametrize("held", [None, "{}", '{"clientId": "standin-app"}', "standin-app-secret"])
    def test_without_credentials_nothing_opens(self, stack: Stack, refuse: Refuse, held: str | None) -> None:
        if held is not None:
            secrets = stack.cloud.client("secretsmanager")
            secrets.put_secret_value(SecretId=stack.output("AppSecretArn"), SecretString=held)
        message = refuse(code=253)
        assert message.endswith(f"Store them with `tokenctl app-credentials --stage {stack.stage}`.\n")
        assert CLIENT_ID not in message
        assert CLIENT_SECRET not in message

    def test_credentials_can_be_typed_once(self, stack: Stack) -> None:
        typed = [("Client id of the app:", CLIENT_ID), ("Client secret:", CLIENT_SECRET)]
        words = (*authorize(stack), "--no-browser")
        done = on_terminal(stack.cloud.env, *words, dialogue=[*typed, ("Ctrl-C stops.", allow_shown)])
        assert done.code == 0, done.out
        assert f"The stack RefreshToken-{stack.stage} has no app credentials yet." in done.out
        assert "The function cannot refresh without the app's credentials. Store them with `tokenctl app" in done.out
        assert CLIENT_SECRET not in done.out
        assert_stored(stack)

    def test_another_client_id_is_refused(self, stack: Stack, refuse: Refuse) -> None:
        stack.put_app()
        message = refuse("--client-id", "another-app", code=252)
        assert message.startswith("tokenctl: --client-id, or FIGMA_CLIENT_ID, is not that of the app")
        assert "another-app" not in message


class TestTheIssuer:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ("--issuer", "amplify", "--client-id", CLIENT_ID),
                "and will refuse a pair of amplify (amplifyuibuilder). Deploy",
            ),
            (("--issuer", "oauth2", "--yes"), "--token-url is missing. Give the address where the issuer exchanges"),
            (("--authorize-url", "https://www.figma.com/oauth"), "consent page: --authorize-url http://127.0.0.1:"),
        ],
        ids=["another one", "another one's address", "real page for a stand-in"],
    )
    def test_options_must_fit_it(self, refuse: Refuse, options: tuple[str, ...], message: str) -> None:
        assert message in refuse(*options, code=252)

    def test_another_issuer_ignores_its_settings(self, stack: Stack, refuse: Refuse) -> None:
        stack.set_environment(ISSUER="oauth2", OAUTH2_CLIENT_AUTH="canary")
        assert "--client-id is missing" in refuse("--issuer", "amplify", "--yes", code=252)
        assert "Store them with `tokenctl app-credentials" in refuse("--issuer", "figma", "--yes", code=253)

    def test_an_http_address_gets_nothing(self, stack: Stack, refuse: Refuse) -> None:
        stack.put_app()
        stack.set_environment(ISSUER="figma", FIGMA_BASE_URL="http://figma.example")
        message = "tokenctl: The address of the token endpoint must begin with https://. Only addresses on this machine"
        assert refuse(code=252).startswith(message)

    def test_an_unreadable_one_can_be_named(self, stack: Stack, refuse: Refuse, start: Start) -> None:
        stack.put_app()
        with answering(403, "{}", {"x-amzn-errortype": "AccessDeniedException"}) as url:
            env = {"AWS_ENDPOINT_URL_LAMBDA": url}
            assert refuse(code=254, env=env).endswith(" Or name the stack's issuer with --issuer.\n")
            unguessed = refuse("--issuer", "figma", code=254, env=env)
            assert "GetFunctionConfiguration" in unguessed, "no address is guessed"
            token_url = f"{stack.cloud.standin.url}/v1/oauth/token"
            command = start("--issuer", "figma", "--token-url", token_url, env=env)
            assert command.allow().status == 200
            assert command.end().code == 0
        assert_stored(stack)

    @pytest.mark.parametrize("client_auth", ["basic", "post"])
    def test_an_oauth_2_server_has_its_settings(self, stack: Stack, start: Start, client_auth: str) -> None:
        stack.put_app()
        stack.set_environment(
            ISSUER="oauth2",
            OAUTH2_TOKEN_URL=f"{stack.cloud.standin.url}/v1/oauth/token",
            OAUTH2_CLIENT_AUTH=client_auth,
            OAUTH2_SCOPE="files:read",
            OAUTH2_EXTRA_PARAMETERS='{"audience": "them"}',
        )
        command = start("--scope", "more:read", "--client-id", CLIENT_ID)  # it may be repeated
        assert (command.asked["scope"], command.asked["code_challenge_method"]) == ("files:read more:read", "S256")
        assert command.allow().status == 200
        assert command.end().code == 0
        assert_stored(stack)

    @pytest.mark.parametrize(
        "variables",
        [
            {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma-gov.com"},
            {"ISSUER": "oauth2", "OAUTH2_TOKEN_URL": "https://login.example/token"},
        ],
        ids=["Figma for Government", "OAuth 2"],
    )
    def test_an_unknown_consent_page_must_be_given(self, stack: Stack, variables: dict[str, str]) -> None:
        stack.put_app()
        stack.set_environment(**variables)
        done = on_terminal(stack.cloud.env, "authorize", "--stage", stack.stage, "--no-browser")
        message = "tokenctl: --authorize-url is missing. Give the address of the issuer's consent page.\r\n"
        assert (done.code, done.out) == (252, message)
