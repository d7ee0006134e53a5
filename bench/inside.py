"""Measures in a process like Lambda's, which can import nothing but the built asset.

Run it as `python -I -S inside.py ASSET WHAT COUNT FILE`. Each turn times our handler and the bare AWS calls. FILE
receives the milliseconds of wall-clock and CPU time as JSON.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TICK = {"source": "aws.scheduler", "id": "bench", "detail-type": "Scheduled Event", "detail": {}}
WARM_UPS = 20


class Context:
    """The part of Lambda's context that the function uses."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return 60_000


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of wall-clock and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def answer(count: int) -> dict[str, list[float]]:
    """Compare an answer to a consumer with the bare read of the secret."""
    from refresh_token.adapters.secrets_manager import secrets_manager_client  # noqa: PLC0415 - it is in the asset
    from refresh_token.handler import lambda_handler  # noqa: PLC0415

    client, secret = secrets_manager_client(), os.environ["SECRET_ARN"]
    return alternate(
        count,
        ours=lambda: lambda_handler({}, Context()),
        bare=lambda: client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT"),
    )


def refresh(count: int) -> dict[str, list[float]]:
    """Compare a tick that refreshes with the bare calls that it makes."""
    from refresh_token.adapters.idempotency_lock import dynamodb_client  # noqa: PLC0415 - as above
    from refresh_token.adapters.secrets_manager import (  # noqa: PLC0415
        secrets_manager_client,
        secrets_manager_writer,
    )
    from refresh_token.handler import lambda_handler  # noqa: PLC0415
    from refresh_token.issuers.ui_builder import _attempts_within, _client  # noqa: PLC0415

    secrets, locks, issuer = secrets_manager_client(), dynamodb_client(), _client(*_attempts_within(55))
    writer = secrets_manager_writer()
    secret, table = os.environ["SECRET_ARN"], os.environ["LOCK_TABLE"]

    def due() -> None:
        value = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
        value["expiresAt"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        value.pop("refreshedAt", None)  # a tick leaves a token that lives for minutes to consumers
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(value))

    def bare() -> None:
        secrets.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
        key, new = f"bench#{uuid.uuid4()}", str(uuid.uuid4())
        locks.put_item(
            TableName=table,
            Item={"id": {"S": key}, "status": {"S": "INPROGRESS"}, "expiration": {"N": "1"}},
            ConditionExpression="attribute_not_exists(#id)",
            ExpressionAttributeNames={"#id": "id"},
        )
        stored = secrets.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
        token = json.loads(stored["SecretString"])["refreshToken"]
        issuer.refresh_token(provider="figma", refreshTokenBody={"token": token})
        text, old = stored["SecretString"], stored["VersionId"]
        writer.put_secret_value(
            SecretId=secret, ClientRequestToken=new, SecretString=text, VersionStages=["AWSPENDING"]
        )
        writer.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=new, RemoveFromVersionId=old
        )
        locks.update_item(
            TableName=table,
            Key={"id": {"S": key}},
            UpdateExpression="SET #status = :done",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":done": {"S": "COMPLETED"}},
        )

    def tick() -> None:
        report: Any = lambda_handler(TICK, Context())
        if report["outcome"] != "refreshed":
            raise RuntimeError(f"The tick did not refresh: {report}")

    return alternate(count, ours=tick, bare=bare, before=due)


def alternate(
    count: int, *, ours: Callable[[], object], bare: Callable[[], object], before: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Time both in turn, with a different one first each time. The first turns do not count."""
    found: dict[str, list[float]] = {"ours": [], "ours_cpu": [], "bare": [], "bare_cpu": []}
    for turn in range(count + WARM_UPS):
        pair = [("ours", ours), ("bare", bare)]
        for name, call in pair if turn % 2 else reversed(pair):
            before()
            wall, cpu = timed(call)
            if turn >= WARM_UPS:
                found[name].append(wall)
                found[f"{name}_cpu"].append(cpu)
    return found


def main(asset: str, what: str, count: int, file: str) -> None:
    """Measure, and write the result to the file."""
    sys.path.insert(0, asset)
    Path(file).write_text(json.dumps({"answer": answer, "refresh": refresh}[what](count)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
