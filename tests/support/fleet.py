"""A fleet's table as the stack makes it, connections in it, and the adapter on one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError, ReadTimeoutError

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.connection_item import ConnectionItem
from refresh_token.adapters.connection_table import ConnectionTable
from refresh_token.adapters.item_lock import ItemRules
from refresh_token.adapters.item_tokens import ItemTokens
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.connections import Connection
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresher import Refresher
from refresh_token.core.secret_format import parse_pair
from refresh_token.core.successors import successor_id
from refresh_token.core.token_pair import TokenPair
from refresh_token.fleet import operator_writes
from refresh_token.fleet.attributes import decode_item
from refresh_token.fleet.due import WARM, Keeping, core_policy
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from refresh_token.fleet.table import (
    DUE_INDEX,
    DUE_KEYS,
    DUE_PROJECTION,
    PK,
    TROUBLE_INDEX,
    TROUBLE_KEYS,
    TROUBLE_PROJECTION,
)
from refresh_token.fleet.update import Request
from tests.support.faked_core import build_core
from tests.support.fakes import NOW, FakeClock, FakeIssuer, FakeTelemetry
from tests.support.windows import WINDOWS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from refresh_token.core.grants import Spends
    from refresh_token.core.secret_format import Parse

FLEET_TABLE = "connections"
NAME = "acme/u1"
FIRST = "access-0"
HIDDEN = b"ciphertext of a refresh token"
DUE = int(NOW.timestamp()) + 1000


def create_fleet_table(client: "DynamoDBClient", name: str = FLEET_TABLE) -> None:
    keys = {DUE_INDEX: DUE_KEYS, TROUBLE_INDEX: TROUBLE_KEYS}
    shown = {DUE_INDEX: DUE_PROJECTION, TROUBLE_INDEX: TROUBLE_PROJECTION}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": PK, "AttributeType": "S"},
            {"AttributeName": "slot", "AttributeType": "S"},
            {"AttributeName": "dueAt", "AttributeType": "N"},
            {"AttributeName": "trouble", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": PK, "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": keys[index][0], "KeyType": "HASH"},
                    {"AttributeName": keys[index][1], "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(shown[index])},
            }
            for index in keys
        ],
    )


def pair_of(access_token: str = FIRST, **facts: Any) -> TokenPair:
    """Return a pair of a provider whose tokens live 90 days."""
    usual = {"refresh_token": "refresh-0", "expires_at": NOW + timedelta(days=90), "refreshed_at": NOW}
    return TokenPair(access_token=access_token, **{**usual, **facts})


def successor(pair: TokenPair, *, version: str | None = None, at: datetime = NOW, kept: bool = False) -> Successor:
    """Return a pair as it is stored, its refresh token as `HIDDEN`, or as it was before if that is ``kept``."""
    return Successor(pair, StoredTokens(pair.access_token, None if kept else (HIDDEN,)), version or str(uuid4()), at)


@dataclass(frozen=True)
class FleetTable:
    """The table, as tests read and change it."""

    client: "DynamoDBClient"
    name: str = FLEET_TABLE

    def seed(self, name: str = NAME, pair: TokenPair | None = None, *, due_at: int = DUE, **more: Any) -> Record:
        """Store a connection as an operator does."""
        self.make(
            "put_item",
            operator_writes.seed(new_item(name, successor(pair or pair_of()), due_at=due_at, **more), over=True),
        )
        return self.record(name)

    def make(self, operation: str, request: Request) -> Mapping[str, Any]:
        """Make a call of DynamoDB and return its answer; raises botocore's errors."""
        answer: Mapping[str, Any] = getattr(self.client, operation)(TableName=self.name, **request)
        return answer

    def item(self, name: str = NAME) -> dict[str, object]:
        """Return what an item says; empty if there is none."""
        return decode_item(self.client.get_item(TableName=self.name, Key={PK: {"S": name}}).get("Item", {}))

    def record(self, name: str = NAME) -> Record:
        return read_record(self.client.get_item(TableName=self.name, Key={PK: {"S": name}})["Item"])

    def change(self, name: str = NAME, **values: Any) -> None:
        """Change an item by hand; None removes an attribute. The values have DynamoDB's types."""
        updates: dict[str, Any] = {
            key: {"Action": "DELETE"} if value is None else {"Action": "PUT", "Value": value}
            for key, value in values.items()
        }
        self.client.update_item(TableName=self.name, Key={PK: {"S": name}}, AttributeUpdates=updates)

    def names_in(self, index: str, key: str) -> list[str]:
        """Return the connections under a key of an index."""
        hash_key = {DUE_INDEX: "slot", TROUBLE_INDEX: "trouble"}[index]
        found = self.client.query(
            TableName=self.name,
            IndexName=index,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": hash_key},
            ExpressionAttributeValues={":key": {"S": key}},
        )["Items"]
        return [item[PK]["S"] for item in found]


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of a call: something happens before it, it fails, it is repeated, or its answer is lost."""

    before: Callable[[], object] = lambda: None
    error: Exception | None = None
    repeated: bool = False
    """The answer to the first attempt is lost, and the client makes another one."""
    lost: bool = False


def failing(code: str, status: int = 400) -> Fate:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return Fate(error=ClientError(answer, "AnyCall"))


SILENT: Final = ReadTimeoutError(endpoint_url="https://canary")
WORKS: Final = Fate()


@dataclass
class Wire:
    """Counts the calls to the fleet's services, and decides their fates, in order, by the name of the operation."""

    calls: list[str] = field(default_factory=list)
    fates: dict[str, list[Fate]] = field(default_factory=dict)

    def client(self, real: Any) -> Any:
        return _Client(real, self)

    def make(self, operation: str, call: Callable[[], Any]) -> Any:
        self.calls.append(operation)
        fate = (self.fates.get(operation) or [WORKS]).pop(0)
        fate.before()
        if fate.error:
            raise fate.error
        if fate.repeated:
            call()
        answer = call()
        if fate.lost:
            raise SILENT
        return answer


@dataclass(frozen=True)
class _Client:
    real: Any
    wire: Wire

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in name.split("_"))
        return lambda **call: self.wire.make(operation, lambda: getattr(self.real, name)(**call))


@dataclass(kw_only=True)
class FleetStage:
    """A fleet of one provider: its table, its key, and a clock. ``key`` is the key's ARN."""

    table: FleetTable
    key: str
    clock: FakeClock = field(default_factory=FakeClock)
    parse: "Parse" = parse_pair
    spends: "Spends" = "refresh_token"
    seals_access: bool = False
    keeping: Keeping = field(default_factory=lambda: Keeping(windows=WINDOWS, grant_life=GrantLife(), policy=WARM))
    wire: Wire = field(default_factory=Wire)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    memory: ProcessMemory = field(default_factory=ProcessMemory)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    """The changes of states that the function told of: the connection, the state before, and the state after."""

    @property
    def seal(self) -> KmsSeal:
        return KmsSeal(self.key)

    def sealed(self, name: str, token: str) -> tuple[bytes, ...]:
        found = self.seal.seal(name, token)
        assert not isinstance(found, Fault)
        return found

    def opened(self, name: str = NAME) -> str:
        """Return the refresh token that an item holds."""
        found = self.seal.open(name, self.table.record(name).refresh or ())
        assert isinstance(found, str)
        return found

    def seed(
        self, name: str = NAME, pair: TokenPair | None = None, *, version: str | None = None, **more: Any
    ) -> Record:
        """Store a connection with a sealed refresh token, as an operator does."""
        pair = pair or pair_of()
        refresh = self.sealed(name, pair.refresh_token) if pair.refresh_token else None
        access = self.sealed(name, pair.access_token) if self.seals_access else pair.access_token
        version = str(uuid4()) if version is None else version
        new = Successor(pair, StoredTokens(access, refresh), version, self.clock.now())
        item = new_item(name, new, **{"due_at": DUE, **more})
        self.table.make("put_item", operator_writes.seed(item, over=True))
        return self.table.record(name)

    def item(self, name: str = NAME, *, force: bool = False) -> ConnectionItem:
        """Return the store and lock of a connection, as an invocation makes them from the record that it has read."""
        kms = self.wire.client(boto3.client("kms"))
        seal = KmsSeal(self.key, lambda: kms, lambda: kms)
        tokens = ItemTokens(
            seal=seal,
            parse=self.parse,
            spends=self.spends,
            seals_access=self.seals_access,
            rotates=self.issuer.rotates,
        )
        rules = ItemRules(
            tokens=tokens,
            keeping=self.keeping,
            now=self.clock.now,
            jitter=lambda: 0.0,
            changed=lambda before, after, _: self.changes.append((before.name, before.state, after)),
            ending=lambda *_: None,
            force=force,
        )
        client = self.wire.client(self.table.client)
        table = ConnectionTable(self.table.name, client, lambda: client, lambda: client)
        return ConnectionItem(table.read(name), table, rules)

    def refresher(self, name: str = NAME, *, force: bool = False) -> Refresher:
        """Return the use cases of a connection, as an invocation makes them."""
        item = self.item(name, force=force)
        connection = Connection(
            name=name,
            store=item,
            windows=self.keeping.windows,
            policy=core_policy(self.keeping.policy, None),
            grant_life=self.keeping.grant_life,
            make_lock=lambda: item,
            make_issuer=lambda: self.issuer,
        )
        return build_core(
            connection, self.clock, self.telemetry, self.memory, lambda version: successor_id(version, uuid4().hex)
        )


def fleet_stage(**how: Any) -> FleetStage:
    """Return a fleet on moto, without connections."""
    client = boto3.client("dynamodb")
    create_fleet_table(client)
    return FleetStage(table=FleetTable(client), key=boto3.client("kms").create_key()["KeyMetadata"]["Arn"], **how)
