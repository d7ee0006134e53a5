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
from tests.tokenctl.conftest import Function, Tokenctl, served

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REDIRECT = "http://127.0.0.1:4000/done"
STACKS = {
    "RefreshToken-dev": {"SecretArn": "pair", "FunctionName": "refresh"},
    "RefreshToken-bare": {},
}
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


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with served(cloudformation) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield


@pytest.fixture
def code(standin: StandinControl) -> str:
    """A code that the user has just been given."""
    terms = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": "current_user:read", "state": "s"}
    form = {**terms, "response_type": "code", "decision": "allow"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = urllib3.request(
        "POST", f"{standin.url}/oauth", body=urlencode(form), headers=headers, redirect=False, retries=False
    )
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


@pytest.fixture
def secrets(stacks: None) -> Iterator[Any]:
    """Secrets Manager with the empty secret of the stack RefreshToken-dev."""
    assert stacks is None
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="pair")
        yield client
        client.close()


def exchange(code: str, standin: StandinControl) -> list[str]:
    request = f"code={code},redirectUri={REDIRECT},clientId={CLIENT_ID}"
    return [
        *("exchange-code-for-token", "--provider", "figma", "--request", request),
        *("--endpoint-url", standin.url),
    ]


def test_a_code_becomes_a_pair(tokenctl: Tokenctl, standin: StandinControl, code: str) -> None:
    done = tokenctl(*exchange(code, standin))
    (grant,) = standin.grants()
    pair = {"accessToken": grant.access_token, "expiresIn": NINETY_DAYS, "refreshToken": grant.refresh_token}
    assert (done.code, json.loads(done.stdout)) == (0, pair)


def test_a_refused_code_is_told_in_the_services_words_without_the_code(
    tokenctl: Tokenctl, standin: StandinControl
) -> None:
    standin.fail("ExchangeCodeForToken", status=400, code="InvalidParameterException", message="No: canary-code-1")
    done = tokenctl(*exchange("canary-code-1", standin), "--debug")
    assert done.code == 254
    assert done.stderr.endswith(
        "tokenctl: An error occurred (InvalidParameterException) when calling the ExchangeCodeForToken operation: "
        "No: ***.\n"
    )
    assert "canary" not in done.stderr


def test_store_puts_the_pair_into_the_stacks_secret_and_prints_no_token(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any
) -> None:
    done = tokenctl(*exchange(code, standin), "--store")
    (grant,) = standin.grants()
    stored = secrets.get_secret_value(SecretId="pair")
    assert json.loads(stored["SecretString"]) == {
        "provider": "figma",
        "accessToken": grant.access_token,
        "refreshToken": grant.refresh_token,
        "clientId": CLIENT_ID,
        "expiresIn": NINETY_DAYS,
    }
    assert done.code == 0
    shown = json.loads(done.stdout)
    assert shown == {
        "secretArn": STACKS["RefreshToken-dev"]["SecretArn"],
        "versionId": stored["VersionId"],
        "expiresIn": NINETY_DAYS,
    }


def test_store_asks_before_it_replaces_a_pair_and_keeps_the_keys_that_are_not_ours(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any
) -> None:
    old = {"accessToken": "old", "refreshToken": "old", "clientId": "old", "note": "keep me"}
    secrets.put_secret_value(SecretId="pair", SecretString=json.dumps(old))
    asked = tokenctl(*exchange(code, standin), "--store")
    assert (asked.code, asked.stdout) == (252, "")
    assert "holds a token pair already" in asked.stderr
    assert "--yes" in asked.stderr
    assert standin.calls("ExchangeCodeForToken") == []
    assert tokenctl(*exchange(code, standin), "--store", "--yes").code == 0
    stored = json.loads(secrets.get_secret_value(SecretId="pair")["SecretString"])
    (grant,) = standin.grants()
    assert (stored["note"], stored["accessToken"], stored["clientId"]) == ("keep me", grant.access_token, CLIENT_ID)


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize(("stage", "told"), [("none", "no stack RefreshToken-none"), ("bare", "no output SecretArn")])
def test_without_a_place_to_store_the_pair_the_code_is_not_spent(
    tokenctl: Tokenctl, standin: StandinControl, code: str, stage: str, told: str
) -> None:
    done = tokenctl(*exchange(code, standin), "--store", "--stage", stage)
    assert done.code == 253
    assert told in done.stderr
    assert standin.calls("ExchangeCodeForToken") == []


@pytest.mark.parametrize("answer", [{"accessToken": ""}, {"expiresIn": 0}])
def test_a_pair_that_makes_no_sense_is_not_stored(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any, answer: dict[str, Any]
) -> None:
    standin.fail("ExchangeCodeForToken", answer=answer)
    done = tokenctl(*exchange(code, standin), "--store")
    assert done.code == 255
    assert done.stdout == ""
    assert "Sign in again" in done.stderr
    assert standin.grants()[0].refresh_token not in done.stderr
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="pair")


def test_a_secret_that_is_missing_is_told_before_the_code_is_spent(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any
) -> None:
    secrets.delete_secret(SecretId="pair", ForceDeleteWithoutRecovery=True)
    done = tokenctl(*exchange(code, standin), "--store")
    assert (done.code, done.stdout) == (254, "")
    assert standin.calls("ExchangeCodeForToken") == []


def test_a_pair_that_the_secret_does_not_take_is_said_to_be_lost(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any
) -> None:
    secrets.delete_secret(SecretId="pair", ForceDeleteWithoutRecovery=True)
    done = tokenctl(*exchange(code, standin), "--store", "--yes")
    assert done.code == 254
    assert done.stdout == ""
    assert "when calling the PutSecretValue operation" in done.stderr
    assert "Sign in again" in done.stderr


@pytest.mark.usefixtures("stacks")
def test_the_function_is_found_from_the_stack(
    tokenctl: Tokenctl, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", function.url)
    tokenctl("refresh-token", "--provider", "figma", "--refresh-token-body", "file:///dev/stdin", stdin="token=a")
    assert function.names == ["refresh"]


@pytest.mark.parametrize("body", ["[]", "null", '{"accessToken": "a", "expiresIn": "canary", "refreshToken": "r"}'])
def test_an_answer_that_makes_no_sense_is_told_without_its_text(
    tokenctl: Tokenctl, standin: StandinControl, code: str, body: str
) -> None:
    standin.fail("ExchangeCodeForToken", status=200, body=body, content_type="application/json")
    done = tokenctl(*exchange(code, standin))
    assert (done.code, done.stdout) == (255, "")
    assert "tokenctl: Amplify UI Builder's answer makes no sense, and the code may be spent." in done.stderr
    assert "canary" not in done.stderr


def test_a_pair_without_an_expiry_is_stored(
    tokenctl: Tokenctl, standin: StandinControl, code: str, secrets: Any
) -> None:
    body = json.dumps({"accessToken": "a", "refreshToken": "r"})
    standin.fail("ExchangeCodeForToken", status=200, body=body, content_type="application/json")
    done = tokenctl(*exchange(code, standin), "--store")
    assert (done.code, json.loads(done.stdout)["expiresIn"]) == (0, None)
    assert json.loads(secrets.get_secret_value(SecretId="pair")["SecretString"])["refreshToken"] == "r"
