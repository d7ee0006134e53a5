"""The stand-in as Figma: the consent page, the OAuth endpoints, and `GET /v1/me`."""

import base64
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.standin import CLIENT_ID, CLIENT_SECRET, NINETY_DAYS, USER, Standin
from local.standin.grants import Grants, RefusedError
from tests.support.consent import Post

Decide = Callable[..., dict[str, str]]

REDIRECT = "http://127.0.0.1:4000/done?tab=1"
TERMS = {
    "client_id": CLIENT_ID,
    "redirect_uri": REDIRECT,
    "scope": "current_user:read",
    "state": "st&te",
    "response_type": "code",
}
# The pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


def basic(client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()}


@pytest.fixture
def consent_page(standin: Standin) -> Post:
    return lambda **terms: urllib3.request("GET", f"{standin.url}/oauth?{urlencode(terms)}", redirect=False)


@pytest.fixture
def decide(post_form: Post) -> Decide:
    """Press a button of the consent page; the query that the app is called back with."""

    def press(decision: str, **more: str) -> dict[str, str]:
        answer = post_form("/oauth", {**TERMS, **more, "decision": decision})
        assert answer.status == 302, answer.data
        target = urlsplit(answer.headers["Location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == "http://127.0.0.1:4000/done"
        return {name: values[0] for name, values in parse_qs(target.query).items()}

    return press


@pytest.fixture
def exchange(post_form: Post) -> Post:
    def post(code: str, *, headers: dict[str, str] | None = None, **more: str) -> urllib3.BaseHTTPResponse:
        form = {"code": code, "redirect_uri": REDIRECT, "grant_type": "authorization_code", **more}
        return post_form("/v1/oauth/token", form, basic() if headers is None else headers)

    return post


@pytest.fixture
def refresh(post_form: Post) -> Post:
    return lambda token, headers=None: post_form("/v1/oauth/refresh", {"refresh_token": token}, headers or basic())


def assert_figma_error(answer: urllib3.BaseHTTPResponse, status: int) -> None:
    body = answer.json()
    assert (answer.status, body["error"], body["status"], body["i18n"]) == (status, True, status, None)
    assert body["message"]


class TestConsent:
    @pytest.mark.parametrize(
        "wrong",
        [
            *({name: ""} for name in TERMS),
            {"client_id": "nobody"},
            *({"redirect_uri": uri} for uri in ("javascript:alert(1)", "/relative", "http://127.0.0.1/#fragment")),
            {"response_type": "token"},
            {"code_challenge": "abc", "code_challenge_method": "plain"},
        ],
    )
    def test_untrusted_terms_never_redirect(self, consent_page: Post, post_form: Post, wrong: dict[str, str]) -> None:
        terms = {**TERMS, **wrong}
        for answer in (consent_page(**terms), post_form("/oauth", {**terms, "decision": "allow"})):
            assert (answer.status, "Location" in answer.headers) == (400, False)
            assert [*wrong][-1] in answer.data.decode()

    def test_each_sign_in_is_another_users(self, consent_page: Post, decide: Decide, exchange: Post) -> None:
        for _ in range(3):
            page = consent_page(**TERMS).data.decode()
            proposed = re.findall(r'name="user" value="([^"]+)"', page)[0]
            assert exchange(decide("allow", user=proposed)["code"]).json()["user_id_string"] == proposed
        assert exchange(decide("allow")["code"]).json()["user_id_string"] == USER  # replaces the grant of the first one


class TestCodes:
    def test_a_code_becomes_a_pair_once(self, standin: Standin, decide: Decide, exchange: Post) -> None:
        code = decide("allow")["code"]
        body = exchange(code).json()
        (grant,) = standin.grants()
        assert body == {
            "user_id_string": USER,
            "access_token": grant.access_token,
            "token_type": "bearer",
            "expires_in": NINETY_DAYS,
            "refresh_token": grant.refresh_token,
        }
        assert standin.accepts(body["access_token"])
        assert_figma_error(exchange(code), 400)
        in_form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        assert exchange(decide("allow")["code"], headers={}, **in_form).status == 200

    @pytest.mark.parametrize("headers", [{}, basic(client_secret="wrong"), basic(client_id="nobody")])
    def test_wrong_credentials_get_nothing(
        self, standin: Standin, decide: Decide, exchange: Post, refresh: Post, headers: dict[str, str]
    ) -> None:
        grant = standin.grant()
        assert_figma_error(exchange(decide("allow")["code"], headers=headers), 401)
        assert_figma_error(refresh(grant.refresh_token, headers or basic(client_secret="")), 401)
        assert standin.live_access_token == grant.access_token

    def test_a_code_lives_exactly_thirty_seconds(self) -> None:
        now = [1_800_000_000.0]
        grants = Grants(clock=lambda: now[0])
        in_time, too_late = (grants.authorize(CLIENT_ID, REDIRECT) for _ in range(2))
        now[0] += 29.999
        assert grants.exchange(in_time, REDIRECT).access_token
        now[0] += 0.001
        with pytest.raises(RefusedError, match="expired"):
            grants.exchange(too_late, REDIRECT)

    @pytest.mark.parametrize(
        "wrong",
        [{"redirect_uri": "http://127.0.0.1:4001/done"}, *({name: ""} for name in ("redirect_uri", "grant_type"))],
    )
    def test_a_wrong_request_is_refused(self, decide: Decide, exchange: Post, wrong: dict[str, str]) -> None:
        code = decide("allow")["code"]
        assert_figma_error(exchange(code, **wrong), 400)
        assert_figma_error(exchange(""), 400)
        # Only an attempt to exchange the code uses it up, not an incomplete request.
        assert exchange(code).status == (200 if "" in wrong.values() else 400)

    @pytest.mark.parametrize("challenge", [CHALLENGE, {}])
    @pytest.mark.parametrize("verifier", [VERIFIER, VERIFIER + "x", ""])
    def test_a_pkce_code_needs_its_verifier(
        self, decide: Decide, exchange: Post, challenge: dict[str, str], verifier: str
    ) -> None:
        fits = verifier == (VERIFIER if challenge else "")
        sent = {"code_verifier": verifier} if verifier else {}
        assert exchange(decide("allow", **challenge)["code"], **sent).status == (200 if fits else 400)


class TestRefreshes:
    def test_a_refresh_kills_the_previous_token(self, standin: Standin, refresh: Post) -> None:
        old = standin.grant()
        for _ in range(2):
            new = refresh(old.refresh_token).json()
            assert new == {"access_token": standin.live_access_token, "token_type": "bearer", "expires_in": NINETY_DAYS}
            assert [standin.accepts(token) for token in (old.access_token, new["access_token"])] == [False, True]
        assert standin.grants()[0].refresh_token == old.refresh_token

    def test_a_new_sign_in_replaces_the_grant(self, standin: Standin, refresh: Post) -> None:
        first, other, second = standin.grant(), standin.grant(user="someone@example.com"), standin.grant()
        assert [standin.accepts(grant.access_token) for grant in (first, other, second)] == [False, True, True]
        for token in (first.refresh_token, "", "unknown"):
            assert_figma_error(refresh(token), 400)


class TestMe:
    def test_only_a_live_token_works(self, standin: Standin) -> None:
        grant = standin.grant(expires_in=60)
        url, headers = f"{standin.url}/v1/me", {"X-Figma-Token": grant.access_token}
        answer = urllib3.request("GET", url, headers=headers)
        assert (answer.status, answer.json()["email"]) == (200, USER)
        assert_figma_error(urllib3.request("GET", url), 403)
        assert [standin.accepts(token) for token in ("unknown", grant.access_token)] == [False, True]
        standin.advance(60)
        assert_figma_error(urllib3.request("GET", url, headers=headers), 403)

    def test_an_unknown_path_is_a_figma_error(self, standin: Standin) -> None:
        assert_figma_error(urllib3.request("GET", f"{standin.url}/v1/files"), 404)


class TestAnyOtherProvider:
    def test_replaces_the_refresh_token_and_notices_theft(
        self, standin: Standin, decide: Decide, post_form: Post
    ) -> None:
        def ask(**form: str) -> urllib3.BaseHTTPResponse:
            return post_form("/oauth2/token", form, basic())

        standin.set_rotation(on=True)
        exchange = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
        first = ask(**exchange, code=decide("allow")["code"]).json()["refresh_token"]
        answer = ask(grant_type="refresh_token", refresh_token=first).json()
        (grant,) = standin.grants()
        assert (answer["access_token"], answer["refresh_token"]) == (grant.access_token, grant.refresh_token)
        spent = ask(grant_type="refresh_token", refresh_token=first)
        assert (spent.status, spent.json()["error"]) == (400, "invalid_grant")
        assert standin.counts()[USER].reused == 1
        assert standin.grants() == []

    @pytest.mark.parametrize(
        ("form", "headers", "error"),
        [
            ({"grant_type": "password"}, basic(), "unsupported_grant_type"),
            ({"grant_type": "refresh_token"}, basic(), "invalid_grant"),
            ({"grant_type": "authorization_code"}, basic(), "invalid_grant"),
            ({"grant_type": "refresh_token"}, basic(client_secret="wrong"), "invalid_client"),
        ],
    )
    def test_errors_are_those_of_the_standard(
        self, post_form: Post, form: dict[str, str], headers: dict[str, str], error: str
    ) -> None:
        assert post_form("/oauth2/token", form, headers).json()["error"] == error
