"""A connection: one grant, the store of its pair, and what refreshes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from refresh_token.core.ports import Issuer, TokenStore
from refresh_token.core.windows import WindowSettings

if TYPE_CHECKING:
    from refresh_token.core.claims import RefreshLock
    from refresh_token.core.grant_life import GrantLife


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One grant. The connection of a deployment with a single secret has no name.

    Lock and issuer are made on first use: most invocations only read and need neither.
    """

    name: str | None
    store: TokenStore
    windows: WindowSettings
    policy: str
    """One of `refresh_policy.POLICIES`."""

    grant_life: "GrantLife"
    make_lock: "Callable[[], RefreshLock]"
    make_issuer: Callable[[], Issuer]
    static: bool = False
    """Whether a person renews the token (`static_token`), so that lock and issuer are never used."""

    @cached_property
    def lock(self) -> "RefreshLock":
        """The lock that guards this connection's refreshes."""
        return self.make_lock()

    @cached_property
    def issuer(self) -> Issuer:
        """The issuer of this connection's tokens."""
        return self.make_issuer()

    def prepare_refresh(self) -> None:
        """Make issuer and lock now, so that wrong settings fail before anything is claimed.

        Raises:
            ConfigurationException: the settings of the issuer or the lock are wrong.

        """
        _ = self.issuer, self.lock
