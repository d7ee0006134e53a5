"""`tokenctl exchange-code-for-token`, and `--store`, which keeps the pair."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
import urllib3
from moto import mock_aws
from werkzeug import Request, Response

from local.standin import CLIENT_ID, NINETY_DAYS, StandinControl
from tests.support.command_line import Done, Tokenctl
from tests.support.http_server import serving
from tests.tokenctl.conftest import Function

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REDIRECT = "http://127.0.0.1:4000/done"
STACKS = {"RefreshToken-dev": {"SecretArn": "pair", "FunctionName": "refresh"}, "RefreshToken-bare": {}}
XML = (
    '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>'
    "<member><StackName>x</StackName><CreationTime>2030-01-01T00:00:00Z</CreationTime>"
    "<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{}</Outputs></member>"
    "</Stacks></DescribeStacksResult></DescribeStacksResponse>"
)
NO_STACK = "<ErrorResponse><Error><Code>ValidationError</Code><Message>no such stack</Message></Error></ErrorResponse>"


def cloudformation(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer DescribeStacks; moto's CloudFormation needs packages that nothing else here does."""
    stack = STACKS.get(Request(environ).form["StackName"])
    members = (
        f"<member><OutputKey>{k}</OutputKey><OutputValue>{v}</OutputValue></member>" for k, v in (stack or {}).items()
    )
    text, status = (NO_STACK, 400) if stack is None else (XML.format("".join(members)), 200)
    return Response(text, status, content_type="text/xml")(environ, start_response)


@pytest.fixture(autouse=True)
def _stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serving(cloudformation) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield


@pytest.fixture
def code(standin: StandinControl) -> str:
    """Return a code that the user has just allowed."""
    request = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": "current_user:read", "state": "s"}
    form = {**request, "response_type": "code", "decision": "allow"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = urllib3.request(
        "POST", f"{standin.url}/oauth", body=urlencode(form), headers=headers, redirect=False, retries=False
    )
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


@pytest.fixture
def secrets() -> Iterator[Any]:
    """Secrets Manager with the empty secret of the stack RefreshToken-dev."""
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="pair")
        yield client
        client.close()


class Exchange:
    """Runs the command with a code."""

    def __init__(self, tokenctl: Tokenctl, standin: StandinControl) -> None:
        self._tokenctl, self._standin = tokenctl, standin

    def __call__(self, code: str, *options: str) -> Done:
        request = f"code={code},redirectUri={REDIRECT},clientId={CLIENT_ID}"
        words = ("exchange-code-for-token", "--provider", "figma", "--request", request)
        return self._tokenctl(*words, "--endpoint-url", self._standin.url, *options)


@pytest.fixture
def exchange(tokenctl: Tokenctl, standin: StandinControl) -> Exchange:
    return Exchange(tokenctl, standin)


def held(secrets: Any) -> Any:
    return json.loads(secrets.get_secret_value(SecretId="pair")["SecretString"])


def spent(standin: StandinControl) -> bool:
    return bool(standin.calls("ExchangeCodeForToken"))


class TestWithoutStore:
    def test_prints_the_pair(self, exchange: Exchange, standin: StandinControl, code: str) -> None:
        done = exchange(code)
        (grant,) = standin.grants()
        pair = {"accessToken": grant.access_token, "expiresIn": NINETY_DAYS, "refreshToken": grant.refresh_token}
        assert (done.code, done.json) == (0, pair)

    def test_a_refusal_does_not_show_the_code(self, exchange: Exchange, standin: StandinControl) -> None:
        standin.fail("ExchangeCodeForToken", status=400, code="InvalidParameterException", message="No: canary-code-1")
        done = exchange("canary-code-1", "--debug")
        assert done.code == 254
        assert done.err.endswith(
            "tokenctl: An error occurred (InvalidParameterException) when calling the ExchangeCodeForToken operation: "
            "No: ***.\n"
        )
        assert "canary" not in done.err

    @pytest.mark.parametrize("body", ["[]", "null", '{"accessToken": "a", "expiresIn": "canary", "refreshToken": "r"}'])
    def test_a_senseless_answer_is_not_shown(
        self, exchange: Exchange, standin: StandinControl, code: str, body: str
    ) -> None:
        standin.fail("ExchangeCodeForToken", status=200, body=body, content_type="application/json")
        done = exchange(code)
        assert (done.code, done.out) == (255, "")
        assert "tokenctl: Amplify UI Builder's answer makes no sense, and the code may be spent." in done.err
        assert "canary" not in done.err


class TestStore:
    def test_prints_the_version_but_no_token(
        self, exchange: Exchange, standin: StandinControl, code: str, secrets: Any
    ) -> None:
        done = exchange(code, "--store")
        (grant,) = standin.grants()
        version = secrets.get_secret_value(SecretId="pair")["VersionId"]
        assert held(secrets) == {
            "provider": "figma",
            "accessToken": grant.access_token,
            "refreshToken": grant.refresh_token,
            "clientId": CLIENT_ID,
            "expiresIn": NINETY_DAYS,
        }
        assert (done.code, done.json) == (0, {"secretArn": "pair", "versionId": version, "expiresIn": NINETY_DAYS})

    def test_confirms_and_keeps_unknown_keys(
        self, exchange: Exchange, standin: StandinControl, code: str, secrets: Any
    ) -> None:
        old = {"accessToken": "old", "refreshToken": "old", "clientId": "old", "note": "keep me"}
        secrets.put_secret_value(SecretId="pair", SecretString=json.dumps(old))
        refused = exchange(code, "--store")
        assert (refused.code, refused.out) == (252, "")
        assert "already holds a token pair" in refused.err
        assert "--yes" in refused.err
        assert not spent(standin)
        assert exchange(code, "--store", "--yes").code == 0
        (grant,) = standin.grants()
        stored = held(secrets)
        assert (stored["note"], stored["accessToken"], stored["clientId"]) == ("keep me", grant.access_token, CLIENT_ID)

    @pytest.mark.parametrize(
        ("stage", "message"), [("none", "no stack RefreshToken-none"), ("bare", "no output SecretArn")]
    )
    def test_without_a_secret_spends_no_code(
        self, exchange: Exchange, standin: StandinControl, code: str, stage: str, message: str
    ) -> None:
        done = exchange(code, "--store", "--stage", stage)
        assert (done.code, message in done.err) == (253, True)
        assert not spent(standin)

    def test_with_a_deleted_secret_spends_no_code(
        self, exchange: Exchange, standin: StandinControl, code: str, secrets: Any
    ) -> None:
        secrets.delete_secret(SecretId="pair", ForceDeleteWithoutRecovery=True)
        done = exchange(code, "--store")
        assert (done.code, done.out) == (254, "")
        assert not spent(standin)
        forced = exchange(code, "--store", "--yes")
        assert (forced.code, forced.out) == (254, "")
        assert "when calling the PutSecretValue operation" in forced.err
        assert "Sign in again" in forced.err

    @pytest.mark.parametrize("answer", [{"accessToken": ""}, {"expiresIn": 0}])
    def test_a_senseless_pair_is_not_stored(
        self, exchange: Exchange, standin: StandinControl, code: str, secrets: Any, answer: dict[str, Any]
    ) -> None:
        standin.fail("ExchangeCodeForToken", answer=answer)
        done = exchange(code, "--store")
        assert (done.code, done.out, "Sign in again" in done.err) == (255, "", True)
        assert standin.grants()[0].refresh_token not in done.err
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            held(secrets)

    def test_a_pair_without_expiry_is_stored(
        self, exchange: Exchange, standin: StandinControl, code: str, secrets: Any
    ) -> None:
        body = json.dumps({"accessToken": "a", "refreshToken": "r"})
        standin.fail("ExchangeCodeForToken", status=200, body=body, content_type="application/json")
        done = exchange(code, "--store")
        assert (done.code, done.json["expiresIn"]) == (0, None)
        assert held(secrets)["refreshToken"] == "r"


def test_refresh_token_finds_the_stacks_function(
    tokenctl: Tokenctl, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", function.url)
    tokenctl("refresh-token", "--provider", "figma", "--refresh-token-body", "file:///dev/stdin", stdin="token=a")
    assert function.names == ["refresh"]
