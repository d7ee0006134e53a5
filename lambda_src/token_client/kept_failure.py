"""How long the client remembers that the function gave no token, so that not every request asks it again."""

from dataclasses import dataclass
from typing import Self

from token_client.errors import TokenClientError
from token_client.kept_token import Now


@dataclass(frozen=True, slots=True)
class KeptFailure:
    """The error of a call that reported the version `failed`, or none. The client repeats it for `pause` seconds."""

    error: TokenClientError
    failed: str | None
    since: Now
    pause: float

    @classmethod
    def of(cls, error: TokenClientError, failed: str | None, now: Now, chance: float) -> Self:
        """Return a failure that just happened. `chance` is between 0 and 1."""
        return cls(error, failed, now, error.pause * (1 - chance / 2))

    def answers(self, failed: str | None, now: Now) -> bool:
        """Whether it is the answer to a call that would report `failed`. A report of another version is a new call."""
        return failed == self.failed and now.since(self.since) < self.pause
