"""The refresh lock's errors, its races, and what its table holds."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from refresh_token.adapters.idempotency_lock import (
    KEEP_CLAIM,
    KEEP_DONE,
    KEEP_FAILURE,
    IdempotencyLock,
    dynamodb_client,
)
from refresh_token.claims import CoolingDown, Failure, Held, HeldClaim
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pair-AbCdEf"
TABLE = "locks"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
FAILURE = Failure("ReauthorizationRequiredException", NOW + timedelta(minutes=15))


@pytest.fixture
def client() -> "DynamoDBClient":
    return boto3.client("dynamodb")


@pytest.fixture
def lock(client: "DynamoDBClient") -> IdempotencyLock:
    return IdempotencyLock(TABLE, ARN, client)


@pytest.fixture
def stub(client: "DynamoDBClient") -> Iterator[Stubber]:
    """DynamoDB by script: the test says what comes next, and fails if it did not."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def table(aws: None) -> None:  # noqa: ARG001 - moto must be there
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def items() -> list[dict[str, Any]]:
    return boto3.client("dynamodb").scan(TableName=TABLE)["Items"]


def claim(lock: IdempotencyLock, *, ignore_cooldown: bool = False) -> object:
    return lock.claim("v1", seconds=60.0, now=NOW, ignore_cooldown=ignore_cooldown)


# --- errors ---------------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[str, Callable[[IdempotencyLock], object]]] = {
    "claim": ("put_item", claim),
    "lost": ("get_item", lambda lock: lock.lost("v1", now=NOW)),
    "done": ("update_item", lambda lock: lock.record_success("v1")),
    "failed": ("update_item", lambda lock: lock.record_failure("v1", FAILURE)),
    "release": ("delete_item", lambda lock: lock.delete_claim("v1")),
}
OUR_FAULT = ("AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException")
COMMON_ERRORS = ["AccessDeniedException", "UnrecognizedClientException", "ThrottlingException", "ServiceUnavailable"]


def modelled_errors(operation: str) -> list[str]:
    model = botocore.session.get_session().get_service_model("dynamodb")
    return [shape.name for shape in model.operation_model(operation).error_shapes]


MODELLED = {"get_item": "GetItem", "put_item": "PutItem", "update_item": "UpdateItem", "delete_item": "DeleteItem"}
FAULTS = [
    (name, code)
    for name, (operation, _) in CALLS.items()
    for code in dict.fromkeys([*modelled_errors(MODELLED[operation]), *COMMON_ERRORS])
    if code != "ConditionalCheckFailedException"  # no fault: it is how a claim is lost
]


@pytest.mark.parametrize(("name", "code"), FAULTS)
def test_a_fault_of_the_table_is_the_deployments_or_passes(
    name: str, code: str, stub: Stubber, lock: IdempotencyLock
) -> None:
    operation, call = CALLS[name]
    stub.add_client_error(operation, code, "canary")
    expected: type[RefreshTokenError] = ConfigurationException if code in OUR_FAULT else IssuerUnavailableException
    with pytest.raises(RefreshTokenError, match=rf"\({code}\)") as caught:
        call(lock)
    assert type(caught.value) is expected
    assert_clean(caught.value)


@pytest.mark.parametrize("name", CALLS)
def test_a_table_that_cannot_be_reached_is_unavailable(name: str) -> None:
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    lock = IdempotencyLock(TABLE, ARN, boto3.client("dynamodb", endpoint_url=NOBODY_LISTENS, config=config))
    with pytest.raises(IssuerUnavailableException, match="EndpointConnectionError") as caught:
        CALLS[name][1](lock)
    assert_clean(caught.value)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("name", CALLS)
def test_a_table_that_does_not_exist_is_the_deployments_fault(name: str, lock: IdempotencyLock) -> None:
    with pytest.raises(ConfigurationException, match="ResourceNotFoundException"):
        CALLS[name][1](lock)


# --- races ----------------------------------------------------------------------------------------------------------


def test_a_record_that_vanishes_while_it_stands_in_the_way_counts_as_held(stub: Stubber, lock: IdempotencyLock) -> None:
    stub.add_client_error("put_item", "ConditionalCheckFailedException")  # without the old item
    assert claim(lock) == Held()


@pytest.mark.usefixtures("table")
def test_who_clears_a_failure_that_another_has_cleared_and_claimed_meanwhile_takes_nothing_from_them(
    client: "DynamoDBClient", lock: IdempotencyLock
) -> None:
    other = IdempotencyLock(TABLE, ARN, boto3.client("dynamodb"))
    claim(lock)
    lock.record_failure("v1", FAILURE)
    outcomes: list[object] = []

    def overtake(**_: object) -> None:
        if not outcomes:
            outcomes.append(claim(other, ignore_cooldown=True))

    client.meta.events.register("before-call.dynamodb.DeleteItem", overtake)
    assert claim(lock, ignore_cooldown=True) == Held()
    assert outcomes == [HeldClaim("v1", other, FAILURE)]
    assert [item["status"] for item in items()] == [{"S": "INPROGRESS"}]


@pytest.mark.usefixtures("table")
def test_who_finds_a_newer_failure_when_clearing_an_older_one_learns_of_the_newer_one(
    client: "DynamoDBClient", lock: IdempotencyLock
) -> None:
    newer = Failure("IssuerUnavailableException", NOW + timedelta(minutes=1))
    other = IdempotencyLock(TABLE, ARN, boto3.client("dynamodb"))
    claim(lock)
    lock.record_failure("v1", FAILURE)
    attempts: list[object] = []

    def try_and_fail(**_: object) -> None:
        if not attempts:
            attempts.append(claim(other, ignore_cooldown=True))
            other.record_failure("v1", newer)

    client.meta.events.register("before-call.dynamodb.DeleteItem", try_and_fail)
    assert claim(lock, ignore_cooldown=True) == HeldClaim("v1", lock, newer)


@pytest.mark.usefixtures("table")
def test_who_is_overtaken_again_and_again_gives_way(client: "DynamoDBClient", lock: IdempotencyLock) -> None:
    other = IdempotencyLock(TABLE, ARN, boto3.client("dynamodb"))
    claim(lock)
    lock.record_failure("v1", FAILURE)
    failures = iter(range(100))

    def try_and_fail(**_: object) -> None:
        assert isinstance(claim(other, ignore_cooldown=True), HeldClaim)
        other.record_failure("v1", Failure("IssuerUnavailableException", NOW + timedelta(seconds=next(failures))))

    client.meta.events.register("before-call.dynamodb.DeleteItem", try_and_fail)
    assert claim(lock, ignore_cooldown=True) == Held()
    assert 1 < next(failures) < 10


# --- what the table holds ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("table")
def test_the_table_holds_one_item_a_version_under_a_key_that_shows_nothing(lock: IdempotencyLock) -> None:
    claim(lock)
    (item,) = items()
    assert sorted(item) == ["expiration", "id", "in_progress_expiration", "status"]
    assert item["id"]["S"].startswith("refresh#")
    assert ARN not in json.dumps(item)


CLOSED: list[tuple[str, Callable[[IdempotencyLock], None], dict[str, object]]] = [
    ("done", lambda lock: lock.record_success("v1"), {"done": True}),
    (
        "failed",
        lambda lock: lock.record_failure("v1", FAILURE),
        {
            "failure": {
                "reason": FAILURE.reason,
                "retryAt": FAILURE.retry_at.timestamp(),
                "refused": False,
                "lost": False,
            }
        },
    ),
]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(("close", "data"), [case[1:] for case in CLOSED], ids=[case[0] for case in CLOSED])
def test_a_closed_claim_holds_the_outcome_and_nothing_else(
    close: Callable[[IdempotencyLock], None], data: dict[str, object], lock: IdempotencyLock
) -> None:
    claim(lock)
    close(lock)
    (item,) = items()
    assert sorted(item) == ["data", "expiration", "id", "in_progress_expiration", "status"]
    assert item["status"] == {"S": "COMPLETED"}
    assert json.loads(item["data"]["S"]) == data


@pytest.mark.usefixtures("table")
def test_another_secret_in_the_same_table_has_claims_of_its_own(
    client: "DynamoDBClient", lock: IdempotencyLock
) -> None:
    assert claim(lock) == HeldClaim("v1", lock)
    assert isinstance(claim(IdempotencyLock(TABLE, f"{ARN}-other", client)), HeldClaim)
    assert len(items()) == 2


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("close", "seconds"),
    [
        (lambda _: None, KEEP_CLAIM),
        (lambda lock: lock.record_success("v1"), KEEP_DONE),
        (lambda lock: lock.record_failure("v1", FAILURE), KEEP_FAILURE),
    ],
    ids=["claim", "done", "failed"],
)
def test_each_record_says_when_dynamodb_may_delete_it(
    close: Callable[[IdempotencyLock], None], seconds: int, lock: IdempotencyLock
) -> None:
    before = int(time.time())
    claim(lock)
    close(lock)
    (item,) = items()
    assert before + seconds <= int(item["expiration"]["N"]) <= time.time() + seconds


@pytest.mark.usefixtures("table")
def test_a_record_that_is_past_its_time_is_void_although_dynamodb_has_not_deleted_it(lock: IdempotencyLock) -> None:
    claim(lock)
    lock.record_success("v1")
    (item,) = items()
    boto3.client("dynamodb").put_item(TableName=TABLE, Item={**item, "expiration": {"N": str(int(time.time()) - 1)}})
    assert claim(lock) == HeldClaim("v1", lock)


@pytest.mark.usefixtures("table")
def test_what_is_past_its_time_says_nothing_of_the_token_any_more(lock: IdempotencyLock) -> None:
    claim(lock)
    lock.record_failure("v1", replace(FAILURE, lost=True))
    assert lock.lost("v1", now=NOW)
    change("SET #field = :value", {"#field": "expiration"}, {":value": {"N": str(int(time.time()) - 1)}})
    assert lock.lost("v1", now=NOW) is None


@pytest.mark.usefixtures("table")
def test_a_cooldown_is_seen_by_a_process_that_starts_later(lock: IdempotencyLock) -> None:
    claim(lock)
    lock.record_failure("v1", FAILURE)
    dynamodb_client.cache_clear()
    assert claim(IdempotencyLock(TABLE, ARN, dynamodb_client())) == CoolingDown(FAILURE)


def test_the_client_is_made_once() -> None:
    assert dynamodb_client() is dynamodb_client()


# --- records that are not ours --------------------------------------------------------------------------------------

UNREADABLE = ["no json", "[]", '"text"', "7", '{"failure": 7}', '{"failure": {}}', '{"failure": {"reason": "x"}}']
UNREADABLE += ['{"failure": {"reason": "x", "retryAt": "soon"}}', '{"failure": {"reason": "x", "retryAt": 1e300}}']


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("data", UNREADABLE)
def test_a_finished_record_that_cannot_be_read_is_in_nobodys_way(data: str, lock: IdempotencyLock) -> None:
    lock.record_success("v1")
    change("SET #field = :value", {"#field": "data"}, {":value": {"S": data}})
    assert isinstance(claim(lock), HeldClaim)
    assert claim(lock) == Held()


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("data", UNREADABLE)
def test_a_record_that_cannot_be_read_says_nothing_of_the_token(data: str, lock: IdempotencyLock) -> None:
    lock.record_success("v1")
    change("SET #field = :value", {"#field": "data"}, {":value": {"S": data}})
    assert lock.lost("v1", now=NOW) is None


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("expression", "values"),
    [("SET #field = :value", {":value": {"S": "ODD"}}), ("REMOVE #field", None)],
    ids=["a status that nobody knows", "no status"],
)
def test_a_record_of_an_unknown_kind_is_the_deployments_fault(
    expression: str, values: dict[str, Any] | None, lock: IdempotencyLock
) -> None:
    lock.record_success("v1")
    change(expression, {"#field": "status"}, values)
    for use in (claim, lambda lock: lock.lost("v1", now=NOW)):
        with pytest.raises(ConfigurationException, match="not the function's"):
            use(lock)


def change(expression: str, names: dict[str, str], values: dict[str, Any] | None) -> None:
    """Tamper with the one record."""
    (item,) = items()
    extra: Any = {"ExpressionAttributeValues": values} if values else {}
    boto3.client("dynamodb").update_item(
        TableName=TABLE, Key={"id": item["id"]}, UpdateExpression=expression, ExpressionAttributeNames=names, **extra
    )
