"""The stand-in as Amplify UI Builder, called by boto3, whose model it must match.

The AWS CLI calls it in tests/tokenctl/aws_style, and in `test_local_cloud.py`.
"""

import pytest
import urllib3
from mypy_boto3_amplifyuibuilder import AmplifyUIBuilderClient as UiBuilder

from local.standin import Standin
from tests.support.consent import Post

REFRESH = "/tokens/figma/refresh"
EXCHANGE = "/tokens/figma"
REDIRECT = "http://127.0.0.1:4000/done"


class TestRefreshToken:
    @pytest.mark.parametrize("provider", ["github", "Figma", "figma ", "a/b", "..", "fig/refresh"])
    def test_only_figma_is_a_provider(self, standin: Standin, ui_builder: UiBuilder, provider: str) -> None:
        token = standin.grant().refresh_token
        with pytest.raises(ui_builder.exceptions.InvalidParameterException, match="the only valid value is figma"):
            ui_builder.refresh_token(provider=provider, refreshTokenBody={"token": token})  # type: ignore[arg-type]

    def test_a_token_belongs_to_its_app(self, standin: Standin, ui_builder: UiBuilder) -> None:
        token = standin.grant(client_id="app-a").refresh_token
        for sent, other in ((token, "app-b"), ("unknown", "app-a"), ("", "app-a")):
            with pytest.raises(ui_builder.exceptions.InvalidParameterException) as refused:
                ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": sent, "clientId": other})
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        ui_builder.refresh_token(provider="figma", refreshTokenBody={"token": token, "clientId": "app-a"})


class TestWrongRequests:
    @pytest.mark.parametrize(
        ("path", "body", "named"),
        [
            (REFRESH, {"token": "t-canary", "color": "c-canary"}, "'color'"),
            (REFRESH, {}, "refreshTokenBody.token is required"),
            (REFRESH, {"token": None}, "refreshTokenBody.token must be a string"),
            (REFRESH, {"token": 987654321}, "refreshTokenBody.token must be a string"),
            (REFRESH, {"token": ["t-canary"]}, "refreshTokenBody.token must be a string"),
            (
                REFRESH,
                {"token": "t-canary", "clientId": {"a": "c-canary"}},
                "refreshTokenBody.clientId must be a string",
            ),
            (REFRESH, ["t-canary"], "refreshTokenBody must be a JSON object"),
            (EXCHANGE, {"code": "t-canary"}, "request.redirectUri is required"),
            (EXCHANGE, {"code": True, "redirectUri": REDIRECT}, "request.code must be a string"),
        ],
    )
    def test_members_are_named(self, standin: Standin, signed_post: Post, path: str, body: object, named: str) -> None:
        grant = standin.grant()
        answer = signed_post(path, body)
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidParameterException")
        assert named in answer.json()["message"]
        assert not [value for value in ("t-canary", "c-canary", "987654321") if value in answer.json()["message"]]
        assert standin.live_access_token == grant.access_token

    @pytest.mark.parametrize("path", [REFRESH, EXCHANGE])
    @pytest.mark.parametrize("authorization", ["", "Bearer abc", "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/x"])
    def test_a_request_must_be_signed(self, standin: Standin, path: str, authorization: str) -> None:
        grant = standin.grant()
        headers = {"Authorization": authorization} if authorization else {}
        answer = urllib3.request("POST", f"{standin.url}{path}", json={"token": grant.refresh_token}, headers=headers)
        error = "IncompleteSignatureException" if authorization else "MissingAuthenticationTokenException"
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, error)
        assert standin.live_access_token == grant.access_token

    def test_other_requests_have_their_own_errors(self, standin: Standin, signed_post: Post) -> None:
        token = {"token": standin.grant().refresh_token}
        answers = [signed_post(REFRESH, b"token=abc"), signed_post(REFRESH, token, service="amplifybackend")]
        errors = [(answer.status, answer.headers["x-amzn-errortype"]) for answer in answers]
        assert errors == [(400, "SerializationException"), (403, "InvalidSignatureException")]
        assert urllib3.request("GET", f"{standin.url}{REFRESH}").status == 405
