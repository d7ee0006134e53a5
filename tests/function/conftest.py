"""The fixtures of the function's tests, among them an AWS environment that reaches no real account."""

import importlib
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.event_bus import BUS, EventBus
from tests.support.function_environment import (
    SERVICE,
    app_secret,
    aws,
    aws_environment,
    boto3_session,
    botocore_session,
    forget_clients,
    token_endpoint,
)
from tests.support.http_server import serving
from tests.support.moto_function import Lines, MotoFunction, deploy
from tests.support.token_server import TokenServer, token_server, ui_builder_issued

__all__ = ["app_secret", "aws", "aws_environment", "boto3_session", "botocore_session", "token_endpoint"]

settings.register_profile("refresh-token", deadline=None, derandomize=True)  # the same examples in every run
settings.load_profile("refresh-token")


@pytest.fixture
def ui_builder(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    """Return a server in place of Amplify UI Builder, which issues a token unless the test says otherwise."""
    with token_server() as server:
        server.answer(ui_builder_issued())
        monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", server.url)
        yield server


class CurrentStdout:
    """Where print() prints: pytest changes it from test to test, and a logger keeps the one that it first saw."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def current_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a logger that an earlier test has made print where this one looks."""
    for log_handler in logging.getLogger(SERVICE).handlers:
        assert isinstance(log_handler, logging.StreamHandler)
        monkeypatch.setattr(log_handler, "stream", CurrentStdout())


@pytest.fixture
def deployment(
    aws: None,  # noqa: ARG001 - moto must be there
    current_stdout: None,  # noqa: ARG001 - the function logs
    ui_builder: TokenServer,
    monkeypatch: pytest.MonkeyPatch,
) -> MotoFunction:
    deployed = deploy(ui_builder)
    deployed.handler = importlib.import_module("refresh_token.handler")
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    return deployed


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that returns what was printed since it was last called: JSON lines, and none with a token."""

    def read() -> list[dict[str, object]]:
        out, err = capsys.readouterr()
        assert "canary" not in out + err
        assert err == ""
        return [json.loads(line) for line in out.splitlines()]

    return read


@pytest.fixture
def fast_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventBus]:
    bus = EventBus()
    with serving(bus) as bus.url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bus.url)
        monkeypatch.setenv("EVENT_BUS", BUS)
        forget_clients()
        yield bus
