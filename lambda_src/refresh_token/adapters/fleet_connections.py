"""Makes the core's connection for an item of a fleet: its store, its lock, and the issuer of its provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from refresh_token.adapters.connection_item import ConnectionItem
from refresh_token.adapters.item_lock import ItemRules
from refresh_token.adapters.item_tokens import ItemTokens
from refresh_token.core.connections import Connection
from refresh_token.errors import ConfigurationException
from refresh_token.fleet.due import Keeping, core_policy
from refresh_token.fleet.state_change import Reason, StateChange, StateChanges, reason_for
from refresh_token.fleet.states import State
from refresh_token.oauth.variables import ATTEMPTS

if TYPE_CHECKING:
    from refresh_token.adapters.connection_table import ConnectionTable
    from refresh_token.adapters.sealing import KmsSeal
    from refresh_token.core.ports import Issuer
    from refresh_token.core.token_pair import TokenPair
    from refresh_token.fleet.providers import Provider
    from refresh_token.fleet.record import Record
    from refresh_token.fleet.settings import FleetSettings

MAX_ISSUERS: Final = 256
"""Issuers that a process keeps, one for each provider and set of parameters. Each keeps a connection to its host."""

MakeIssuer = Callable[[Mapping[str, str]], "Issuer"]
"""Makes an issuer of its variables (`issuers.registry.issuer_from`)."""

Params = tuple[tuple[str, str], ...]
IssuerFor = Callable[["Provider", Params], "Issuer"]


@dataclass(frozen=True, slots=True)
class OpenedConnection:
    """A connection whose item was just read. The core's first read is served from that record."""

    record: "Record"
    connection: Connection
    item: ConnectionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetConnections:
    """Opens connections. ``issuer_for`` is the process's `issuer_cache`; ``jitter`` returns a number from 0 to 1."""

    settings: "FleetSettings"
    table: "ConnectionTable"
    seal: "KmsSeal"
    issuer_for: IssuerFor
    changes: StateChanges
    now: Callable[[], datetime]
    jitter: Callable[[], float]

    def open(self, name: str, *, force: bool = False) -> OpenedConnection:
        """Read the item of a connection.

        ``force``: an operator asks, so the refresh of a connection that is stuck or refused is tried.

        Raises:
            ConnectionNotFoundException: there is no such connection.
            ConfigurationException: the fleet does not have its provider.
            SecretUnavailableException: the table cannot be read.

        """
        record = self.table.read(name)
        provider = self.settings.providers.get(record.provider)
        if provider is None:
            raise ConfigurationException(
                f"The connection {name} is of a provider that this fleet does not have. Add the provider to the "
                "setting `providers` and deploy, or remove the connection.",
                unsent=True,
            )
        policy = record.policy or self.settings.policy
        item = ConnectionItem(record, self.table, self._rules(provider, policy, force=force))
        params = tuple(sorted(record.params.items()))
        connection = Connection(
            name=name,
            store=item,
            windows=provider.windows,
            policy=core_policy(policy, _lifetime(record)),
            grant_life=provider.grant_life,
            make_lock=lambda: item,
            make_issuer=lambda: self.issuer_for(provider, params),
        )
        return OpenedConnection(record, connection, item)

    def _rules(self, provider: "Provider", policy: str, *, force: bool) -> ItemRules:
        return ItemRules(
            tokens=ItemTokens(
                seal=self.seal,
                parse=provider.parse,
                spends=provider.spends,
                seals_access=self.settings.seal_access_tokens,
                rotates=provider.rotates,
            ),
            keeping=Keeping(windows=provider.windows, grant_life=provider.grant_life, policy=policy),
            now=self.now,
            jitter=self.jitter,
            changed=self._changed,
            ending=self._ending,
            force=force,
        )

    def _changed(self, before: "Record", after: "State", pair: "TokenPair | None") -> None:
        if reason := reason_for(before.state, after):
            self._tell(before, before.state, after, reason, pair or before)

    def _ending(self, record: "Record", pair: "TokenPair") -> None:
        self._tell(record, State.ACTIVE, State.ACTIVE, Reason.GRANT_EXPIRING, pair)

    def _tell(self, record: "Record", before: State, after: State, reason: str, current: "TokenPair | Record") -> None:
        self.changes.changed(
            StateChange(
                connection=record.name,
                provider=record.provider,
                before=before,
                after=after,
                reason=reason,
                at=self.now(),
                expires_at=current.expires_at,
                refresh_expires_at=current.refresh_expires_at,
            )
        )


def issuer_cache(make: MakeIssuer, *, attempts: int | None = None) -> IssuerFor:
    """Return what makes the issuer of a provider and of a connection's parameters, and keeps the last ones.

    ``attempts``: how often the issuer is called for one refresh at most, None for as often as in the stack of one
    secret. The result raises ConfigurationException if the settings of the issuer are wrong.
    """
    more = {} if attempts is None else {ATTEMPTS: str(attempts)}

    @lru_cache(maxsize=MAX_ISSUERS)
    def made(variables: Params) -> "Issuer":
        return make({**dict(variables), **more})

    return lambda provider, params: made(tuple(sorted(provider.with_params(dict(params)).items())))


def _lifetime(record: "Record") -> timedelta | None:
    """Return the whole life of a connection's access token, as `TokenPair.lifetime` does."""
    start, end = record.refreshed_at, record.expires_at
    return end - start if start and end and start < end else None
