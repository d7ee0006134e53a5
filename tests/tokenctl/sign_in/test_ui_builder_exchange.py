"""The exchange of a code through Amplify UI Builder, at the stand-in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.standin import CLIENT_ID, CODE_LIFETIME, HTML, MALFORMED, Standin
from tokenctl.errors import ServiceError, TokenctlError
from tokenctl.sign_in.authorization_request import AuthorizationRequest
from tokenctl.sign_in.ui_builder_exchange import UiBuilderExchange
from tokenctl.stack.aws_access import AwsAccess

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
REDIRECT = "http://127.0.0.1:8976/callback"
CODE = "c0de-of-nobody"
REQUEST = AuthorizationRequest(
    issuer_label="Figma", consent_page="https://x", client_id=CLIENT_ID, redirect_uri=REDIRECT
)


@pytest.fixture
def standin(running_standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    running_standin.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", running_standin.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return running_standin


@pytest.fixture
def exchange(standin: Standin) -> Iterator[UiBuilderExchange]:
    aws = AwsAccess(region="eu-west-1", endpoint_url=standin.url)
    with aws.closing:
        yield UiBuilderExchange.through(aws)


def allow(standin: Standin) -> str:
    return standin._app.state.grants.authorize(CLIENT_ID, REDIRECT)


ANSWERS: dict[str, dict[str, Any]] = {
    "cut off": {"body": MALFORMED},
    "no refresh token": {"omit": ("refreshToken",)},
    "error": {"status": 500, "code": "InternalServerException", "message": f"{CODE} {CLIENT_ID}"},
    "denied": {"status": 403, "code": "AccessDeniedException", "message": f"{CODE} {CLIENT_ID}"},
    "refused": {"status": 400, "code": "InvalidParameterException", "message": f"{CODE} {CLIENT_ID}"},
    "error page": {"status": 502, "body": HTML, "content_type": "text/html"},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_other_answers_are_hidden(standin: Standin, exchange: UiBuilderExchange, answer: dict[str, Any]) -> None:
    standin.fail("ExchangeCodeForToken", **answer)
    code = allow(standin)
    with pytest.raises(ServiceError, match=r"Nothing was stored\. Run the command again\.$") as caught:
        exchange(REQUEST, code, now=NOW)
    assert caught.value.__suppress_context__
    for private in ("figd_", "figr_", code, CODE, CLIENT_ID, "Sorry"):
        assert private not in str(caught.value)


def test_a_service_that_hangs_up_is_unreachable(standin: Standin, exchange: UiBuilderExchange) -> None:
    standin.fail("ExchangeCodeForToken", drop=True)
    with pytest.raises(TokenctlError, match=r"could not be reached .* Nothing was stored") as caught:
        exchange(REQUEST, allow(standin), now=NOW)
    assert caught.value.exit_code == 255


@pytest.mark.usefixtures("standin")
def test_waits_no_longer_than_a_code_lives(exchange: UiBuilderExchange) -> None:
    assert exchange.client.meta.config.read_timeout < CODE_LIFETIME


def test_the_operators_timeouts_win(standin: Standin) -> None:
    aws = AwsAccess(region="eu-west-1", connect_timeout=2, read_timeout=0)
    with aws.closing:
        meta = UiBuilderExchange.through(aws).client.meta
        assert (meta.config.connect_timeout, meta.config.read_timeout) == (2, None)
        assert meta.endpoint_url == standin.url
