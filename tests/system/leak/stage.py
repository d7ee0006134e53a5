"""The handler in this process, between moto, an issuer that answers what a test says, and logs at their loudest."""

import importlib.util
import io
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

import refresh_token
from refresh_token.adapters.idempotency_lock import dynamodb_client
from refresh_token.adapters.secrets_manager import secrets_manager_client
from refresh_token.errors import RefreshTokenError
from tests.support.canaries import ACCESS, APP_ID, APP_SECRET, CLIENT, ISSUED, NOTE, REFRESH, Sights, texts_of
from tests.support.function_environment import ENVIRONMENT, UNSET, forget_clients
from tests.support.lambda_context import LambdaContext
from tests.support.lock_table import TABLE, create_lock_table
from tests.support.token_server import Reply, TokenServer, token_server, ui_builder_issued
from tests.support.windows import LEFT, WINDOW_VARIABLES

PACKAGE = Path(refresh_token.__file__).parent
LOUD = {
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_TRACE_DISABLED": "false",
    "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "true",
}
"""Every switch that makes the function say more, but for those that Powertools reads at import: `test_runtime.py`."""

SECONDS = 20.0
"""An invocation's time: enough for one attempt at the issuer and not for two, so that it never waits in between."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What surrounds an invocation: the issuer's replies, and the secret's content."""

    replies: tuple[Reply, ...] = (ui_builder_issued(accessToken=ISSUED),)
    secret: str | bytes | None = None
    """Content instead of the pair. Empty text means that the secret has no value."""
    issuer: str = "amplify"


@dataclass
class Played:
    sights: Sights
    answer: Any = None
    error: Exception | None = None
    asked: int = 0
    """Calls of the issuer."""

    @property
    def leaks(self) -> list[str]:
        return self.sights.leaks()


class Stage:
    def __init__(self, server: TokenServer, environment: pytest.MonkeyPatch) -> None:
        self.server, self._environment, self._out = server, environment, io.StringIO()
        self.root_handler = logging.StreamHandler(self._out)
        self.root_handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        service = f"leak-{uuid.uuid4()}"  # a new logger, which writes to the current stream
        environment.setenv("POWERTOOLS_SERVICE_NAME", service)
        with redirect_stdout(self._out):
            self.module = load_handler()
            # Made before our handler is on the root logger: Powertools would keep its own lines away from that.
            self.module.TELEMETRY._logger.debug("The stage is set")

    def play(
        self,
        event: object,
        setting: Setting = Setting(),
        *,
        window: str = "expired",
        handler: Callable[[object, Any], object] | None = None,
    ) -> Played:
        """Invoke our handler, or the given one; an event may be a function of the stored version."""
        handler = handler or self.module.lambda_handler
        version = self._prepare(setting, window)
        self.server.answer(*setting.replies)
        self.server.seen.clear()
        played, begun = Played(Sights()), time.monotonic()

        def seconds_left() -> float:
            return SECONDS - (time.monotonic() - begun)

        with self.captured():
            try:
                played.answer = handler(event(version) if callable(event) else event, LambdaContext(seconds_left))
            except Exception as error:  # noqa: BLE001 - the test checks whatever leaves the handler
                played.error = error
        played.asked = len(self.server.seen)
        self._look(played)
        return played

    def _prepare(self, setting: Setting, window: str) -> str:
        pair, left = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT, "note": NOTE}, LEFT[window]
        if left is not None:
            pair["expiresAt"] = (datetime.now(UTC) + left).isoformat()
        secret = self._create_secret("SECRET_ARN", json.dumps(pair) if setting.secret is None else setting.secret)
        if setting.issuer != "amplify":
            self._create_secret("APP_SECRET_ARN", json.dumps({"clientId": APP_ID, "clientSecret": APP_SECRET}))
        self._environment.setenv("ISSUER", setting.issuer)
        self.module._connection.cache_clear()
        dynamodb_client.cache_clear()  # Powertools hooks itself to the client each time that a lock is made
        return str(secret.get("VersionId", "none"))

    def _create_secret(self, variable: str, content: str | bytes | None) -> Any:
        value = {"SecretBinary": content} if isinstance(content, bytes) else {"SecretString": content}
        secret: Any = secrets_manager_client().create_secret(Name=str(uuid.uuid4()), **(value if content else {}))
        self._environment.setenv(variable, secret["ARN"])
        return secret

    @contextmanager
    def captured(self) -> Iterator[None]:
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self.root_handler)
        try:
            with redirect_stdout(self._out), redirect_stderr(self._out):
                yield
        finally:
            root.setLevel(level)
            root.removeHandler(self.root_handler)

    def _look(self, played: Played) -> None:
        sights = played.sights
        sights.add("output", self._out.getvalue())
        self._out.seek(0)
        self._out.truncate()
        if played.error:
            name = type(played.error).__name__
            sights.seen += [(f"error {name}", text) for text in texts_of(played.error)]
        if isinstance(played.answer, dict):
            # A consumer wants the access token; another test checks that a tick's report has no such key.
            sights.add("answer", json.dumps({**played.answer, "accessToken": None}))
        for item in dynamodb_client().scan(TableName=TABLE)["Items"]:
            sights.add("lock table", repr(item))
            dynamodb_client().delete_item(TableName=TABLE, Key={"id": item["id"]})


def load_handler() -> ModuleType:
    """Return the handler's module as a cold start makes it, apart from the one that other tests import."""
    spec = importlib.util.spec_from_file_location("handler_on_stage", PACKAGE / "handler.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def open_stage() -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as environment, token_server() as server, mock_aws():
        logging.getLogger("moto").setLevel(logging.INFO)  # no part of the function
        for name in UNSET:
            environment.delenv(name, raising=False)
        urls = ("AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", "FIGMA_BASE_URL", "OAUTH2_TOKEN_URL")
        settings = {"LOCK_TABLE": TABLE, **dict.fromkeys(urls, server.url), "ALLOW_HTTP_ISSUER": "true"}
        for name, value in {**ENVIRONMENT, **WINDOW_VARIABLES, **settings, **LOUD}.items():
            environment.setenv(name, value)
        forget_clients()
        create_lock_table(dynamodb_client())
        try:
            yield Stage(server, environment)
        finally:
            forget_clients()


def reason_of(played: Played) -> str | None:
    """Return the name of the error that ended an invocation, None where it was answered."""
    assert played.error is None or isinstance(played.error, RefreshTokenError), repr(played.error)
    return played.error.reason if played.error else None
