"""The core's world on an item of a fleet: the real adapter, on a table and a key in memory.

Each call to DynamoDB or KMS is one that the driver decides about. The ledger reads each change from the item itself, so
it sees what the table has, and not what the adapter says.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ReadTimeoutError

from refresh_token.adapters.connection_item import ConnectionItem
from refresh_token.adapters.connection_table import ConnectionTable
from refresh_token.adapters.item_lock import ItemRules
from refresh_token.adapters.item_tokens import ItemTokens
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.claims import RefreshLock
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.ports import StoredPair, TokenStore
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import RefreshTokenError
from refresh_token.fleet.due import WARM, Keeping
from refresh_token.fleet.record import Record, read_record
from refresh_token.fleet.sealing import context_of, pieces_of
from refresh_token.fleet.states import State
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from refresh_token.fleet.writes import MAX_OPEN_CLAIMS
from tests.support.fleet import DUE, FLEET_TABLE, NAME
from tests.support.memory_dynamodb import MemoryDynamoDB
from tests.support.memory_kms import MemoryKms
from tests.support.simulation import Invocation, Noticed, Port, Simulation
from tests.support.windows import WINDOWS

KEY = "arn:aws:kms:eu-west-1:123456789012:key/fleet"
SILENT = ReadTimeoutError(endpoint_url="https://canary")
SET_ASIDE = (State.STUCK, State.MALFORMED)


@dataclass
class ItemSimulation(Simulation):
    """The world whose pair is one item. `versions` mirrors what the item has held."""

    dynamodb: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    kms: MemoryKms = field(default_factory=MemoryKms)

    @property
    def record(self) -> Record:
        return read_record(self.dynamodb.items[NAME])

    def healing(self, use: str) -> str:
        """Return the use that heals what may have happened: only an operator starts what is stuck again."""
        stuck = self.record.state is State.STUCK or self.record.open_claims >= MAX_OPEN_CLAIMS
        return "force" if stuck else use

    def by_hand(self, version_id: str) -> None:
        """Store a version as an operator does. An item has no old versions: it gets a new one with the same pair."""
        if version_id == self.current:
            return  # nobody stores again what is there
        if version_id != list(self.versions)[-1]:
            again = f"{version_id}-again-{len(self.versions)}"
            self.put(again, self.versions[version_id], at=self.time)
            version_id = again
        super().by_hand(version_id)
        self.dynamodb.items[NAME] = self._item(version_id)

    def ports(self, me: Invocation) -> tuple[TokenStore, RefreshLock]:
        """Return an invocation's adapter. It reads the item first, as each invocation does."""
        client: Any = ItemClient(self, me)
        table = ConnectionTable(FLEET_TABLE, client, lambda: client, lambda: client)
        tokens = ItemTokens(
            seal=KmsSeal(KEY, lambda: client, lambda: client),
            parse=self.parse,
            spends=self.grants.spends,
            seals_access=False,
            rotates=self.grants.rotates,
        )
        rules = ItemRules(
            tokens=tokens,
            keeping=Keeping(windows=WINDOWS, grant_life=GrantLife(idle=self.idle), policy=WARM),
            now=lambda: self.time,
            jitter=lambda: 0.0,
            changed=lambda *_: None,
            ending=lambda *_: None,
            force=me.use == "force",
        )
        item = SimulatedItem(table.read(NAME), table, rules, me)
        return item, item

    def changed(self, me: Invocation, old: Record, new: Record) -> None:
        """Enter into the ledger what a call of an invocation has done to the item."""
        if new.version != old.version:
            replaced = self.current
            self.put(new.version, self._text(new), at=self.time)
            self.make_current(new.version)
            self.stored(me, replaced)
            self.closed(me, replaced)
        elif new.claim_id and new.claim_id != old.claim_id and not new.is_claimed(self.time.timestamp()):
            self.closed(me, old.version)  # it was released, and the one before is open again
        elif new.claim_id and new.claim_id != old.claim_id:
            if old.version in self.cooldowns:
                self.cooled(me, old.version)
            self.granted(me, old.version)
        elif old.claim_id and not new.claim_id:
            if new.state in SET_ASIDE:
                self.holders.pop(old.version, None)
                return
            self.closed(me, old.version)
            if new.failure:
                self.failed(me, old.version, new.failure)

    def _item(self, version_id: str) -> dict[str, Any]:
        text = self.versions[version_id]
        try:
            pair = self.parse(text, created=self.time)
        except RefreshTokenError:
            pair = TokenPair(access_token="broken", refresh_token="broken")
            broken = {"values": {"S": text}}
        else:
            broken = {}
        sealed = tuple(
            self.kms.encrypt(KeyId=KEY, Plaintext=piece, EncryptionContext=context_of(NAME))["CiphertextBlob"]
            for piece in pieces_of(pair.refresh_token)
        )
        tokens = StoredTokens(pair.access_token or None, sealed or None)
        return {**new_item(NAME, Successor(pair, tokens, version_id, self.time), due_at=DUE), **broken}

    def _text(self, record: Record) -> str:
        pieces = record.refresh or ()
        plain = (
            self.kms.decrypt(KeyId=KEY, CiphertextBlob=piece, EncryptionContext=context_of(NAME))["Plaintext"]
            for piece in pieces
        )
        assert isinstance(record.access, str | None)
        return record.document(record.access, b"".join(plain).decode() or None)


class SimulatedItem(ConnectionItem):
    def __init__(self, record: Record, table: ConnectionTable, rules: ItemRules, me: Invocation) -> None:
        super().__init__(record, table, rules)
        self._me = me

    def read(self) -> StoredPair:
        self._me.read = None
        self._me.read = super().read()
        return self._me.read


class ItemClient(Port):
    """The clients of DynamoDB and KMS of one invocation."""

    world: ItemSimulation

    def get_item(self, **call: Any) -> Any:
        return self.call("GetItem", lambda: self.world.dynamodb.get_item(**call), SILENT)

    def update_item(self, **call: Any) -> Any:
        return self.call("UpdateItem", lambda: self._changed(lambda: self.world.dynamodb.update_item(**call)), SILENT)

    def encrypt(self, **call: Any) -> Any:
        return self.call("Encrypt", lambda: self.world.kms.encrypt(**call), SILENT)

    def decrypt(self, **call: Any) -> Any:
        return self.call("Decrypt", lambda: self.world.kms.decrypt(**call), SILENT)

    def _changed(self, call: Callable[[], Any]) -> Any:
        old = self.world.record
        answer = call()
        try:
            self.world.changed(self.me, old, self.world.record)
        except AssertionError as error:
            raise Noticed(error) from None
        return answer
