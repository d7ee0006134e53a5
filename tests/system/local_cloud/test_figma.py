"""The stand-in's Figma face: the consent page, the OAuth endpoints, and who is let in."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.standin import CLIENT_ID, CLIENT_SECRET, CODE_LIFETIME, NINETY_DAYS, USER, Standin
from local.standin.grants import Grants, RefusedError

Get = Callable[..., urllib3.BaseHTTPResponse]
Post = Callable[..., urllib3.BaseHTTPResponse]
Decide = Callable[..., dict[str, str]]
Me = Callable[[str], tuple[int, Any]]

REDIRECT = "http://127.0.0.1:4000/done?tab=1"
TERMS = {
    "client_id": CLIENT_ID,
    "redirect_uri": REDIRECT,
    "scope": "current_user:read,file_content:read",
    "state": "st&te",
    "response_type": "code",
}
# The pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


def basic(client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()}


@pytest.fixture
def consent_page(standin: Standin) -> Get:
    def get(**terms: str) -> urllib3.BaseHTTPResponse:
        return urllib3.request("GET", f"{standin.url}/oauth?{urlencode(terms)}", redirect=False)

    return get


@pytest.fixture
def decide(post_form: Post) -> Decide:
    """Press a button of the consent page; the parameters that the app is called back with."""

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
    def post(refresh_token: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        return post_form("/v1/oauth/refresh", {"refresh_token": refresh_token}, headers or basic())

    return post


def assert_figma_error(answer: urllib3.BaseHTTPResponse, status: int) -> None:
    assert answer.status == status
    body = answer.json()
    assert (body["error"], body["status"], body["i18n"]) == (True, status, None)
    assert body["message"]


def test_the_consent_page_says_who_asks_for_what_and_offers_both_answers(consent_page: Get) -> None:
    answer = consent_page(**TERMS, **CHALLENGE)
    page = answer.data.decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert all(text in page for text in (CLIENT_ID, USER, "current_user:read", "file_content:read"))
    assert 'value="allow"' in page
    assert 'value="deny"' in page
    assert 'value="st&amp;te"' in page


def test_the_consent_page_shows_what_it_is_given_as_text_only(consent_page: Get) -> None:
    page = consent_page(**{**TERMS, "state": '"><script>alert(1)</script>', "scope": "<b>"}).data.decode()
    assert "<script>" not in page
    assert "<b>" not in page


def test_allow_calls_the_app_back_with_a_code_its_state_and_its_own_query(decide: Decide) -> None:
    answer = decide("allow")
    assert answer.pop("code")
    assert answer == {"state": "st&te", "tab": "1"}


def test_deny_calls_the_app_back_with_access_denied_and_no_code(standin: Standin, decide: Decide) -> None:
    assert decide("deny") == {"error": "access_denied", "state": "st&te", "tab": "1"}
    assert standin.grants() == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        *(({name: ""}, name) for name in TERMS),
        ({"client_id": "nobody"}, "client_id"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
        ({"redirect_uri": "/relative"}, "redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1/#fragment"}, "redirect_uri"),
        ({"response_type": "token"}, "response_type"),
        ({"code_challenge": "abc", "code_challenge_method": "plain"}, "code_challenge_method"),
    ],
)
def test_a_consent_that_cannot_be_trusted_is_a_page_and_never_a_redirect(
    consent_page: Get, post_form: Post, wrong: dict[str, str], named: str
) -> None:
    shown = consent_page(**{**TERMS, **wrong})
    posted = post_form("/oauth", {**TERMS, **wrong, "decision": "allow"})
    for answer in (shown, posted):
        assert answer.status == 400
        assert "Location" not in answer.headers
        assert named in answer.data.decode()


def test_a_code_is_exchanged_for_a_pair_in_figmas_own_words(
    standin: Standin, decide: Decide, exchange: Post, me: Me
) -> None:
    body = exchange(decide("allow")["code"]).json()
    (grant,) = standin.grants()
    assert body == {
        "user_id_string": USER,
        "access_token": grant.access_token,
        "token_type": "bearer",
        "expires_in": NINETY_DAYS,
        "refresh_token": grant.refresh_token,
    }
    assert me(body["access_token"])[0] == 200


def test_the_apps_credentials_may_be_in_the_form_as_well(decide: Decide, exchange: Post) -> None:
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert exchange(decide("allow")["code"], headers={}, **credentials).status == 200


@pytest.mark.parametrize("headers", [{}, basic(client_secret="wrong"), basic(client_id="nobody")])
def test_without_the_apps_credentials_nothing_is_given(
    standin: Standin, decide: Decide, exchange: Post, refresh: Post, headers: dict[str, str]
) -> None:
    grant = standin.grant()
    assert_figma_error(exchange(decide("allow")["code"], headers=headers), 401)
    assert_figma_error(refresh(grant.refresh_token, headers or basic(client_secret="")), 401)
    assert standin.live_access_token == grant.access_token


def test_a_code_works_once(decide: Decide, exchange: Post) -> None:
    code = decide("allow")["code"]
    assert exchange(code).status == 200
    assert_figma_error(exchange(code), 400)


def test_a_code_lives_thirty_seconds_to_the_second() -> None:
    now = [1_800_000_000.0]
    grants = Grants(clock=lambda: now[0])
    in_time, too_late = (grants.authorize(CLIENT_ID, REDIRECT) for _ in range(2))
    now[0] += 29.999
    assert grants.exchange(in_time, REDIRECT).access_token
    now[0] += 0.001
    with pytest.raises(RefusedError, match="expired"):
        grants.exchange(too_late, REDIRECT)


def test_a_code_that_is_too_old_is_refused(standin: Standin, decide: Decide, exchange: Post) -> None:
    code = decide("allow")["code"]
    standin.advance(CODE_LIFETIME)
    assert_figma_error(exchange(code), 400)


def test_a_code_is_bound_to_its_redirect_address_and_spoilt_by_a_wrong_one(decide: Decide, exchange: Post) -> None:
    code = decide("allow")["code"]
    assert_figma_error(exchange(code, redirect_uri="http://127.0.0.1:4001/done"), 400)
    assert_figma_error(exchange(code), 400)


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "grant_type"])
def test_a_token_request_with_a_part_missing_is_refused(decide: Decide, post_form: Post, missing: str) -> None:
    form = {"code": decide("allow")["code"], "redirect_uri": REDIRECT, "grant_type": "authorization_code"}
    del form[missing]
    assert_figma_error(post_form("/v1/oauth/token", form, basic()), 400)


@pytest.mark.parametrize(
    ("challenge", "verifier", "status"),
    [
        (CHALLENGE, {"code_verifier": VERIFIER}, 200),
        (CHALLENGE, {"code_verifier": VERIFIER + "x"}, 400),
        (CHALLENGE, {}, 400),
        ({}, {"code_verifier": VERIFIER}, 400),
    ],
    ids=["right verifier", "wrong verifier", "no verifier", "verifier without a challenge"],
)
def test_a_code_that_was_asked_for_with_pkce_needs_its_verifier(
    decide: Decide, exchange: Post, challenge: dict[str, str], verifier: dict[str, str], status: int
) -> None:
    assert exchange(decide("allow", **challenge)["code"], **verifier).status == status


def test_a_refresh_kills_the_previous_access_token_at_once(standin: Standin, refresh: Post, me: Me) -> None:
    old = standin.grant()
    new = refresh(old.refresh_token).json()
    assert new == {"access_token": standin.live_access_token, "token_type": "bearer", "expires_in": NINETY_DAYS}
    assert me(old.access_token)[0] == 403
    assert me(new["access_token"])[0] == 200


def test_the_refresh_token_stays_the_same_and_can_be_used_again(standin: Standin, refresh: Post) -> None:
    token = standin.grant().refresh_token
    access_tokens = {refresh(token).json()["access_token"] for _ in range(3)}
    assert len(access_tokens) == 3
    assert standin.grants()[0].refresh_token == token


def test_overlapping_refreshes_leave_exactly_one_access_token_alive(standin: Standin, refresh: Post, me: Me) -> None:
    token = standin.grant().refresh_token
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(token).json()["access_token"], range(24)))
    assert len(set(answers)) == 24
    assert [me(access_token)[0] for access_token in answers].count(200) == 1


def test_rotation_answers_a_new_refresh_token_and_refuses_the_old_one(standin: Standin, refresh: Post) -> None:
    old = standin.grant().refresh_token
    standin.set_rotation(on=True)
    new = refresh(old).json()["refresh_token"]
    assert_figma_error(refresh(old), 400)
    assert refresh(new).status == 200


def test_signing_in_again_replaces_the_users_grant_and_no_one_elses(standin: Standin, refresh: Post) -> None:
    first, other = standin.grant(), standin.grant(user="someone@example.com")
    second = standin.grant()
    assert [standin.accepts(grant.access_token) for grant in (first, other, second)] == [False, True, True]
    assert_figma_error(refresh(first.refresh_token), 400)


@pytest.mark.parametrize("token", ["", "unknown"])
def test_a_refresh_with_a_token_that_nobody_was_given_is_refused(standin: Standin, refresh: Post, token: str) -> None:
    standin.grant()
    assert_figma_error(refresh(token), 400)


def test_me_takes_the_live_token_in_figmas_own_header_too(standin: Standin) -> None:
    headers = {"X-Figma-Token": standin.grant().access_token}
    answer = urllib3.request("GET", f"{standin.url}/v1/me", headers=headers)
    assert (answer.status, answer.json()["email"]) == (200, USER)


def test_me_refuses_no_token_a_wrong_one_and_one_past_its_life(standin: Standin, me: Me) -> None:
    grant = standin.grant(expires_in=60)
    assert_figma_error(urllib3.request("GET", f"{standin.url}/v1/me"), 403)
    assert me("unknown")[0] == 403
    assert me(grant.access_token)[0] == 200
    standin.advance(60)
    assert me(grant.access_token)[0] == 403


def test_a_path_that_does_not_exist_is_an_error_in_figmas_shape(standin: Standin) -> None:
    assert_figma_error(urllib3.request("GET", f"{standin.url}/v1/files"), 404)
