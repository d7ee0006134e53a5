"""What the answers of a device's questions mean (RFC 8628). The whole sign-in is tested on a deployed stack."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.profile_file import from_compact_json
from tests.support.http_server import serving
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in import device_grant
from tokenctl.sign_in.complete_sign_in import DeniedError
from tokenctl.sign_in.device_grant import DeviceCode, start, wait
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange

CODES = {"device_code": "canary", "user_code": "AB-CD", "verification_uri": "https://acme.example/d", "expires_in": 9}
PAIR = {"access_token": "canary-a", "refresh_token": "canary-r", "expires_in": 60}
PENDING, SLOW = {"error": "authorization_pending"}, {"error": "slow_down"}

Answer = tuple[int, dict[str, Any]]


@contextmanager
def provider(*answers: Answer) -> Iterator[TokenEndpointExchange]:
    """Return an exchange with a server that gives these answers, the last one again and again."""
    given = list(answers)

    def app(environ: Any, start_response: Any) -> Any:
        Request(environ).get_data()
        status, document = given.pop(0) if len(given) > 1 else given[0]
        return Response(json.dumps(document), status, content_type="application/json")(environ, start_response)

    with serving(app) as url:
        document = {
            "name": "acme",
            "title": "Acme",
            "grant": "refresh_token",
            "address": {"token": f"{url}/token", "device": f"{url}/device"},
        }
        profile = from_compact_json(json.dumps(document), allow_http=True)
        app_credentials = AppCredentials("canary-id", "canary-secret")
        yield TokenEndpointExchange(profile=BoundProfile(profile=profile, allow_http=True), app=app_credentials)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Do not sleep between two questions; note how long each pause is, until there have been 20 s of them."""
    found: list[int] = []

    def pause(interval: int, *_: object) -> bool:
        found.append(interval)
        return sum(found) < 200

    monkeypatch.setattr(device_grant, "_pause", pause)
    return found


def asked(*answers: Answer) -> str:
    with provider(*answers) as exchange:
        code = DeviceCode(device_code="canary", user_code="AB-CD", address="https://acme.example/d")
        return wait(exchange, code, "Acme", seconds=60, meanwhile=lambda _: None).access_token


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(400, PENDING), (200, PAIR)], [5, 5]),
        ([(200, PENDING), (200, PAIR)], [5, 5]),  # GitHub's way
        ([(400, SLOW), (400, SLOW), (400, PENDING), (200, PAIR)], [5, 10, 15, 15]),
        ([(503, {}), (429, {}), (200, PAIR)], [5, 10, 20]),
    ],
)
def test_a_question_is_asked_again(answers: list[Answer], expected: list[int], pauses: list[int]) -> None:
    assert (asked(*answers), pauses) == ("canary-a", expected)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((400, {"error": "access_denied"}), DeniedError, "denied on Acme's page"),
        ((400, {"error": "authorization_declined"}), DeniedError, "denied on Acme's page"),
        ((400, {"error": "expired_token"}), TokenctlError, "The code has expired"),
        ((401, {"error": "invalid_client"}), ServiceError, "(HTTP 401, invalid_client)"),
        ((400, {"error": "canary"}), ServiceError, "(HTTP 400)"),
        ((400, PENDING), TokenctlError, "Nobody typed the code in time"),
        ((200, {"access_token": "canary-a"}), ServiceError, "no refresh token"),
    ],
)
def test_an_answer_ends_the_sign_in(answer: Answer, error: type[TokenctlError], message: str) -> None:
    with pytest.raises(error) as caught:
        asked(answer)
    assert message in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ("https://acme.example/d", 9, 5)),
        ({"interval": 7, "expires_in": None}, ("https://acme.example/d", 600, 7)),
        ({"verification_uri": None, "verification_url": "https://g.example"}, ("https://g.example", 9, 5)),
        ({"verification_uri": "javascript:x"}, None),
        ({"user_code": "a\x1b[2J"}, None),
        ({"device_code": None}, None),
    ],
)
def test_the_codes_of_a_device(document: dict[str, Any], expected: tuple[str, int, int] | None) -> None:
    with provider((200, {**CODES, **document})) as exchange:
        if expected is None:
            with pytest.raises(ServiceError, match="holds no code for a device"):
                start(exchange, "Acme")
        else:
            code = start(exchange, "Acme")
            assert (code.address, code.expires_in, code.interval) == expected
            assert "canary" not in repr(code)


def test_a_refusal_says_what_may_help() -> None:
    with provider((400, {"error": "unauthorized_client"})) as exchange, pytest.raises(ServiceError) as caught:
        start(exchange, "Acme")
    assert "(HTTP 400, unauthorized_client). The app may have to be allowed" in str(caught.value)
