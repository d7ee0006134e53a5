"""The refresh lock's races and its table's records. The fault matrix in tests/system has the errors of its calls."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from refresh_token.adapters.idempotency_lock import (
    KEEP_CLAIM,
    KEEP_DONE,
    KEEP_FAILURE,
    IdempotencyLock,
)
from refresh_token.core.claims import Failure, Held, HeldClaim
from refresh_token.errors import ConfigurationException
from tests.support.lock_table import TABLE, create_lock_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient as Client

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pair-AbCdEf"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
FAILURE = Failure("ReauthorizationRequiredException", NOW + timedelta(minutes=15))


@pytest.fixture
def client() -> "Client":
    return boto3.client("dynamodb")


@pytest.fixture
def lock(client: "Client") -> IdempotencyLock:
    return IdempotencyLock(TABLE, ARN, client)


@pytest.fixture
def stub(client: "Client") -> Iterator[Stubber]:
    """DynamoDB by script: the test says what comes next, and fails if it did not."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def table(aws: None) -> None:  # noqa: ARG001 - moto must be there
    create_lock_table(boto3.client("dynamodb"))


def items() -> list[dict[str, Any]]:
    return boto3.client("dynamodb").scan(TableName=TABLE)["Items"]


UNREADABLE = ["no json", "[]", '"text"', "7", '{"failure": 7}', '{"failure": {}}', '{"failure": {"reason": "x"}}']
UNREADABLE += ['{"failure": {"reason": "x", "retryAt": "soon"}}', '{"failure": {"reason": "x", "retryAt": 1e300}}']


def claim(lock: IdempotencyLock, *, ignore_cooldown: bool = False) -> object:
    return lock.claim("v1", seconds=60.0, now=NOW, ignore_cooldown=ignore_cooldown)


def change(expression: str, field: str, value: dict[str, str] | None = None) -> None:
    (item,) = items()
    extra: Any = {"ExpressionAttributeValues": {":value": value}} if value else {}
    boto3.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"id": item["id"]},
        UpdateExpression=expression,
        ExpressionAttributeNames={"#field": field},
        **extra,
    )


CALLS: dict[str, Callable[[IdempotencyLock], object]] = {
    "claim": claim,
    "failure": lambda lock: lock.failure("v1", now=NOW),
    "done": lambda lock: lock.record_success("v1"),
    "failed": lambda lock: lock.record_failure("v1", FAILURE),
}


def test_a_vanished_record_counts_as_held(stub: Stubber, lock: IdempotencyLock) -> None:
    stub.add_client_error("put_item", "ConditionalCheckFailedException")  # without the old item
    assert claim(lock) == Held()


@pytest.mark.usefixtures("table")
class TestRace:
    """Two that ignore the cooldown clear the same failure; ``overtake`` happens before our delete."""

    @pytest.fixture
    def rival(self) -> IdempotencyLock:
        return IdempotencyLock(TABLE, ARN, boto3.client("dynamodb"))

    def overtaken(self, client: "Client", lock: IdempotencyLock, overtake: Callable[[], None]) -> object:
        claim(lock)
        lock.record_failure("v1", FAILURE)
        client.meta.events.register("before-call.dynamodb.DeleteItem", lambda **_: overtake())
        return claim(lock, ignore_cooldown=True)

    def test_takes_nothing_claimed(self, client: "Client", lock: IdempotencyLock, rival: IdempotencyLock) -> None:
        outcomes: list[object] = []

        def overtake() -> None:
            if not outcomes:
                outcomes.append(claim(rival, ignore_cooldown=True))

        assert self.overtaken(client, lock, overtake) == Held()
        assert outcomes == [HeldClaim("v1", rival, FAILURE)]
        assert [item["status"] for item in items()] == [{"S": "INPROGRESS"}]

    def test_learns_of_a_newer_failure(self, client: "Client", lock: IdempotencyLock, rival: IdempotencyLock) -> None:
        newer = Failure("IssuerUnavailableException", NOW + timedelta(minutes=1))
        attempts: list[object] = []

        def overtake() -> None:
            if not attempts:
                attempts.append(claim(rival, ignore_cooldown=True))
                rival.record_failure("v1", newer)

        assert self.overtaken(client, lock, overtake) == HeldClaim("v1", lock, newer)

    def test_lost_again_and_again_ends(self, client: "Client", lock: IdempotencyLock, rival: IdempotencyLock) -> None:
        times = iter(range(100))

        def overtake() -> None:
            assert isinstance(claim(rival, ignore_cooldown=True), HeldClaim)
            rival.record_failure("v1", Failure("IssuerUnavailableException", NOW + timedelta(seconds=next(times))))

        assert self.overtaken(client, lock, overtake) == Held()
        assert 1 < next(times) < 10


FAILED = {"reason": FAILURE.reason, "retryAt": FAILURE.retry_at.timestamp(), "refused": False, "lost": False}
CLOSED: dict[str, tuple[Callable[[IdempotencyLock], object], object, int]] = {
    "open": (lambda _: None, None, KEEP_CLAIM),
    "done": (CALLS["done"], {"done": True}, KEEP_DONE),
    "failed": (CALLS["failed"], {"failure": FAILED}, KEEP_FAILURE),
}


@pytest.mark.usefixtures("table")
class TestRecord:
    @pytest.mark.parametrize(("close", "data", "kept"), CLOSED.values(), ids=CLOSED)
    def test_holds_the_outcome_and_its_end(
        self, close: Callable[[IdempotencyLock], object], data: object, kept: int, lock: IdempotencyLock
    ) -> None:
        before = int(time.time())
        claim(lock)
        close(lock)
        (item,) = items()
        fields = {"expiration", "id", "in_progress_expiration", "status"} | ({"data"} if data else set())
        assert set(item) == fields
        assert item["id"]["S"].startswith("refresh#")
        assert ARN not in json.dumps(item)
        assert before + kept <= int(item["expiration"]["N"]) <= time.time() + kept
        assert item["status"] == {"S": "COMPLETED" if data else "INPROGRESS"}
        assert not data or json.loads(item["data"]["S"]) == data

    def test_of_another_secret_is_another(self, client: "Client", lock: IdempotencyLock) -> None:
        claim(lock)
        assert isinstance(claim(IdempotencyLock(TABLE, f"{ARN}-other", client)), HeldClaim)
        assert len(items()) == 2

    @pytest.mark.parametrize("failure", [None, replace(FAILURE, lost=True)], ids=["done", "lost"])
    def test_past_its_end_counts_as_absent(self, failure: Failure | None, lock: IdempotencyLock) -> None:
        """DynamoDB may take days to delete it."""
        claim(lock)
        if failure:
            lock.record_failure("v1", failure)
            assert lock.failure("v1", now=NOW) == failure
        else:
            lock.record_success("v1")
        change("SET #field = :value", "expiration", {"N": str(int(time.time()) - 1)})
        assert lock.failure("v1", now=NOW) is None
        assert claim(lock) == HeldClaim("v1", lock)

    @pytest.mark.parametrize("data", UNREADABLE)
    def test_that_is_unreadable_blocks_nobody(self, data: str, lock: IdempotencyLock) -> None:
        lock.record_success("v1")
        change("SET #field = :value", "data", {"S": data})
        failure = lock.failure("v1", now=NOW)
        assert failure
        assert (failure.refused, failure.lost) == (False, False)
        assert isinstance(claim(lock), HeldClaim)
        assert claim(lock) == Held()

    @pytest.mark.parametrize(
        ("field", "value"), [("data", None), ("data", {"N": "7"}), ("in_progress_expiration", None)]
    )
    def test_that_is_damaged_blocks_nobody(
        self, field: str, value: dict[str, str] | None, lock: IdempotencyLock
    ) -> None:
        claim(lock)
        if field == "data":
            lock.record_success("v1")
        change("SET #field = :value" if value else "REMOVE #field", field, value)
        assert lock.failure("v1", now=NOW)
        assert isinstance(claim(lock), HeldClaim)
        assert claim(lock) == Held()

    @pytest.mark.parametrize(
        ("expression", "value"), [("SET #field = :value", {"S": "ODD"}), ("REMOVE #field", None)], ids=["odd", "none"]
    )
    def test_of_unknown_status_is_the_deployments_fault(
        self, expression: str, value: dict[str, str] | None, lock: IdempotencyLock
    ) -> None:
        lock.record_success("v1")
        change(expression, "status", value)
        for name in ("claim", "failure"):
            with pytest.raises(ConfigurationException, match=r"did not write .* Delete the items of the table"):
                CALLS[name](lock)
