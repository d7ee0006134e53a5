"""The dispatcher and the worker of a fleet under Lambda's own runtime, to be killed at any call."""

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from local.cloud import LocalCloud
from local.standin.grants import CLIENT_ID, CLIENT_SECRET, Grant
from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.token_pair import TokenPair
from refresh_token.fleet import operator_writes
from refresh_token.fleet.messages import Work
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from tests.support.fault_proxy import FaultProxy, Strike, fault_proxy
from tests.support.fleet import FleetTable, create_fleet_table
from tests.support.lambda_emulator import Runtime, running
from tests.support.windows import WINDOW_VARIABLES

PROVIDER = "oauth2"
HANDLER = "refresh_token.{}_handler.lambda_handler"


@dataclass(frozen=True)
class KilledFleet:
    """A table, a key, a queue, and both functions, whose calls go through the proxy."""

    cloud: LocalCloud
    proxy: FaultProxy
    table: FleetTable
    key_arn: str
    queue_url: str
    dispatcher: Runtime
    worker: Runtime

    def connect(self, name: str, grant: Grant) -> None:
        """Store a connection that is due."""
        kms, now = self.cloud.client("kms"), datetime.now(UTC)
        sealed = KmsSeal(self.key_arn, lambda: kms, lambda: kms).seal(name, grant.refresh_token)
        assert not isinstance(sealed, Fault)
        pair = TokenPair(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            provider=PROVIDER,
            expires_at=now + timedelta(hours=1),
            refreshed_at=now - timedelta(days=89),
        )
        new = Successor(pair, StoredTokens(pair.access_token, sealed), str(uuid.uuid4()), now - timedelta(days=89))
        item = new_item(name, new, due_at=int(now.timestamp()) - 1)
        self.table.make("put_item", operator_writes.seed(item, over=True))

    def tick(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.dispatcher.invoke({"source": "aws.scheduler"})
        assert answer.get("outcome") == "dispatched", answer
        return answer

    def deliver(self, body: str) -> None:
        assert self.worker.invoke(batch(body)) == {"batchItemFailures": []}

    def messages(self) -> list[str]:
        """Return what is in the queue, which is empty then."""
        found: list[str] = []
        sqs = self.cloud.client("sqs")
        while got := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", []):
            found += [message["Body"] for message in got]
            for message in got:
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def work(self, name: str) -> str:
        """Return the message of a connection as the dispatcher would send it now."""
        due_at = self.table.record(name).due_at
        assert due_at
        return Work(name, due_at).to_body()

    def let_time_pass(self, name: str) -> None:
        """Move the lease and the claim of a connection into the past."""
        past = {"N": str(int(datetime.now(UTC).timestamp()) - 1)}
        record = self.table.record(name)
        changes = {"dueAt": record.due_at, "claimUntil": record.claim_until}
        self.table.change(name, **{key: past for key, time in changes.items() if time is not None})

    def kill(
        self, runtime: Runtime, event: object, held: tuple[str, int], *, answered: bool, down: bool = False
    ) -> None:
        """Kill a function when it makes a call, or when the call is answered. The service has done it then.

        ``down``: until then, the provider fails.
        """
        self.proxy.forget()
        if down:
            self.proxy.strike("RefreshToken", Strike(status=503))
        hold = self.proxy.hold(*held, answered=answered)
        with ThreadPoolExecutor(1) as pool:
            killed = pool.submit(runtime.invoke, event)
            hold.wait()
            runtime.kill()
            with pytest.raises(HTTPError, match="502") as crash:
                killed.result()
            crash.value.close()
            hold.drop()
        self.proxy.forget()


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": str(place), "body": body} for place, body in enumerate(bodies)]}


@contextmanager
def killed_fleet(cloud: LocalCloud, asset: Path, folder: Path) -> Iterator[KilledFleet]:
    name = f"fleet-{uuid.uuid4()}"
    table = FleetTable(cloud.client("dynamodb"), name)
    create_fleet_table(table.client, name)
    key_arn = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    queue_url = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    credentials = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
    secret = cloud.client("secretsmanager").create_secret(Name=name, SecretString=credentials)["ARN"]
    with ExitStack() as stack:
        proxy = stack.enter_context(fault_proxy(cloud))
        row = {
            "ISSUER": PROVIDER,
            "APP_SECRET_ARN": secret,
            "OAUTH2_TOKEN_URL": f"{proxy.url}/v1/oauth/refresh",
            "ALLOW_HTTP_ISSUER": "true",
        }
        variables = {
            **cloud.exports,
            **proxy.environment,
            **WINDOW_VARIABLES,
            "CONNECTIONS_TABLE": name,
            "CONNECTIONS_KEY": key_arn,
            "CONNECTIONS_QUEUE_URL": queue_url,
            "PROVIDERS": json.dumps({PROVIDER: row}),
            "POWERTOOLS_SERVICE_NAME": "RefreshToken-test-connections",
        }
        runtimes = [
            stack.enter_context(running(asset, variables, folder / f"{part}.log", handler=HANDLER.format(part)))
            for part in ("dispatcher", "worker")
        ]
        yield KilledFleet(cloud, proxy, table, key_arn, queue_url, *runtimes)
