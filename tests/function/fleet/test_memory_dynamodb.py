"""The table in memory against moto's, which has the rules of the real one: the same calls, the same answers."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.fleet import FLEET_TABLE, create_fleet_table
from tests.support.memory_dynamodb import MemoryDynamoDB

ITEM = {
    "pk": {"S": "a"},
    "version": {"S": "V1"},
    "state": {"S": "active"},
    "slot": {"S": "figma#0"},
    "dueAt": {"N": "7"},
    "openClaims": {"N": "1"},
    "failure": {"M": {"retryAt": {"N": "5"}, "reason": {"S": "X"}}},
    "refreshToken": {"L": [{"B": b"sealed"}]},
}
VALUES = {":v": {"S": "V1"}, ":w": {"S": "V2"}, ":five": {"N": "5.0"}, ":nine": {"N": "9"}, ":N": {"S": "N"}}

CONDITIONS = [
    "version = :v",
    "version = :w",
    "version <> :v",
    "absent = :v",
    "absent <> :v",
    "openClaims < :five AND dueAt <= :nine",
    "failure.retryAt <= :five",
    "failure.retryAt > :five",
    "failure.absent <= :five",
    "version.deep = :v",
    "absent.deep = :v",
    "NOT attribute_type(failure.retryAt, :N)",
    "attribute_type(dueAt, :N) AND NOT attribute_type(absent, :N)",
    "attribute_exists(pk) AND attribute_not_exists(absent)",
    "attribute_not_exists(pk) OR dueAt >= :nine",
    "(version = :w OR dueAt <= :nine) AND NOT version = :w",
    "version IN (:w, :v)",
    "NOT version IN (:w, :five)",
]
UPDATES = [
    "SET version = :w",
    "SET version = :w, dueAt = :nine REMOVE failure, absent",
    "ADD openClaims :nine",
    "ADD fresh :nine",
    "SET version = :w REMOVE slot ADD openClaims :five",
    "SET dueAt = if_not_exists(dueAt, :nine), fresh = if_not_exists(fresh, :nine)",
    "REMOVE dueAt",
]


@pytest.fixture(scope="module")
def served() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_fleet_table(client)
        yield client


def used(expression: str) -> dict[str, Any]:
    return {name: value for name, value in VALUES.items() if name in expression.replace("(", " ").replace(")", " ")}


def outcome(client: Any, **call: Any) -> Any:
    """Return what a call does: its answer or its error, and the item after it."""
    client.put_item(TableName=FLEET_TABLE, Item=ITEM)
    try:
        answer = client.update_item(TableName=FLEET_TABLE, Key={"pk": ITEM["pk"]}, **call)
    except ClientError as error:
        answer = {"Code": error.response["Error"]["Code"], "Attributes": error.response.get("Item")}
    item = client.get_item(TableName=FLEET_TABLE, Key={"pk": ITEM["pk"]}, ConsistentRead=True)["Item"]
    return answer.get("Code"), numbers(answer.get("Attributes")), numbers(item)


def numbers(item: Any) -> Any:
    """Return an item with its numbers as numbers: DynamoDB writes 5.0 as 5."""
    return item and {name: float(value["N"]) if "N" in value else value for name, value in item.items()}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_means_the_same(condition: str, served: Any) -> None:
    values = {**used(condition), ":new": {"N": "1"}}
    call: dict[str, Any] = {
        "UpdateExpression": "SET #changed = :new",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#changed": "changed"},
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert outcome(MemoryDynamoDB(), **call) == outcome(served, **call)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("returns", ["NONE", "ALL_OLD", "ALL_NEW"])
def test_an_update_does_the_same(update: str, returns: str, served: Any) -> None:
    values = used(update)
    call: dict[str, Any] = {
        "UpdateExpression": update,
        "ReturnValues": returns,
        "ReturnValuesOnConditionCheckFailure": "NONE",
    }
    call |= {"ExpressionAttributeValues": values} if values else {}
    assert outcome(MemoryDynamoDB(), **call) == outcome(served, **call)


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("select", [{}, {"Select": "COUNT"}])
def test_a_query_finds_the_same(limit: int, select: dict[str, Any], served: Any) -> None:
    clients = MemoryDynamoDB(), served
    for client in clients:
        for number, due_at in enumerate([3, 1, 2, 1, 9]):
            item = {"pk": {"S": f"q{number}"}, "slot": {"S": "linear#0"}, "dueAt": {"N": str(due_at)}}
            client.put_item(TableName=FLEET_TABLE, Item=item)
    call = {
        "IndexName": "due",
        "KeyConditionExpression": "#slot = :slot AND #dueAt <= :now",
        "ExpressionAttributeNames": {"#slot": "slot", "#dueAt": "dueAt"},
        "ExpressionAttributeValues": {":slot": {"S": "linear#0"}, ":now": {"N": "3"}},
        "Limit": limit,
        **select,
    }
    assert pages(clients[0], call) == pages(clients[1], call)


def pages(client: Any, call: dict[str, Any]) -> tuple[int, list[Any]]:
    """Return how many entries all pages of a query have, and their due times."""
    found: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        answer = client.query(TableName=FLEET_TABLE, **call, **start)
        found.append(answer)
        if "LastEvaluatedKey" not in answer:
            return sum(page["Count"] for page in found), [
                item["dueAt"] for page in found for item in page.get("Items", [])
            ]
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
