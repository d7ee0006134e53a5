"""A connection in a fleet of one test on the local AWS, as `LocalFunction` has a secret."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.cloud import LocalCloud
from local.standin.grants import Grant
from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.secret_format import parse_pair
from refresh_token.fleet import operator_writes
from refresh_token.fleet.record import Record
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from tests.support.fleet import NAME, FleetTable, create_fleet_table
from tests.support.lambda_emulator import Runtime, running
from tests.support.local_function import store_app
from tests.support.oauth2_server import Token
from tests.support.windows import FRESH, WINDOW_VARIABLES

CONSUMERS = "refresh_token.connections_handler.lambda_handler"


@dataclass
class LocalFleet:
    """A table, a key, and the environment of a fleet's functions for them."""

    cloud: LocalCloud
    asset: Path
    folder: Path
    name: str = field(default_factory=lambda: f"fleet-{uuid.uuid4()}")

    def __post_init__(self) -> None:
        self.table = FleetTable(self.cloud.client("dynamodb"), self.name)
        create_fleet_table(self.table.client, self.name)
        kms = self.cloud.client("kms")
        self.key = kms.create_key()["KeyMetadata"]["Arn"]
        self.seal = KmsSeal(self.key, lambda: kms, lambda: kms)

    def seed(self, grant: Grant | Token, *, expires_in: timedelta | None = FRESH, **more: object) -> str:
        """Store a connection as an operator does; return its version."""
        document = {"accessToken": grant.access_token, "refreshToken": grant.refresh_token, **more}
        now = datetime.now(UTC)
        if expires_in is not None:
            document["expiresAt"] = (now + expires_in).isoformat()
        pair, version = parse_pair(json.dumps(document), created=now), str(uuid.uuid4())
        sealed = self.seal.seal(NAME, pair.refresh_token)
        assert not isinstance(sealed, Fault)
        item = new_item(
            NAME,
            Successor(pair, StoredTokens(pair.access_token, sealed), version, now),
            due_at=int(now.timestamp()),
        )
        self.table.make("put_item", operator_writes.seed(item, over=True))
        return version

    @property
    def record(self) -> Record:
        return self.table.record()

    def current(self) -> tuple[str, dict[str, Any]]:
        record = self.record
        refresh = self.seal.open(NAME, record.refresh or ())
        assert isinstance(refresh, str)
        assert isinstance(record.access, str)
        return record.version, json.loads(record.document(record.access, refresh))

    def leave_pending(self) -> None:
        """Do nothing: an item keeps nothing of an earlier refresh."""

    def claim_ends_at(self) -> float | None:
        """Return when the claim ends, in epoch seconds; None if there is none."""
        return self.record.claim_until

    def app_secret(self, client_id: str, client_secret: str) -> dict[str, str]:
        """Store an app's credentials; return the variable that names them."""
        return store_app(self.cloud, f"{self.name}-app", client_id, client_secret)

    @contextmanager
    def runtime(self, **environment: str) -> Iterator[Runtime]:
        """Run the consumers' function; an issuer's variables among those given are its provider's."""
        variables = {**self.environment({"ISSUER": "amplify", **environment}), **environment}
        log = self.folder / f"rie-{uuid.uuid4()}.log"
        with running(self.asset, variables, log, handler=CONSUMERS) as runtime:
            yield runtime

    def due_message(self) -> dict[str, Any]:
        """Return the batch that a worker gets while the connection is due."""
        body = json.dumps({"connection": NAME, "dueAt": self.record.due_at})
        return {"Records": [{"messageId": "1", "body": body}]}

    def environment(self, issuer: Mapping[str, str]) -> dict[str, str]:
        """Return the functions' variables for a provider with these variables."""
        return {
            **self.cloud.exports,
            "CONNECTIONS_TABLE": self.name,
            "CONNECTIONS_KEY": self.key,
            "PROVIDERS": json.dumps({"figma": dict(issuer)}),
            "POWERTOOLS_SERVICE_NAME": "RefreshToken-test",
            **WINDOW_VARIABLES,
        }
