"""How long the client keeps a token, and when it asks the function about it again. Clocks and chance are arguments."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from token_client.answers import Received
from token_client.tokens import Token

AHEAD: Final = 7 * 86_400.0
"""The client asks about a fresh token this many seconds before its expiry, but at most a third of its life before it.
The schedule refreshes tokens from about this moment on (the advisory window)."""

AHEAD_JITTER: Final = 0.1
"""The client shortens the wait at random by up to this share, so that a thousand consumers do not ask at once."""

AGAIN: Final = 600.0
"""Seconds until the client asks again about a token that is due for a refresh, shortened at random by up to half."""

PAUSE: Final = 60.0
"""Seconds until the client asks again after the function did not answer, shortened at random by up to half."""

LAST: Final = 30.0
"""The client does not hand out a token in the last seconds of its life, because a request takes time. At most a tenth
of its life."""


class Now(NamedTuple):
    """Both clocks, in seconds. The monotonic clock may stop while Lambda freezes us; the wall clock may be set back."""

    monotonic: float
    wall: float

    def since(self, earlier: "Now") -> float:
        """Return the seconds since an earlier moment, by whichever clock counted more."""
        return max(0.0, self.monotonic - earlier.monotonic, self.wall - earlier.wall)


@dataclass(frozen=True, slots=True)
class Pause:
    """The client asks nothing more about a version for so many seconds."""

    version: str
    since: Now
    seconds: float

    def covers(self, version: str, now: Now) -> bool:
        """Whether it is too early to ask about this version."""
        return version == self.version and now.since(self.since) < self.seconds


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token that arrived at `since` with `life` seconds left; the client asks again when it is `ask_after` old."""

    token: Token
    life: float
    since: Now
    ask_after: float

    @classmethod
    def received(cls, received: Received, since: Now, chance: float) -> Self:
        """Return a token that just arrived. `chance` is between 0 and 1."""
        life = float(received.expires_in)
        if received.token.state == "fresh":
            ask_after = (life - min(AHEAD, life / 3)) * (1 - AHEAD_JITTER * chance)
        else:
            ask_after = min(AGAIN, life / 3) * (1 - chance / 2)
        return cls(received.token, life, since, ask_after)

    def without_an_answer(self, now: Now, chance: float) -> Self:
        """Return the same token as stale, after the function did not answer a question about it."""
        pause = min(PAUSE, self.life / 3) * (1 - chance / 2)
        return replace(self, token=replace(self.token, stale=True), ask_after=self.age(now) + pause)

    def age(self, now: Now) -> float:
        """Return the seconds since the token arrived."""
        return now.since(self.since)

    def is_alive(self, now: Now) -> bool:
        """Whether the token may still be handed out."""
        return self.age(now) < self.life - min(LAST, self.life / 10)
