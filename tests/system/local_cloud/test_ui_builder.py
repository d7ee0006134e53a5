"""The stand-in's AWS face, held against botocore's model by boto3 and by the AWS CLI."""

import json
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from botocore.exceptions import ClientError
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient

from local.standin import CLIENT_ID, NINETY_DAYS, USER, Standin

if TYPE_CHECKING:
    from mypy_boto3_amplifyuibuilder.type_defs import ExchangeCodeForTokenRequestBodyTypeDef

Post = Callable[..., urllib3.BaseHTTPResponse]
Aws = Callable[..., subprocess.CompletedProcess[str]]
Me = Callable[[str], tuple[int, Any]]

REFRESH = "/tokens/figma/refresh"
EXCHANGE = "/tokens/figma"
REDIRECT = "http://127.0.0.1:4000/done"


@pytest.fixture
def allowed_code(post_form: Post) -> str:
    """A code that a user has just been given on the consent page."""
    terms = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": "current_user:read", "state": "s"}
    answer = post_form("/oauth", {**terms, "response_type": "code", "decision": "allow"})
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def test_boto3_gets_a_new_live_access_token_for_a_refresh_token(
    standin: Standin, ui_builder: AmplifyUIBuilderClient
) -> None:
    grant = standin.grant()
    answer = ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": grant.refresh_token})
    metadata = answer["ResponseMetadata"]
    assert answer == {
        "accessToken": standin.live_access_token,
        "expiresIn": NINETY_DAYS,
        "ResponseMetadata": metadata,
    }
    assert answer["accessToken"] != grant.access_token
    assert metadata["RequestId"] == standin.calls("RefreshToken")[0].request_id


def test_the_aws_cli_gets_a_new_live_access_token_for_a_refresh_token(standin: Standin, aws: Aws) -> None:
    token = standin.grant().refresh_token
    done = aws("amplifyuibuilder", "refresh-token", "--provider", "figma", "--refresh-token-body", f"token={token}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"accessToken": standin.live_access_token, "expiresIn": NINETY_DAYS}


def test_the_aws_cli_exchanges_a_code_for_a_pair(standin: Standin, aws: Aws, allowed_code: str) -> None:
    request = f"code={allowed_code},redirectUri={REDIRECT},clientId={CLIENT_ID}"
    done = aws("amplifyuibuilder", "exchange-code-for-token", "--provider", "figma", "--request", request)
    assert done.returncode == 0, done.stderr
    (grant,) = standin.grants()
    expected = {"accessToken": grant.access_token, "expiresIn": NINETY_DAYS, "refreshToken": grant.refresh_token}
    assert json.loads(done.stdout) == expected


def test_boto3_exchanges_a_code_for_a_pair_whose_access_token_is_live(
    standin: Standin, ui_builder: AmplifyUIBuilderClient, allowed_code: str, me: Me
) -> None:
    answer = ui_builder.exchange_code_for_token(
        provider="figma", request={"code": allowed_code, "redirectUri": REDIRECT}
    )
    assert me(answer["accessToken"]) == (200, me(standin.live_access_token)[1])
    assert me(answer["accessToken"])[1]["email"] == USER


def test_a_code_that_was_used_is_an_invalid_parameter(ui_builder: AmplifyUIBuilderClient, allowed_code: str) -> None:
    request: ExchangeCodeForTokenRequestBodyTypeDef = {"code": allowed_code, "redirectUri": REDIRECT}
    ui_builder.exchange_code_for_token(provider="figma", request=request)
    with pytest.raises(ui_builder.exceptions.InvalidParameterException):
        ui_builder.exchange_code_for_token(provider="figma", request=request)


@pytest.mark.parametrize("provider", ["github", "Figma", "figma ", "a/b", "..", "fig/refresh"])
def test_another_provider_than_figma_is_an_invalid_parameter(
    standin: Standin, ui_builder: AmplifyUIBuilderClient, provider: str
) -> None:
    token = standin.grant().refresh_token
    with pytest.raises(ui_builder.exceptions.InvalidParameterException, match="the only valid value is figma"):
        ui_builder.refresh_token(provider=provider, refreshTokenBody={"token": token})  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["unknown", ""], ids=["unknown", "empty"])
def test_a_refresh_token_that_nobody_was_given_is_an_invalid_parameter(
    standin: Standin, ui_builder: AmplifyUIBuilderClient, token: str
) -> None:
    standin.grant()
    with pytest.raises(ui_builder.exceptions.InvalidParameterException) as refused:
        ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_aws_cli_shows_a_refused_token_as_an_invalid_parameter(aws: Aws) -> None:
    done = aws("amplifyuibuilder", "refresh-token", "--provider", "figma", "--refresh-token-body", "token=unknown")
    assert done.returncode != 0
    assert "(InvalidParameterException) when calling the RefreshToken operation" in done.stderr


def test_the_refresh_token_of_one_app_is_refused_to_another(
    standin: Standin, ui_builder: AmplifyUIBuilderClient
) -> None:
    token = standin.grant(client_id="app-a").refresh_token
    with pytest.raises(ui_builder.exceptions.InvalidParameterException):
        ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token, "clientId": "app-b"})
    assert ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token, "clientId": "app-a"})[
        "accessToken"
    ]


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (REFRESH, {"token": "t-canary", "color": "c-canary"}, "'color'"),
        (REFRESH, {}, "refreshTokenBody.token is required"),
        (REFRESH, {"token": None}, "refreshTokenBody.token must be a string"),
        (REFRESH, {"token": 987654321}, "refreshTokenBody.token must be a string"),
        (REFRESH, {"token": ["t-canary"]}, "refreshTokenBody.token must be a string"),
        (REFRESH, {"token": "t-canary", "clientId": {"a": "c-canary"}}, "refreshTokenBody.clientId must be a string"),
        (REFRESH, ["t-canary"], "refreshTokenBody must be a JSON object"),
        (EXCHANGE, {"code": "t-canary"}, "request.redirectUri is required"),
        (EXCHANGE, {"code": True, "redirectUri": REDIRECT}, "request.code must be a string"),
    ],
)
def test_a_body_that_the_model_does_not_describe_is_refused_by_name_and_never_by_value(
    standin: Standin, signed_post: Post, path: str, body: object, named: str
) -> None:
    grant = standin.grant()
    answer = signed_post(path, body)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidParameterException")
    assert named in answer.json()["message"]
    assert not [value for value in ("t-canary", "c-canary", "987654321") if value in answer.json()["message"]]
    assert standin.live_access_token == grant.access_token


def test_a_body_that_is_not_json_cannot_be_read(signed_post: Post) -> None:
    answer = signed_post(REFRESH, b"token=abc")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


@pytest.mark.parametrize("path", [REFRESH, EXCHANGE])
@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("Bearer abc", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/amplifyuibuilder", "IncompleteSignatureException"),
    ],
)
def test_a_request_without_signature_version_4_is_forbidden(
    standin: Standin, path: str, authorization: str | None, error: str
) -> None:
    grant = standin.grant()
    headers = {"Authorization": authorization} if authorization else {}
    answer = urllib3.request("POST", f"{standin.url}{path}", json={"token": grant.refresh_token}, headers=headers)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, error)
    assert standin.live_access_token == grant.access_token


def test_a_signature_for_another_service_is_forbidden(standin: Standin, signed_post: Post) -> None:
    answer = signed_post(REFRESH, {"token": standin.grant().refresh_token}, service="amplifybackend")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")


def test_a_token_path_takes_post_only(standin: Standin) -> None:
    answer = urllib3.request("GET", f"{standin.url}{REFRESH}")
    assert answer.status == 405


def test_rotation_names_the_new_refresh_token_and_kills_the_old_one(
    standin: Standin, ui_builder: AmplifyUIBuilderClient, signed_post: Post
) -> None:
    old = standin.grant().refresh_token
    standin.set_rotation(on=True)
    new = signed_post(REFRESH, {"token": old}).json()["refreshToken"]
    assert new == standin.grants()[0].refresh_token != old
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": old})
    assert ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": new})["accessToken"]
