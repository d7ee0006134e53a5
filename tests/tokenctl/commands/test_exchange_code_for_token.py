"""`tokenctl exchange-code-for-token`, and `--store`, which keeps the pair."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from moto import mock_aws

from local.standin import CLIENT_ID, NINETY_DAYS, StandinControl
from tests.support.aws_endpoints import NO_STACK, Function, described_stack
from tests.support.command_line import Done, Tokenctl
from tests.support.consent import allowed, asked
from tests.support.http_server import answering

REDIRECT = "http://127.0.0.1:4000/done"
OUTPUTS = {"SecretArn": "pair", "FunctionName": "refresh"}


@pytest.fixture(autouse=True)
def stack(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let CloudFormation know the stack; moto's needs packages that nothing else here does."""
    status, body = getattr(request, "param", (200, described_stack("CREATE_COMPLETE", OUTPUTS)))
    with answering(status, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield


@dataclass(frozen=True)
class Exchange:
    """The command, a code that the user has just allowed, and Secrets Manager with the stack's empty secret."""

    tokenctl: Tokenctl
    standin: StandinControl
    code: str
    secrets: Any

    def __call__(self, *options: str, code: str = "") -> Done:
        request = f"code={code or self.code},redirectUri={REDIRECT},clientId={CLIENT_ID}"
        words = ("exchange-code-for-token", "--provider", "figma", "--request", request)
        return self.tokenctl(*words, "--endpoint-url", self.standin.url, *options)

    def will_answer(self, body: str) -> None:
        self.standin.fail("ExchangeCodeForToken", status=200, body=body, content_type="application/json")

    def put(self, document: dict[str, str]) -> None:
        self.secrets.put_secret_value(SecretId="pair", SecretString=json.dumps(document))

    def held(self) -> Any:
        return json.loads(self.secrets.get_secret_value(SecretId="pair")["SecretString"])

    @property
    def spent(self) -> bool:
        return bool(self.standin.calls("ExchangeCodeForToken"))


@pytest.fixture
def exchange(tokenctl: Tokenctl, standin: StandinControl) -> Iterator[Exchange]:
    request = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": "current_user:read", "state": "s"}
    redirect = allowed(f"{standin.url}/oauth?{urlencode({**request, 'response_type': 'code'})}")
    code = asked(redirect)["code"]
    with mock_aws():
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="pair")
        yield Exchange(tokenctl, standin, code, secrets)
        secrets.close()


class TestWithoutStore:
    def test_prints_the_pair(self, exchange: Exchange) -> None:
        done = exchange()
        (grant,) = exchange.standin.grants()
        pair = {"accessToken": grant.access_token, "expiresIn": NINETY_DAYS, "refreshToken": grant.refresh_token}
        assert (done.code, done.json) == (0, pair)

    def test_a_refusal_does_not_show_the_code(self, exchange: Exchange) -> None:
        error = {"status": 400, "code": "InvalidParameterException", "message": "No: canary-code-1"}
        exchange.standin.fail("ExchangeCodeForToken", **error)  # type: ignore[arg-type]
        done = exchange("--debug", code="canary-code-1")
        assert done.code == 254
        assert "(InvalidParameterException) when calling the ExchangeCodeForToken operation: No: ***.\n" in done.err
        assert "canary" not in done.err

    @pytest.mark.parametrize(
        "body",
        [
            "[]",
            "null",
            '{"accessToken": "a", "expiresIn": "canary", "refreshToken": "r"}',
            "{}",
            '{"accessToken": "canary"}',
        ],
    )
    def test_a_senseless_answer_is_not_shown(self, exchange: Exchange, body: str) -> None:
        exchange.will_answer(body)
        done = exchange()
        assert (done.code, done.out) == (255, "")
        assert "tokenctl: Amplify UI Builder's answer makes no sense, and the code may be spent." in done.err
        assert "canary" not in done.err


class TestStore:
    def test_prints_the_version_but_no_token(self, exchange: Exchange) -> None:
        done = exchange("--store")
        (grant,) = exchange.standin.grants()
        version = exchange.secrets.get_secret_value(SecretId="pair")["VersionId"]
        held = exchange.held()
        assert held.pop("grantedAt")
        assert held == {
            "issuedBy": {"issuer": "amplify", "host": "amplifyuibuilder"},
            "provider": "figma",
            "accessToken": grant.access_token,
            "refreshToken": grant.refresh_token,
            "clientId": CLIENT_ID,
            "expiresIn": NINETY_DAYS,
        }
        assert (done.code, done.json) == (0, {"secretArn": "pair", "versionId": version, "expiresIn": NINETY_DAYS})

    def test_confirms_and_keeps_unknown_keys(self, exchange: Exchange) -> None:
        exchange.put({"accessToken": "old", "refreshToken": "old", "clientId": "old", "note": "keep me"})
        refused = exchange("--store")
        assert (refused.code, refused.out, exchange.spent) == (252, "", False)
        assert "already holds a token pair" in refused.err
        assert exchange("--store", "--yes").code == 0
        stored, token = exchange.held(), exchange.standin.live_access_token
        assert (stored["note"], stored["accessToken"], stored["clientId"]) == ("keep me", token, CLIENT_ID)

    @pytest.mark.parametrize(
        ("stack", "message"),
        [
            ((400, NO_STACK), "no stack RefreshToken-dev"),
            ((200, described_stack("CREATE_COMPLETE")), "no output SecretArn"),
        ],
        indirect=["stack"],
        ids=["no stack", "no secret"],
    )
    def test_without_a_secret_spends_no_code(self, exchange: Exchange, message: str) -> None:
        done = exchange("--store")
        assert (done.code, message in done.err, exchange.spent) == (253, True, False)

    def test_with_a_deleted_secret_spends_no_code(self, exchange: Exchange) -> None:
        exchange.secrets.delete_secret(SecretId="pair", ForceDeleteWithoutRecovery=True)
        done = exchange("--store")
        assert (done.code, done.out, exchange.spent) == (254, "", False)
        forced = exchange("--store", "--yes")
        assert (forced.code, forced.out) == (254, "")
        assert "when calling the PutSecretValue operation" in forced.err
        assert "Sign in again" in forced.err

    @pytest.mark.parametrize("answer", [{"accessToken": ""}, {"expiresIn": 0}])
    def test_a_senseless_pair_is_not_stored(self, exchange: Exchange, answer: dict[str, Any]) -> None:
        exchange.standin.fail("ExchangeCodeForToken", answer=answer)
        done = exchange("--store")
        assert (done.code, done.out, "Sign in again" in done.err) == (255, "", True)
        assert exchange.standin.grants()[0].refresh_token not in done.err
        with pytest.raises(exchange.secrets.exceptions.ResourceNotFoundException):
            exchange.held()

    def test_a_pair_without_expiry_is_stored(self, exchange: Exchange) -> None:
        exchange.will_answer(json.dumps({"accessToken": "a", "refreshToken": "r"}))
        done = exchange("--store")
        assert (done.code, done.json["expiresIn"], exchange.held()["refreshToken"]) == (0, None, "r")


def test_the_stacks_function_is_found(tokenctl: Tokenctl, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", function.url)
    tokenctl("refresh-token", "--provider", "figma", "--refresh-token-body", "file:///dev/stdin", stdin="token=a")
    assert function.names == ["refresh"]
