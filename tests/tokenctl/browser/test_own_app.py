"""The sign-in with an app of one's own: at the stand-in's Figma, and at an OAuth 2 server. Chromium, or plain HTTP."""

import re
from urllib.parse import urlencode

import pytest
import urllib3
from selenium.webdriver import Chrome

from local.standin import CLIENT_ID, CLIENT_SECRET
from tests.support.bare_stack import Stack
from tests.support.chromium import PATIENCE, press, see, text
from tests.support.command_line import on_terminal
from tests.support.http_server import answering
from tests.tokenctl.browser.conftest import Run, Start, allow, allowed, assert_private, assert_stored, authorize

pytestmark = pytest.mark.xdist_group("own app")

WRONG_SECRET = "canary-of-a-wrong-secret"


@pytest.fixture
def issuer() -> str:
    return "figma"


def exchanges(stack: Stack) -> int:
    return len(stack.cloud.standin.calls("FigmaToken"))


def test_who_allows_it_has_the_pair_stored_with_the_stacks_app_and_pkce(
    stack: Stack, opened: Start, browser: Chrome
) -> None:
    stack.put_app()
    command = opened("--debug", "--issuer", "figma")
    assert command.asked["code_challenge_method"] == "S256"
    assert len(command.asked["code_challenge"]) == 43
    assert command.asked["scope"] == "current_user:read"
    browser.get(command.address)
    press(browser, "allow")
    see(browser, "You are signed in")
    code, output, errors = command.end()
    assert code == 0
    assert re.search(rf"Signed in\..*RefreshToken-{stack.stage}\n", output, re.DOTALL)
    assert f"token request to {stack.cloud.standin.url}\n" in errors
    assert_stored(stack)
    assert exchanges(stack) == 1
    assert stack.cloud.standin.calls("ExchangeCodeForToken") == []
    assert_private(command, stack, browser.page_source, output, errors)


def test_who_denies_it_reads_so_and_nothing_is_stored(stack: Stack, start: Start, browser: Chrome) -> None:
    stack.put_app()
    command = start()
    browser.get(command.address)
    press(browser, "deny")
    see(browser, "Sign-in denied")
    code, output, errors = command.end()
    assert (code, errors) == (
        255,
        "tokenctl: The sign-in was denied on Figma's page. Nothing was stored. Run the command again to allow it.\n",
    )
    assert (stack.stored(), exchanges(stack)) == (None, 0)
    assert_private(command, stack, browser.page_source, output.replace(command.address, ""))


def test_a_redirect_with_another_state_is_ignored_and_the_true_one_still_counts(
    stack: Stack, start: Start, browser: Chrome
) -> None:
    stack.put_app()
    command = start()
    browser.get(command.redirect(code="a-code-of-somebody-else", state="guessed"))
    see(browser, "Redirect ignored")
    assert exchanges(stack) == 0
    browser.get(command.address)
    press(browser, "allow")
    see(browser, "You are signed in")
    code, _, errors = command.end()
    assert code == 0
    assert errors.startswith("Ignored 1 redirect(s) that did not belong to this sign-in.")
    assert_stored(stack)


def test_a_wrong_client_secret_is_explained_in_browser_and_terminal_and_not_shown(
    stack: Stack, start: Start, browser: Chrome
) -> None:
    stack.put_app(client_secret=WRONG_SECRET)
    command = start("--debug")
    browser.get(command.address)
    press(browser, "allow")
    see(browser, "The sign-in did not work")
    code, output, errors = command.end()
    assert code == 254
    assert "The issuer refuses the app's credentials (HTTP 401)." in errors
    assert "`tokenctl app-credentials`" in errors
    assert "The issuer refuses the app's credentials (HTTP 401)." in text(browser)
    assert stack.stored() is None
    for shown in (output, errors, browser.page_source):
        assert WRONG_SECRET not in shown
    assert_private(command, stack, browser.page_source, output.replace(command.address, ""), errors)


@pytest.mark.parametrize("held", [None, "{}", '{"clientId": "standin-app"}', "standin-app-secret"])
def test_without_credentials_and_nobody_to_ask_nothing_is_opened(stack: Stack, run: Run, held: str | None) -> None:
    if held is not None:
        secrets = stack.cloud.client("secretsmanager")
        secrets.put_secret_value(SecretId=stack.output("AppSecretArn"), SecretString=held)
    output, errors = (process := run("--no-browser")).communicate("", timeout=PATIENCE)
    assert (process.returncode, output) == (253, "")
    assert errors.endswith(f"Store them with `tokenctl app-credentials --stage {stack.stage}`.\n")
    assert CLIENT_ID not in errors
    assert CLIENT_SECRET not in errors


def go_and_allow(seen: str) -> None:
    """Do what a person does with the address on the terminal."""
    address = re.search(r"^http\S+", seen, re.MULTILINE)
    assert address
    urllib3.request("GET", allowed(address[0]), retries=False, timeout=PATIENCE)


def test_credentials_can_be_typed_for_one_sign_in_which_shows_none_and_reminds_of_the_function(stack: Stack) -> None:
    done = on_terminal(
        stack.cloud.env,
        *authorize(stack),
        "--no-browser",
        dialogue=[
            ("Client id of the app:", CLIENT_ID),
            ("Client secret:", CLIENT_SECRET),
            ("Ctrl-C stops.", go_and_allow),
        ],
    )
    assert done.code == 0, done.out
    assert f"The stack RefreshToken-{stack.stage} has no app credentials yet." in done.out
    assert "The function cannot refresh without the app's credentials. Store them with `tokenctl app" in done.out
    assert CLIENT_SECRET not in done.out
    assert_stored(stack)


def test_the_client_id_of_another_app_is_an_error(stack: Stack, run: Run) -> None:
    stack.put_app()
    output, errors = (process := run("--no-browser", "--client-id", "another-app")).communicate("", timeout=PATIENCE)
    assert (process.returncode, output) == (252, "")
    assert errors.startswith("tokenctl: --client-id, or FIGMA_CLIENT_ID, is not that of the app")
    assert "another-app" not in errors


def test_the_same_client_id_is_none_and_a_code_that_is_too_old_is_refused(stack: Stack, start: Start) -> None:
    stack.put_app()
    command = start("--client-id", CLIENT_ID)
    redirect = allowed(command.address)
    stack.cloud.standin.advance(31)
    page = command.visit(redirect)
    code, _, errors = command.end()
    assert (page.status, code) == (502, 254)
    assert "The code was refused (HTTP 400). It works once and not for long, 30 seconds at Figma" in errors
    assert stack.stored() is None


def test_a_stranger_who_took_the_code_cannot_use_it(stack: Stack, start: Start) -> None:
    """What PKCE is for: the code alone, even with the app's credentials, is worth nothing."""
    stack.put_app()
    command = start()
    code = allowed(command.address).partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": command.asked["redirect_uri"]}
    answer = urllib3.request(
        "POST",
        f"{stack.cloud.standin.url}/v1/oauth/token",
        body=urlencode(form),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            **urllib3.make_headers(basic_auth=f"{CLIENT_ID}:{CLIENT_SECRET}"),
        },
    )
    assert (answer.status, stack.cloud.standin.grants()) == (400, [])


def test_another_issuer_than_the_stacks_takes_an_operator_who_agrees(stack: Stack, run: Run) -> None:
    process = run("--no-browser", "--issuer", "amplify", "--client-id", CLIENT_ID)
    output, errors = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, output) == (252, "")
    assert errors.startswith(f"tokenctl: The issuer of RefreshToken-{stack.stage} is figma, and will refuse")


def test_the_address_of_an_issuer_that_the_stack_does_not_have_must_be_given(run: Run) -> None:
    process = run("--no-browser", "--issuer", "oauth2", "--yes")
    output, errors = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, output) == (252, "")
    assert errors == "tokenctl: --token-url is missing: where is the code exchanged?\n"


def test_figmas_own_page_knows_no_code_for_a_server_on_this_machine(stack: Stack, run: Run) -> None:
    process = run("--no-browser", "--authorize-url", "https://www.figma.com/oauth")
    _, errors = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, f"--authorize-url {stack.cloud.standin.url}/oauth" in errors) == (252, True)


def test_an_address_that_is_not_https_is_sent_nothing(stack: Stack, run: Run) -> None:
    stack.put_app()
    stack.set_environment(ISSUER="figma", FIGMA_BASE_URL="http://figma.example")
    process = run("--no-browser")
    _, errors = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, errors) == (
        252,
        "tokenctl: The address of the token endpoint must begin with https://. Only on this machine http:// will do.\n",
    )


def test_where_the_issuer_cannot_be_told_the_operator_says_it_and_where_to_go(
    stack: Stack, run: Run, start: Start
) -> None:
    stack.put_app()
    with answering(403, "{}", {"x-amzn-errortype": "AccessDeniedException"}) as url:
        env = {"AWS_ENDPOINT_URL_LAMBDA": url}
        process = run("--no-browser", env=env)
        _, errors = process.communicate("", timeout=PATIENCE)
        assert process.returncode == 254
        assert errors.endswith(" Or say who the stack's issuer is with --issuer.\n")
        _, errors = run("--no-browser", "--issuer", "figma", env=env).communicate("", timeout=PATIENCE)
        assert "GetFunctionConfiguration" in errors, "no address is guessed"
        command = start("--issuer", "figma", "--token-url", f"{stack.cloud.standin.url}/v1/oauth/token", env=env)
        assert allow(command).status == 200
        assert command.end()[0] == 0
    assert_stored(stack)


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_an_oauth_2_server_is_signed_in_to_as_the_function_is_told_to_ask_it(
    stack: Stack, start: Start, client_auth: str
) -> None:
    stack.put_app()
    stack.set_environment(
        ISSUER="oauth2",
        OAUTH2_TOKEN_URL=f"{stack.cloud.standin.url}/v1/oauth/token",
        OAUTH2_CLIENT_AUTH=client_auth,
        OAUTH2_SCOPE="files:read",
        OAUTH2_EXTRA_PARAMETERS='{"audience": "them"}',
    )
    command = start("--scope", "more:read")
    assert (command.asked["scope"], command.asked["code_challenge_method"]) == ("files:read more:read", "S256")
    assert allow(command).status == 200
    assert command.end()[0] == 0
    assert_stored(stack)


@pytest.mark.parametrize(
    "variables",
    [
        {"ISSUER": "figma", "FIGMA_BASE_URL": "https://api.figma-gov.com"},
        {"ISSUER": "oauth2", "OAUTH2_TOKEN_URL": "https://login.example/token"},
    ],
    ids=["Figma for Government", "OAuth 2"],
)
def test_a_consent_page_that_is_not_known_must_be_given(stack: Stack, variables: dict[str, str]) -> None:
    stack.put_app()
    stack.set_environment(**variables)
    done = on_terminal(stack.cloud.env, "authorize", "--stage", stack.stage, "--no-browser")
    assert (done.code, done.out) == (
        252,
        "tokenctl: --authorize-url is missing: the address of this issuer's consent page is not known.\r\n",
    )
