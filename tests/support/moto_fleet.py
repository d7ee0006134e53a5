"""A fleet's function for consumers in this process, over moto and a provider's token endpoint."""

import importlib
import json
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from refresh_token import errors
from refresh_token.core.token_pair import TokenPair
from refresh_token.fleet import operator_writes
from refresh_token.fleet.messages import Work
from refresh_token.fleet.record import Record
from refresh_token.fleet.states import State
from refresh_token.fleet.writes import MAX_OPEN_CLAIMS
from tests.support.fleet import NAME, FleetStage
from tests.support.function_environment import AppSecret
from tests.support.lambda_context import LambdaContext
from tests.support.token_server import Reply, TokenServer, issued, oauth_error
from tests.support.windows import LEFT, WINDOW_VARIABLES

LIFE = timedelta(days=90)
OLD = "canary-access"
DOWN, REFUSES = Reply(503), oauth_error(400, "invalid_grant")


@dataclass
class MotoFleet:
    """``calls`` are those of AWS, by operation, since the last seed."""

    stage: FleetStage
    server: TokenServer
    app: AppSecret
    handler: ModuleType | None = None
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def environment(self) -> dict[str, str]:
        row = {"ISSUER": "oauth2", "OAUTH2_TOKEN_URL": f"{self.server.url}/token", "APP_SECRET_ARN": self.app.arn}
        return {
            "CONNECTIONS_TABLE": self.stage.table.name,
            "CONNECTIONS_KEY": self.stage.key,
            "PROVIDERS": json.dumps({"oauth2": {**row, "ALLOW_HTTP_ISSUER": "true"}}),
            **WINDOW_VARIABLES,
        }

    def seed(self, window: str = "fresh", name: str = NAME, **facts: Any) -> Record:
        """Store a connection whose token is in a window. It was issued some time ago."""
        now, left = datetime.now(UTC), LEFT[window]
        self.stage.clock.time = now
        usual: dict[str, Any] = {"provider": "oauth2", "access_token": OLD, "refresh_token": f"canary-{name}"}
        if left is not None:
            usual |= {"expires_at": now + left, "refreshed_at": now + left - LIFE}
        record = self.stage.seed(name, TokenPair(**{**usual, **facts}), due_at=int(now.timestamp()) + 900)
        self.calls.clear()
        return record

    def ask(self, name: str = NAME, **more: object) -> dict[str, Any]:
        return self.invoke({"connection": name, **more})

    def invoke(self, event: object) -> dict[str, Any]:
        """Invoke the function as Lambda does: event and answer pass through JSON."""
        assert self.handler
        answer = self.handler.lambda_handler(json.loads(json.dumps(event)), LambdaContext())
        read: dict[str, Any] = json.loads(json.dumps(answer))
        return read

    def work(self, name: str = NAME) -> None:
        """Let the worker look at a connection, as when it is due."""
        due_at = self.stage.table.record(name).due_at
        assert due_at
        worker = importlib.import_module("refresh_token.worker_handler")
        records = [{"messageId": "1", "body": Work(name, due_at).to_body()}]
        assert worker.lambda_handler({"Records": records}, LambdaContext()) == {"batchItemFailures": []}

    def refused(self, error: type[errors.RefreshTokenError], name: str = NAME, **more: object) -> str:
        """Ask in vain; return the message, which shows no token, nor does the error's chain."""
        with pytest.raises(errors.RefreshTokenError) as caught:
            self.ask(name, **more)
        assert type(caught.value) is error
        assert "canary" not in "".join(traceback.format_exception(caught.value))
        return str(caught.value)

    def force_state(self, state: State) -> None:
        """Bring the connection into a state as operators and failures do."""
        table, seen = self.stage.table, self.stage.table.record(NAME)
        match state:
            case State.PAUSED:
                table.make("update_item", operator_writes.pause(seen))
            case State.REVOKED:
                table.make("update_item", operator_writes.revoke(seen, version="V9", now=datetime.now(UTC)))
            case State.MALFORMED:
                table.change(NAME, expiresAt={"S": "soon"})
            case State.STUCK:
                now = datetime.now(UTC).timestamp()
                claims = {"openClaims": {"N": str(MAX_OPEN_CLAIMS)}, "claimUntil": {"N": str(now - 1)}}
                table.change(NAME, claimId={"S": "gone"}, **claims)
                self.refused(errors.ConnectionPausedException, failedVersionId=seen.version)
            case _:
                self.server.answer(REFUSES if state is State.REFUSED else DOWN)
                with pytest.raises(errors.RefreshTokenError):
                    self.ask(failedVersionId=seen.version)
        self.server.answer(issued())
        self.server.seen.clear()
