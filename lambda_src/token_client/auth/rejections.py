"""When a 401 or 403 is worth a report.

A report makes the function refresh, which kills the token of every consumer. Figma answers 403 to a dead token, and to
a live one that may not do what it asks. The two are told apart by trying: if replacements are refused as well, it is not
the token. (One proves nothing: a report of a version that is not current any more is answered with the current token,
which may be dead, too.) From then on, for a while, rejections of that replacement are not reported; the function is only
asked whether there is a newer token. So a consumer that asks for forbidden things does not kill tokens in a loop, and
one whose token is killed by somebody else is helped all the same.
"""

import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from token_client.source import TokenSource
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

REJECTED: Final = (401, 403)

DOUBTS: Final = 2
"""Replacements refused in a row, after which there is a pause without reports."""

FIRST_PAUSE: Final = 60.0
"""Seconds of that pause; twice as long each time in a row."""

LONGEST_PAUSE: Final = 900.0


class Rejections:
    """Finds the token to try next, and learns from what became of it. One for each auth."""

    def __init__(
        self,
        source: TokenSource,
        *,
        statuses: Collection[int] = REJECTED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self._statuses, self._monotonic = source, frozenset(statuses), monotonic
        self._pause, self._refused = FIRST_PAUSE, 0
        self._doubted, self._until = "", 0.0

    def is_rejection(self, status: int) -> bool:
        """Whether this HTTP status says that the token was rejected."""
        return status in self._statuses

    def replacement(self, token: Token) -> Token | None:
        """Return the token to try in place of a rejected one; None if there is no other.

        Raises:
            TokenClientError: the token was reported, and could not be replaced.

        """
        in_doubt = token.version_id == self._doubted and self._monotonic() < self._until
        other = self.source.look_again(token) if in_doubt else self.source.report_failure(token)
        return None if other.version_id == token.version_id else other

    def tried(self, replacement: Token, status: int) -> None:
        """Learn what the API said to the replacement."""
        if not self.is_rejection(status):
            self._pause, self._refused = FIRST_PAUSE, 0
            return
        self._refused += 1
        if self._refused < DOUBTS:
            return
        LOGGER.warning(
            "HTTP %d for %d new tokens in a row: this looks like a missing permission or scope, not like dead tokens. "
            "Rejections of this one (version %s) are not reported for %d seconds.",
            status,
            self._refused,
            replacement.version_id,
            self._pause,
        )
        self._doubted, self._until = replacement.version_id, self._monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
