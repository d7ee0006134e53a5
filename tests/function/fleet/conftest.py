"""The fleet of the function's tests."""

import importlib
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from tests.support.fleet import fleet_stage
from tests.support.function_environment import AppSecret, forget_clients
from tests.support.moto_fleet import MotoFleet
from tests.support.token_server import TokenServer, issued


@pytest.fixture
def fleet(
    app_secret: AppSecret,
    current_stdout: None,  # noqa: ARG001 - the function logs
    token_endpoint: TokenServer,
    monkeypatch: pytest.MonkeyPatch,
    botocore_session: botocore.session.Session,
) -> Iterator[MotoFleet]:
    token_endpoint.answer(issued())
    fleet = MotoFleet(fleet_stage(), token_endpoint, app_secret)
    for name, value in fleet.environment.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    events = botocore_session.get_component("event_emitter")

    def note(model: Any, **_: object) -> None:
        fleet.calls[model.name] += 1

    events.register("before-call", note)
    fleet.handler = importlib.import_module("refresh_token.connections_handler")
    yield fleet
    events.unregister("before-call", note)
