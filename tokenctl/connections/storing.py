"""Storing the pair of a connection, as an item that the fleet's functions read."""

import random
from datetime import datetime
from math import ceil
from threading import Lock
from typing import Final

from refresh_token.fleet.attributes import Attribute
from refresh_token.fleet.due import Keeping, next_due
from refresh_token.fleet.operator_writes import seed
from refresh_token.fleet.record import Record
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from tokenctl.connections.entries import Entry
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.sealing import Seal
from tokenctl.connections.table import Table

_RANDOM: Final = random.SystemRandom()


class Pace:
    """Spreads connections that are due at once, so that a fleet gets as many each second as it refreshes.

    `rate` is for each provider of the fleet.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next: dict[str, float] = {}
        self._lock = Lock()

    def next(self, provider: str, at: int) -> int:
        """Return when the next connection of a provider is due that would be due `at`, in epoch seconds."""
        with self._lock:
            due_at = max(self._next.get(provider, at), at)
            self._next[provider] = due_at + 1 / self._rate
        return ceil(due_at)


class Storing:
    """Seals and stores the entries of one command. `pace` is for those that are due at once, where there are many."""

    def __init__(self, fleet: Fleet, *, pace: Pace | None = None) -> None:
        self._settings = fleet.settings
        self._seal = Seal(fleet)
        self._table = Table(fleet)
        self._pace = pace

    def store(self, entry: Entry, *, version: str, over: Record | None, now: datetime) -> int:
        """Store an entry with one conditional write; return when it is due, in epoch seconds.

        Raises:
            ChangedError: `over`, which may be None, is no longer what is there.
            ServiceError, ConfigurationError: KMS or DynamoDB fails or denies access.

        """
        item = self.item(entry, version=version, now=now)
        self._table.put(seed(item, over=None if over is None else over.version or True, now=now.timestamp()))
        return int(item["dueAt"]["N"])

    def item(self, entry: Entry, *, version: str, now: datetime) -> dict[str, Attribute]:
        """Return the item of an entry; raises ServiceError or ConfigurationError if it cannot be sealed."""
        new = Successor(entry.pair, self._sealed(entry), version, now)
        due_at = self._due_at(entry, now=now)
        return new_item(entry.name, new, due_at=due_at, policy=entry.policy, params=entry.params)

    def _sealed(self, entry: Entry) -> StoredTokens:
        access, refresh = entry.pair.access_token, entry.pair.refresh_token
        sealed = self._seal.seal(entry.name, access) if access and self._settings.seal_access_tokens else access
        return StoredTokens(access=sealed or None, refresh=self._seal.seal(entry.name, refresh) if refresh else None)

    def _due_at(self, entry: Entry, *, now: datetime) -> int:
        """Return when the connection is due, in epoch seconds."""
        at = next_due(entry.pair, self._keeping(entry), now=now, u=_RANDOM.random(), untold=True)
        at_once = at <= now.timestamp() + 1
        return self._pace.next(entry.provider.name, at) if self._pace and at_once else at

    def _keeping(self, entry: Entry) -> Keeping:
        return Keeping(
            windows=entry.provider.windows,
            grant_life=entry.provider.grant_life,
            policy=entry.policy or self._settings.policy,
        )
