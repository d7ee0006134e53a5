"""A running start for the core's tests: everything faked, one stored pair."""

from dataclasses import dataclass, field
from itertools import count

from refresh_token.refresh_once import RefreshOnce
from refresh_token.refresher import Refresher
from refresh_token.token_pair import TokenPair
from tests.support.fakes import NOW, FakeClock, FakeIssuer, FakeLock, FakeStore, FakeTelemetry
from tests.support.windows import LEFT, WINDOWS


def pair(window: str = "fresh", **changes: object) -> TokenPair:
    """Return the pair of version V1 in a window."""
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


@dataclass
class World:
    """The core and everything around it."""

    clock: FakeClock = field(default_factory=FakeClock)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    store: FakeStore = field(default_factory=FakeStore)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)

    def __post_init__(self) -> None:
        self.lock = FakeLock(self.clock)
        self.dead: set[str] = set()
        ids = count(2)
        self.once = RefreshOnce(
            store=self.store,
            issuer=self.issuer,
            lock=self.lock,
            clock=self.clock,
            telemetry=self.telemetry,
            new_version_id=lambda _: f"V{next(ids)}",
            jitter=lambda: 1.0,
            dead=self.dead,
        )
        self.refresher = Refresher(
            store=self.store,
            clock=self.clock,
            telemetry=self.telemetry,
            windows=WINDOWS,
            issuer=lambda: self.issuer,
            once=lambda: self.once,
            dead=self.dead,
        )

    @classmethod
    def with_token(cls, window: str = "fresh", **changes: object) -> "World":
        """Return a world whose secret holds version V1 in a window."""
        world = cls()
        world.store.put("V1", pair(window, **changes))
        return world
