"""The authorization request, the options that shape it, and how a response to it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from refresh_token.oauth.issuers import FIGMA_CONSENT_PAGE, FIGMA_SCOPES
from tokenctl.errors import UsageError
from tokenctl.sign_in.authorization_request import AuthorizationRequest, callback_uri
from tokenctl.sign_in.authorization_response import AuthorizationResponse, Outcome, read_response
from tokenctl.sign_in.options import SignInOptions, validate_address

REDIRECT = "http://127.0.0.1:8976/callback"


def request(page: str = FIGMA_CONSENT_PAGE) -> AuthorizationRequest:
    return AuthorizationRequest(
        issuer_label="Figma",
        consent_page=page,
        client_id="an app&more",
        redirect_uri=REDIRECT,
        scopes=("a:read", "b:write"),
    )


class TestTheRequest:
    def test_address_carries_every_parameter_encoded(self) -> None:
        made = request()
        page = urlsplit(made.address)
        assert f"{page.scheme}://{page.netloc}{page.path}" == FIGMA_CONSENT_PAGE
        assert parse_qs(page.query, strict_parsing=True) == {
            "client_id": ["an app&more"],
            "redirect_uri": [callback_uri("127.0.0.1", 8976)],
            "scope": ["a:read b:write"],
            "state": [made.state],
            "response_type": ["code"],
        }

    def test_a_query_of_the_page_is_kept(self) -> None:
        page = f"{FIGMA_CONSENT_PAGE}?locale=de"
        assert request(page).address.startswith(f"{page}&client_id=")

    def test_each_has_its_own_256_bit_state(self) -> None:
        states = {request().state for _ in range(100)}
        assert len(states) == 100
        assert all(len(state) >= 43 for state in states)

    def test_repr_shows_neither_client_id_nor_state(self) -> None:
        made = request()
        assert "an app" not in repr(made)
        assert made.state not in repr(made)


def options(*scopes: str) -> SignInOptions:
    return SignInOptions(issuer=None, client_id=None, scopes=scopes, authorize_url=None, token_url=None, yes=False)


class TestScopes:
    @pytest.mark.parametrize(
        ("added", "expected"),
        [
            ((), ("current_user:read",)),
            (("file_content:read",), ("current_user:read", "file_content:read")),
            (("a:read", "current_user:read", "a:read"), ("current_user:read", "a:read")),
        ],
    )
    def test_added_to_the_required_ones_once(self, added: tuple[str, ...], expected: tuple[str, ...]) -> None:
        assert options(*added).scopes_with(FIGMA_SCOPES) == expected

    @pytest.mark.parametrize("scope", ["", "two words", "line\nfeed", 'quo"te', "bäck"])
    def test_other_text_is_a_usage_error(self, scope: str) -> None:
        with pytest.raises(UsageError, match="--scope takes one scope"):
            options(scope).validate()


class TestAddresses:
    @pytest.mark.parametrize(
        "url", [FIGMA_CONSENT_PAGE, "https://www.figma-gov.com/oauth", "http://127.0.0.1:4000/", "http://localhost:4/"]
    )
    def test_https_or_this_machine_is_accepted(self, url: str) -> None:
        validate_address(url, "--authorize-url")

    @pytest.mark.parametrize(
        "url",
        [
            "http://www.figma.com/oauth",
            "http://127.0.0.1.example.com/oauth",
            "http://localhost@example.com/oauth",
            "https://user:word@www.figma.com/oauth",
            "https://www.figma.com/oauth#part",
            "https:///oauth",
            "https://www.figma.com:port/oauth",
            "https://[::1/oauth",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "www.figma.com/oauth",
            "",
        ],
    )
    def test_others_are_refused_without_being_repeated(self, url: str) -> None:
        with pytest.raises(UsageError, match="--authorize-url must") as caught:
            validate_address(url, "--authorize-url")
        assert not url or url not in str(caught.value)


STATE = "the-state"
ALLOWED = AuthorizationResponse(outcome=Outcome.ALLOWED, code="c")
BROUGHT = replace(ALLOWED, redirect={"iss": "https://x"})
DENIED = AuthorizationResponse(outcome=Outcome.DENIED)
FAILED = AuthorizationResponse(outcome=Outcome.FAILED)
INCOMPLETE = AuthorizationResponse(outcome=Outcome.INCOMPLETE)
FORGED = AuthorizationResponse(outcome=Outcome.FORGED)
REASON = AuthorizationResponse(outcome=Outcome.FAILED, reason="invalid_scope")

RESPONSES: dict[str, tuple[Mapping[str, Sequence[str]], AuthorizationResponse]] = {
    "code and state": ({"code": ["c"], "state": [STATE]}, ALLOWED),
    "unknown parameters": ({"code": ["c"], "state": [STATE], "iss": ["https://x"], "a": ["1", "2"]}, BROUGHT),
    "denied": ({"error": ["access_denied"], "state": [STATE]}, DENIED),
    "known error": ({"error": ["invalid_scope"], "state": [STATE]}, REASON),
    "error in words": ({"error": ["<b>boo"], "state": [STATE]}, FAILED),
    "empty error": ({"error": [""], "state": [STATE]}, FAILED),
    "error twice": ({"error": ["access_denied", "x"], "state": [STATE]}, FAILED),
    "error and code": ({"error": ["access_denied"], "code": ["c"], "state": [STATE]}, DENIED),
    "state alone": ({"state": [STATE]}, INCOMPLETE),
    "empty code": ({"code": [""], "state": [STATE]}, INCOMPLETE),
    "code twice": ({"code": ["c", "d"], "state": [STATE]}, INCOMPLETE),
    "nothing": ({}, FORGED),
    "no state": ({"code": ["c"]}, FORGED),
    "empty state": ({"code": ["c"], "state": [""]}, FORGED),
    "other state": ({"code": ["c"], "state": ["the-statf"]}, FORGED),
    "beginning of the state": ({"code": ["c"], "state": ["the-stat"]}, FORGED),
    "other case": ({"code": ["c"], "state": ["THE-STATE"]}, FORGED),
    "state twice": ({"code": ["c"], "state": [STATE, STATE]}, FORGED),
    "denied with another state": ({"error": ["access_denied"], "state": ["x"]}, FORGED),
    "state that is not ASCII": ({"code": ["c"], "state": ["š"]}, FORGED),
    "state that is not text": ({"code": ["c"], "state": ["\ud800"]}, FORGED),
}


class TestTheResponse:
    @pytest.mark.parametrize(("parameters", "expected"), RESPONSES.values(), ids=RESPONSES)
    def test_outcome(self, parameters: Mapping[str, Sequence[str]], expected: AuthorizationResponse) -> None:
        assert read_response(parameters, state=STATE) == expected

    def test_none_answers_an_empty_state(self) -> None:
        assert read_response({"code": ["c"], "state": [""]}, state="") == FORGED

    def test_repr_does_not_show_the_code(self) -> None:
        assert "c0de" not in repr(read_response({"code": ["c0de"], "state": [STATE]}, state=STATE))
