"""Consumers of the deployed stack: the demo's, which has the layer, and those of docs/consumers.md."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from local.deployment import Deployment
from tests.support.consumers_page import Block, blocks
from tests.support.deployed_stack import refreshes
from tests.support.in_this_process import call_with
from tests.support.played_demo import PlayedDemo
from tests.support.windows import EXPIRED, FRESH
from token_client import TokenClient
from token_client.errors import FunctionMissingException, ReauthorizationRequiredException, SecretNotSeededException

pytestmark = pytest.mark.xdist_group("stack")

AT_ONCE = 10


@pytest.fixture
def as_consumer(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    call_with(monkeypatch, stack.cloud.exports | {"FUNCTION_NAME": stack.outputs["FunctionAliasArn"]})
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return stack


def at_once(played: PlayedDemo) -> list[dict[str, Any]]:
    """Invoke the consumer `AT_ONCE` times at once; return the answers."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        invoked = [pool.submit(played.deployment.invoke, {}, function_name=played.consumer) for _ in range(AT_ONCE)]
        return [future.result().payload for future in invoked]


def test_ten_consumers_recover_with_one_call(played: PlayedDemo, stack: Deployment) -> None:
    seeded = stack.seed(stack.cloud.standin.grant(), expires_in=FRESH)
    assert {(answer["status"], answer["versionId"]) for answer in at_once(played)} == {(200, seeded)}
    stack.cloud.standin.kill()
    stack.cloud.standin.fail("RefreshToken", delay=0.5, times=None)
    answers = at_once(played)
    assert {answer.get("status") for answer in answers} == {200}
    assert {answer["versionId"] for answer in answers} == {stack.current()[0]}
    assert stack.current()[0] != seeded
    assert refreshes(stack) == 1
    assert len({answer["process"] for answer in answers}) > AT_ONCE / 2, "they ran at the same time"


HANDLERS = [block for block in blocks() if block.is_handler]


@pytest.mark.parametrize("block", HANDLERS, ids=[f"{index} {block.heading}" for index, block in enumerate(HANDLERS)])
def test_a_handler_of_the_page_survives_token_death(as_consumer: Deployment, block: Block) -> None:
    as_consumer.seed(as_consumer.cloud.standin.grant(user="ada@example.com"), expires_in=FRESH)
    code = block.code.replace("https://api.figma.com", as_consumer.cloud.standin.url)
    names: dict[str, Any] = {}
    exec(compile(code, f"consumers.md, {block.heading}", "exec"), names)  # noqa: S102 - our own page
    expected = "ready" if block.heading == "Errors" else "ada"
    assert names["lambda_handler"]({}, None) == expected
    as_consumer.cloud.standin.kill(user="ada@example.com")
    assert names["lambda_handler"]({}, None) == expected
    assert refreshes(as_consumer) == (0 if block.heading == "Errors" else 1)


def test_deployed_functions_errors_have_their_class(as_consumer: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets, secret = as_consumer.cloud.client("secretsmanager"), as_consumer.outputs["SecretArn"]
    secrets.put_secret_value(SecretId=secret, SecretString="{}")
    with pytest.raises(SecretNotSeededException, match="tokenctl"):
        TokenClient().get_token()
    as_consumer.seed(as_consumer.cloud.standin.grant(), expires_in=EXPIRED)
    as_consumer.cloud.standin.revoke()
    for _ in range(2):  # the second is answered from the cooldown
        with pytest.raises(ReauthorizationRequiredException, match="sign in"):
            TokenClient().get_token()
    with pytest.raises(FunctionMissingException):
        TokenClient("nobody").get_token()
    monkeypatch.delenv("FUNCTION_NAME")
    as_consumer.seed(as_consumer.cloud.standin.grant(), expires_in=FRESH)
    token = TokenClient.from_parameter("/RefreshToken/local/function-arn").get_token()
    assert as_consumer.cloud.standin.accepts(token.access_token)
