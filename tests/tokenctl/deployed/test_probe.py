"""`tokenctl doctor --probe`: whether the provider accepts the stored token, without a refresh."""

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from local.deployment import Deployment
from tests.support.bare_stack import Stack
from tests.support.certificates import Authority
from tests.support.command_line import Tokenctl
from tests.support.deployed_stack import refreshes
from tests.support.http_server import App, serving
from tests.support.windows import FRESH
from tokenctl.checks.check import Subject
from tokenctl.checks.probe import check_probe
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target

pytestmark = pytest.mark.xdist_group("deployed")

JSON = "application/json"
UNCLEAR = "WARN cannot tell whether the token works: {host} "
REJECTED = "FAIL {host} does not accept the token of version {version} (HTTP "
NO_OBJECT = "WARN cannot tell whether the token works: the answer of {host} is no JSON object about a user (HTTP 200)"
INVALID = 'Bearer error="invalid_token"'

ANSWERS: dict[str, tuple[Response, str]] = {
    "a user": (
        Response('{"name": "ada", "email": "a@b.example"}'),
        "OK {host} accepts the token, signed in as ada (a@b.example), with the scopes files:read, as noted in the",
    ),
    "scopes in a header": (
        Response('{"name": "ada"}', headers={"X-OAuth-Scopes": "repo, user"}),
        "OK {host} accepts the token, signed in as ada, with the scopes repo user",
    ),
    "scopes in the body": (
        Response('{"name": "ada", "scope": "a b"}'),
        "OK {host} accepts the token, signed in as ada, with the scopes a b",
    ),
    "a list of scopes": (
        Response('{"name": "ada", "scopes": ["a"]}'),
        "OK {host} accepts the token, signed in as ada, with the scopes a",
    ),
    "a page for anybody": (Response('{"id": 1}'), f"{UNCLEAR}answers without a token, too, and names no user"),
    "invalid": (Response('{"status": 403, "err": "Invalid token"}', 403), f"{REJECTED}403)"),
    "challenged": (Response("", 401, {"WWW-Authenticate": INVALID}), f"{REJECTED}401)"),
    "invalid with 200": (Response('{"ok": false, "error": "token_expired"}'), f"{REJECTED}200)"),
    "unexplained": (Response('{"message": "Unauthorized"}', 401), f"{REJECTED}401)"),
    "scope": (Response('{"err": "Invalid scope(s): current_user:read"}', 403), f"{UNCLEAR}denies the page (HTTP 403)"),
    "firewall": (Response("<html>Blocked</html>", 403), f"{UNCLEAR}denies the page (HTTP 403) without"),
    "proxy": (Response("<html>Sign in</html>", 401), f"{UNCLEAR}denies the page (HTTP 401) without"),
    "error with 200": (Response('{"error": "try_later"}'), NO_OBJECT),
    "portal": (Response("<html>Welcome</html>"), NO_OBJECT),
    "too many": (Response("{}", 429), f"{UNCLEAR}answers with HTTP 429"),
    "broken": (Response("", 503), f"{UNCLEAR}answers with HTTP 503"),
}


@pytest.fixture
def probed(tokenctl: Tokenctl, stack: Deployment) -> Callable[[str], str]:
    """Return what the check finds at a page, and check that it does not show the token."""
    assert tokenctl
    token = stack.cloud.standin.grant()
    stack.seed(token, expires_in=FRESH, scope="files:read")

    def probe(url: str) -> str:
        target = Target(aws=AwsAccess(), given_stage="local")
        finding = check_probe(
            Subject(target=target, deployed=DeployedStack(target), now=datetime.now(UTC), probe_url=url)
        )
        assert token.access_token not in finding.text
        return f"{finding.level} {finding.text}"

    return probe


@pytest.mark.parametrize(("answer", "finding"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_becomes_a_finding(
    probed: Callable[[str], str], stack: Deployment, answer: Response, finding: str
) -> None:
    with serving(answer) as url:
        expected = finding.format(host=url.removeprefix("http://"), version=stack.current()[0])
        assert probed(url).startswith(expected)


CLOSED = "OK {host} accepts the token, and refuses a call without one (HTTP %d); the page does not say whose it is"
WITHOUT: dict[int, str] = {
    **{status: CLOSED % status for status in (401, 403, 404)},
    503: f"{UNCLEAR}names no user, and answers with HTTP 503 without a token",
}


@pytest.mark.parametrize(("status", "finding"), WITHOUT.items())
def test_a_page_without_user_is_asked_without_token(probed: Callable[[str], str], status: int, finding: str) -> None:
    class Page(App):
        def respond(self, request: Request) -> Response:
            return Response('{"id": 1}', 200 if "Authorization" in request.headers else status)

    with serving(Page()) as url:
        assert probed(url).startswith(finding.format(host=url.removeprefix("http://")))


def test_the_token_follows_no_redirect(probed: Callable[[str], str], stack: Deployment) -> None:
    elsewhere = f"{stack.cloud.standin.url}/v1/me"
    with serving(Response("", 302, {"Location": elsewhere})) as url:
        assert "redirects (HTTP 302), and the token does not go along" in probed(url)
    assert stack.cloud.standin.calls("FigmaMe") == []
    assert "could not be reached (NewConnectionError)" in probed(url)


def test_certificates_are_checked(
    probed: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("localhost"))
    with serving(Response(json.dumps({"name": "Ada"})), context) as url:
        assert "certificate is not trusted, so nothing was sent to it" in probed(url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        assert probed(url).startswith("OK localhost:")


class TestTheCommand:
    def test_a_dead_token_is_found_and_mended(self, tokenctl: Tokenctl, stack: Deployment) -> None:
        stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
        page = f"{stack.cloud.standin.url}/v1/me"
        assert "issuer amplify, is not known. Fix: give --probe-url" in tokenctl("doctor", "--probe").line("probe")
        unconfirmed = tokenctl("doctor", "--probe-url", page)
        assert (unconfirmed.code, unconfirmed.out) == (252, "")
        assert "Go on only if that is the token's provider" in unconfirmed.err
        words = ("doctor", "--probe-url", page, "--yes")
        assert ", signed in as " in tokenctl(*words).line("probe")
        stack.cloud.standin.kill()
        done = tokenctl(*words)
        assert done.line("probe").startswith("FAIL")
        assert "Fix: `tokenctl refresh --stage local`; a consumer that" in done.line("probe")
        verdict = "DEAD: refresh with `tokenctl refresh --stage local`. The provider does not accept the token that"
        assert done.out.splitlines()[-1].startswith(verdict)
        assert (done.code, refreshes(stack)) == (2, 0)
        assert tokenctl("refresh", "--yes").code == 0
        assert tokenctl(*words).line("probe").startswith("OK")

    def test_an_own_app_has_its_page(self, tokenctl: Tokenctl, bare: Stack) -> None:
        grant = bare.cloud.standin.grant()
        pair = {"accessToken": grant.access_token, "refreshToken": grant.refresh_token}
        words = ("doctor", "--probe", "--stage", bare.stage)
        bare.put(pair)
        assert tokenctl(*words).line("probe").startswith("OK    probe         127.0.0.1:")
        bare.put({**pair, "issuedBy": {"issuer": "oauth2", "host": "elsewhere.example"}})
        assert tokenctl(*words).line("probe") == "SKIP  probe         needs `secret`."
        bare.put(pair)
        bare.set_environment(ISSUER="figma", FIGMA_BASE_URL="http://figma.example")
        assert "must begin with https://" in tokenctl(*words).line("probe")
