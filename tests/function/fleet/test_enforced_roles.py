"""The roles of a fleet's functions on a local AWS that enforces IAM: with them the functions work, and nothing more.

It refuses whatever has a condition on `kms:EncryptionContext`, `events:source` or `events:detail-type`, and wants a
right to SendMessageBatch; it takes any condition on what an UpdateItem writes and returns for one that holds. What that
leaves open, tests/infra/test_fleet_roles.py evaluates.
"""

import importlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

from local.environment import ACCESS_KEY, ACCOUNT, REGION, aws_variables
from local.ministack import MiniStack
from refresh_token.adapters import aws_clients
from tests.support import iam
from tests.support.fleet import NAME
from tests.support.fleet_role_calls import CALLS, OF_LINEAR, PARTS
from tests.support.function_environment import forget_clients
from tests.support.lambda_context import LambdaContext
from tests.support.moto_fleet import MotoFleet

pytestmark = [pytest.mark.xdist_group("enforced-roles"), pytest.mark.usefixtures("fast_retries")]

UNKNOWN = {"SealTokens", "SendEvents"}
"""Statements with conditions for which it refuses everything. They are left out."""
NOT_HERE = {
    *("decrypt without a context", "decrypt with more", "decrypt with another", "send another's event"),
    *("write a connection", "lease and read"),
}
"""Calls that only these conditions and those of an UpdateItem forbid to a role."""
COMPLETE: dict[str, dict[str, Any]] = {
    "SendMessageBatch": {"Entries": [{"Id": "1", "MessageBody": "x"}]},
    "DeleteMessage": {"ReceiptHandle": "x"},
    "Encrypt": {"Plaintext": b"x"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "Query": {"KeyConditionExpression": "slot = :s", "ExpressionAttributeValues": {":s": {"S": "x"}}},
    "PutItem": {"Item": {"pk": {"S": "x"}}},
    "PutSecretValue": {"SecretString": "{}"},
}
"""What the calls of the evaluator leave out."""

LINEAR = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:linear-AbCdEf"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with MiniStack.start(tmp_path_factory.mktemp("aws"), enforce_iam=True) as ministack:
        yield ministack.url


def session_with(key: str, secret: str, token: str | None = None) -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_credentials(key, secret, token)
    return session


@pytest.fixture
def aws(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be the root user of that AWS."""
    for name, value in aws_variables(url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    root = session_with(ACCESS_KEY, ACCESS_KEY)
    monkeypatch.setattr(aws_clients, "session", lambda: root)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.session.Session(botocore_session=root))


def assume(part: str, *, key: str = iam.FLEET_KEY, app: str = LINEAR) -> botocore.session.Session:
    """Return a session with the role of a function, whose policy names this key and this secret of an app."""
    text = json.dumps(iam.Role("prod-fleet", part=PARTS[part]).statements)
    for theirs, ours in ((iam.FLEET_KEY, key), (iam.ACCOUNT, ACCOUNT), (iam.REGION, REGION), (OF_LINEAR, app)):
        text = text.replace(theirs, ours)
    statements = [known(each) for each in json.loads(text)]
    roles, name = boto3.client("iam"), f"{part}-{datetime.now(UTC):%H%M%S%f}"
    trust = {"Version": "2012-10-17", "Statement": [TRUST]}
    arn = roles.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": statements}
    roles.put_role_policy(RoleName=name, PolicyName="RefreshToken", PolicyDocument=json.dumps(document))
    keys = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="function")["Credentials"]
    return session_with(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def known(statement: dict[str, Any]) -> dict[str, Any]:
    """Return what this AWS understands of a statement."""
    if statement["Sid"] == "SendWork":
        return {**statement, "Action": "sqs:SendMessageBatch"}
    return {key: value for key, value in statement.items() if key != "Condition" or statement["Sid"] not in UNKNOWN}


def is_denied(session: botocore.session.Session, service: str, operation: str, body: dict[str, Any]) -> bool:
    client = session.create_client(service)
    try:
        getattr(client, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower())(**body)
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


@pytest.fixture(scope="module")
def sessions() -> dict[str, botocore.session.Session]:
    return {}


@pytest.mark.parametrize("call", [call for call in CALLS if call not in NOT_HERE])
@pytest.mark.usefixtures("aws")
def test_each_role_allows_what_its_function_does(
    call: str, url: str, sessions: dict[str, botocore.session.Session]
) -> None:
    (service, operation, given), allowed = CALLS[call]
    text = json.dumps(given).replace(iam.REGION, REGION).replace(iam.ACCOUNT, ACCOUNT).replace(OF_LINEAR, LINEAR)
    body = {**json.loads(text), **COMPLETE.get(operation, {})}
    match service:
        case "kms":
            key = iam.FLEET_KEY.replace(iam.REGION, REGION).replace(iam.ACCOUNT, ACCOUNT)
            body |= {"KeyId": key, **({"CiphertextBlob": b"x"} if operation == "Decrypt" else {})}
        case "sqs":
            body["QueueUrl"] = f"{url}/{ACCOUNT}/{iam.QUEUE}"
        case "events":
            body["Entries"] = [{**each, "Detail": "{}"} for each in body["Entries"]]
        case "dynamodb" if operation == "UpdateItem" and "UpdateExpression" not in body:
            body |= {"UpdateExpression": "SET #t = :t", "ExpressionAttributeValues": {":t": {"S": "x"}}}
    for part in PARTS:
        if part not in sessions:
            sessions[part] = assume(part)
    assert [part for part in PARTS if not is_denied(sessions[part], service, operation, body)] == allowed.split()


@contextmanager
def running_as(session: botocore.session.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(aws_clients, "session", lambda: session)
        forget_clients()
        yield
    forget_clients()


def test_each_function_works_with_its_role_alone(fleet: MotoFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = boto3.client("sqs").create_queue(QueueName=iam.QUEUE)["QueueUrl"]
    monkeypatch.setenv("CONNECTIONS_QUEUE_URL", queue)
    monkeypatch.setenv("EVENT_BUS", "default")
    sessions = {part: assume(part, key=fleet.stage.key, app=fleet.app.arn) for part in PARTS}
    dispatcher = importlib.import_module("refresh_token.dispatcher_handler")

    def tick() -> Any:
        dispatcher._settings.cache_clear()
        return dispatcher.lambda_handler({}, LambdaContext())

    before = fleet.seed("expired").version
    with running_as(sessions["ask"], monkeypatch):
        assert fleet.ask()["versionId"] != before
    before = fleet.seed("expired").version
    with running_as(sessions["worker"], monkeypatch):
        fleet.work()
    assert fleet.stage.table.record(NAME).version != before
    fleet.seed("mandatory")
    fleet.stage.table.change(NAME, dueAt={"N": str(int(datetime.now(UTC).timestamp()) - 5)})
    with running_as(sessions["dispatcher"], monkeypatch):
        assert tick()["sent"] == 1
        with pytest.raises(Exception, match="AccessDenied"):
            fleet.ask()
    with running_as(sessions["ask"], monkeypatch), pytest.raises(Exception, match="AccessDenied"):
        tick()
