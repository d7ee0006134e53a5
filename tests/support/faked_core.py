"""A running start for the core's tests: everything faked, one stored pair."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from refresh_token.core.connections import Connection
from refresh_token.core.grant_life import GrantLife
from refresh_token.core.grants import Spends
from refresh_token.core.ports import Clock, Issuer
from refresh_token.core.process_memory import ProcessMemory
from refresh_token.core.refresh_once import RefreshOnce
from refresh_token.core.refresher import Refresher
from refresh_token.core.secret_format import parser_for
from refresh_token.core.token_pair import PROVIDER, TokenPair
from refresh_token.core.windows import WindowSettings
from tests.support.fakes import NOW, FakeClock, FakeIssuer, FakeLock, FakeStore, FakeTelemetry
from tests.support.windows import LEFT, WINDOWS

GRANT_THAT: dict[Spends, str] = {
    "refresh_token": "refresh_token",
    "access_token": "token_exchange",
    "nothing": "client_credentials",
}
"""A grant for everything that a refresh can spend."""


def pair(window: str = "fresh", **changes: object) -> TokenPair:
    left = LEFT[window]
    expires_at = None if left is None else NOW + left
    facts: dict[str, object] = {
        "access_token": "access-0",
        "refresh_token": "refresh-1",
        "client_id": "client-1",
        "expires_at": expires_at,
        "unknown": {"note": "keep me"},
    }
    return TokenPair(**{**facts, **changes})  # type: ignore[arg-type]


def build_core(
    connection: Connection,
    clock: Clock,
    telemetry: FakeTelemetry,
    memory: ProcessMemory,
    new_version_id: Callable[[str], str],
) -> Refresher:
    parts: dict[str, Any] = {"connection": connection, "clock": clock, "telemetry": telemetry, "memory": memory}
    once = RefreshOnce(**parts, new_version_id=new_version_id, jitter=lambda: 1.0)
    return Refresher(**parts, once=lambda: once)


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    store: FakeStore = field(default_factory=FakeStore)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    windows: WindowSettings = WINDOWS
    policy: str = "always"
    grant_life: GrantLife = field(default_factory=GrantLife)
    static: bool = False

    def __post_init__(self) -> None:
        self.lock = FakeLock(self.clock.now)
        self.memory = ProcessMemory()
        self.make_issuer: Callable[[], Issuer] = lambda: self.issuer
        self.connection = Connection(
            name=None,
            store=self.store,
            windows=self.windows,
            policy=self.policy,
            grant_life=self.grant_life,
            make_lock=lambda: self.lock,
            make_issuer=lambda: self.make_issuer(),  # noqa: PLW0108 - a test may change it
            static=self.static,
        )
        ids = count(2)
        self.refresher = build_core(self.connection, self.clock, self.telemetry, self.memory, lambda _: f"V{next(ids)}")

    @property
    def once(self) -> RefreshOnce:
        return self.refresher.once()

    @classmethod
    def with_token(cls, window: str = "fresh", **changes: Any) -> "World":
        return cls().seeded(window, **changes)

    @classmethod
    def spending(cls, spends: Spends, window: str | None = "fresh", **changes: Any) -> "World":
        """Return a world whose refreshes spend that; without a window, its secret never had a value."""
        world = cls()
        world.issuer.spends, world.store.secret.parse = spends, parser_for(GRANT_THAT[spends], PROVIDER)
        refresh_token = "refresh-1" if spends == "refresh_token" else ""
        return world if window is None else world.seeded(window, **{"refresh_token": refresh_token, **changes})

    def seeded(self, window: str = "fresh", *, stored: datetime = NOW, **changes: object) -> "World":
        self.store.put("V1", pair(window, **changes), at=stored)
        return self

    def forget(self) -> None:
        """Go on in another process."""
        self.memory = ProcessMemory()
        once = replace(self.once, memory=self.memory)
        self.refresher = replace(self.refresher, memory=self.memory, once=lambda: once)
