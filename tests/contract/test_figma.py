"""The stand-in's Figma face: the consent page, the OAuth endpoints, and who is let in."""

import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from local.standin import CLIENT_ID, CLIENT_SECRET, CODE_LIFETIME, NINETY_DAYS, USER
from local.standin.grants import Grants, RefusedError

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


def basic(client_id=CLIENT_ID, client_secret=CLIENT_SECRET):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()}


@pytest.fixture
def consent_page(standin):
    def get(**terms):
        return urllib3.request("GET", f"{standin.url}/oauth?{urlencode(terms)}", redirect=False)

    return get


@pytest.fixture
def decide(post_form):
    """Press a button of the consent page; the parameters that the app is called back with."""

    def press(decision, **more):
        answer = post_form("/oauth", {**TERMS, **more, "decision": decision})
        assert answer.status == 302, answer.data
        target = urlsplit(answer.headers["Location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == "http://127.0.0.1:4000/done"
        return {name: values[0] for name, values in parse_qs(target.query).items()}

    return press


@pytest.fixture
def exchange(post_form):
    def post(code, *, headers=None, **more):
        form = {"code": code, "redirect_uri": REDIRECT, "grant_type": "authorization_code", **more}
        return post_form("/v1/oauth/token", form, basic() if headers is None else headers)

    return post


@pytest.fixture
def refresh(post_form):
    def post(refresh_token, headers=None):
        return post_form("/v1/oauth/refresh", {"refresh_token": refresh_token}, headers or basic())

    return post


def assert_figma_error(answer, status):
    assert answer.status == status
    body = answer.json()
    assert (body["error"], body["status"], body["i18n"]) == (True, status, None)
    assert body["message"]


def test_the_consent_page_says_who_asks_for_what_and_offers_both_answers(consent_page):
    answer = consent_page(**TERMS, **CHALLENGE)
    page = answer.data.decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert all(text in page for text in (CLIENT_ID, USER, "current_user:read", "file_content:read"))
    assert 'value="allow"' in page
    assert 'value="deny"' in page
    assert 'value="st&amp;te"' in page


def test_the_consent_page_shows_what_it_is_given_as_text_only(consent_page):
    page = consent_page(**{**TERMS, "state": '"><script>alert(1)</script>', "scope": "<b>"}).data.decode()
    assert "<script>" not in page
    assert "<b>" not in page


def test_allow_calls_the_app_back_with_a_code_its_state_and_its_own_query(decide):
    answer = decide("allow")
    assert answer.pop("code")
    assert answer == {"state": "st&te", "tab": "1"}


def test_deny_calls_the_app_back_with_access_denied_and_no_code(standin, decide):
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
def test_a_consent_that_cannot_be_trusted_is_a_page_and_never_a_redirect(consent_page, post_form, wrong, named):
    shown = consent_page(**{**TERMS, **wrong})
    posted = post_form("/oauth", {**TERMS, **wrong, "decision": "allow"})
    for answer in (shown, posted):
        assert answer.status == 400
        assert "Location" not in answer.headers
        assert named in answer.data.decode()


def test_a_code_is_exchanged_for_a_pair_in_figmas_own_words(standin, decide, exchange, me):
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


def test_the_apps_credentials_may_be_in_the_form_as_well(decide, exchange):
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert exchange(decide("allow")["code"], headers={}, **credentials).status == 200


@pytest.mark.parametrize("headers", [{}, basic(client_secret="wrong"), basic(client_id="nobody")])
def test_without_the_apps_credentials_nothing_is_given(standin, decide, exchange, refresh, headers):
    grant = standin.grant()
    assert_figma_error(exchange(decide("allow")["code"], headers=headers), 401)
    assert_figma_error(refresh(grant.refresh_token, headers or basic(client_secret="")), 401)
    assert standin.live_access_token == grant.access_token


def test_a_code_works_once(decide, exchange):
    code = decide("allow")["code"]
    assert exchange(code).status == 200
    assert_figma_error(exchange(code), 400)


def test_a_code_lives_thirty_seconds_to_the_second():
    now = [1_800_000_000.0]
    grants = Grants(clock=lambda: now[0])
    in_time, too_late = (grants.authorize(CLIENT_ID, REDIRECT) for _ in range(2))
    now[0] += 29.999
    assert grants.exchange(in_time, REDIRECT).access_token
    now[0] += 0.001
    with pytest.raises(RefusedError, match="expired"):
        grants.exchange(too_late, REDIRECT)


def test_a_code_that_is_too_old_is_refused(standin, decide, exchange):
    code = decide("allow")["code"]
    standin.advance(CODE_LIFETIME)
    assert_figma_error(exchange(code), 400)


def test_a_code_is_bound_to_its_redirect_address_and_spoilt_by_a_wrong_one(decide, exchange):
    code = decide("allow")["code"]
    assert_figma_error(exchange(code, redirect_uri="http://127.0.0.1:4001/done"), 400)
    assert_figma_error(exchange(code), 400)


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "grant_type"])
def test_a_token_request_with_a_part_missing_is_refused(decide, post_form, missing):
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
def test_a_code_that_was_asked_for_with_pkce_needs_its_verifier(decide, exchange, challenge, verifier, status):
    assert exchange(decide("allow", **challenge)["code"], **verifier).status == status


def test_a_refresh_kills_the_previous_access_token_at_once(standin, refresh, me):
    old = standin.grant()
    new = refresh(old.refresh_token).json()
    assert new == {"access_token": standin.live_access_token, "token_type": "bearer", "expires_in": NINETY_DAYS}
    assert me(old.access_token)[0] == 403
    assert me(new["access_token"])[0] == 200


def test_the_refresh_token_stays_the_same_and_can_be_used_again(standin, refresh):
    token = standin.grant().refresh_token
    access_tokens = {refresh(token).json()["access_token"] for _ in range(3)}
    assert len(access_tokens) == 3
    assert standin.grants()[0].refresh_token == token


def test_overlapping_refreshes_leave_exactly_one_access_token_alive(standin, refresh, me):
    token = standin.grant().refresh_token
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(token).json()["access_token"], range(24)))
    assert len(set(answers)) == 24
    assert [me(access_token)[0] for access_token in answers].count(200) == 1


def test_rotation_answers_a_new_refresh_token_and_refuses_the_old_one(standin, refresh):
    old = standin.grant().refresh_token
    standin.set_rotation(on=True)
    new = refresh(old).json()["refresh_token"]
    assert_figma_error(refresh(old), 400)
    assert refresh(new).status == 200


def test_signing_in_again_replaces_the_users_grant_and_no_one_elses(standin, refresh):
    first, other = standin.grant(), standin.grant(user="someone@example.com")
    second = standin.grant()
    assert [standin.accepts(grant.access_token) for grant in (first, other, second)] == [False, True, True]
    assert_figma_error(refresh(first.refresh_token), 400)


@pytest.mark.parametrize("token", ["", "unknown"])
def test_a_refresh_with_a_token_that_nobody_was_given_is_refused(standin, refresh, token):
    standin.grant()
    assert_figma_error(refresh(token), 400)


def test_me_takes_the_live_token_in_figmas_own_header_too(standin):
    headers = {"X-Figma-Token": standin.grant().access_token}
    answer = urllib3.request("GET", f"{standin.url}/v1/me", headers=headers)
    assert (answer.status, answer.json()["email"]) == (200, USER)


def test_me_refuses_no_token_a_wrong_one_and_one_past_its_life(standin, me):
    grant = standin.grant(expires_in=60)
    assert_figma_error(urllib3.request("GET", f"{standin.url}/v1/me"), 403)
    assert me("unknown")[0] == 403
    assert me(grant.access_token)[0] == 200
    standin.advance(60)
    assert me(grant.access_token)[0] == 403


def test_a_path_that_does_not_exist_is_an_error_in_figmas_shape(standin):
    assert_figma_error(urllib3.request("GET", f"{standin.url}/v1/files"), 404)
