"""The provider of the simulation: an outage, a rate limit, a mass refusal."""

from dataclasses import dataclass
from typing import Final

from refresh_token.errors import IssuerUnavailableException, ReauthorizationRequiredException, RefreshTokenError

NO_ANSWER: Final = IssuerUnavailableException("The provider does not answer.")
TOO_MANY: Final = IssuerUnavailableException("The provider limits the rate.")
REFUSED: Final = ReauthorizationRequiredException("The provider refuses the grant.")


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a provider answers. Times are seconds since the start of the simulation."""

    down: tuple[float, float] = (0, 0)
    refuses: tuple[float, float] = (0, 0)
    rate_limit: float = float("inf")
    """Calls that it answers in a second; the rest gets 429."""
    seconds: float = 0.3
    """How long a call takes."""
    timeout: float = 0.3
    """How long a call takes while the provider is down. Normally it answers 503 at once."""


class SimulatedProvider:
    """Answers, and counts its calls. Each call stands for `grain` real ones."""

    def __init__(self, behaviour: Behaviour, grain: int) -> None:
        self._behaves = behaviour
        self._rate_limit = behaviour.rate_limit / grain
        self.calls = 0
        self.vain = 0
        """Calls that did not lead to a token."""
        self.refused = 0
        self.busiest = 0
        """Calls in the busiest second."""
        self._room = self._rate_limit
        self._second = 0
        self._in_second = 0

    def call(self, second: int) -> RefreshTokenError | None:
        """Count a call, and return how it fails, None if it does not."""
        if second != self._second:
            gained = self._room + self._rate_limit * (second - self._second)
            self._room = min(gained, self._rate_limit + 1)  # a fraction stays for the next second
            self._second, self._in_second = second, 0
        self._in_second += 1
        self.busiest = max(self.busiest, self._in_second)
        self.calls += 1
        error = self._error(second)
        self.vain += error is not None
        self.refused += error is REFUSED
        return error

    def duration(self, second: int) -> float:
        """Return how long a call takes."""
        return self._behaves.timeout if _within(second, self._behaves.down) else self._behaves.seconds

    def _error(self, second: int) -> RefreshTokenError | None:
        if _within(second, self._behaves.down):
            return NO_ANSWER
        if self._room < 1:
            return TOO_MANY
        self._room -= 1
        return REFUSED if _within(second, self._behaves.refuses) else None


def _within(second: int, span: tuple[float, float]) -> bool:
    return span[0] <= second < span[1]
