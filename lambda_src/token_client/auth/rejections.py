"""When a 401 or 403 is worth a report, and when the request is worth sending again.

A report makes the function refresh, which kills the token of every consumer. Figma answers 403 to a dead token, and to
a live one that may not do what it asks. The two are told apart by trying. If a token is refused that was made for this
very request, it is not the token. From then on, for a while, rejections of that token are not reported; the function is
only asked whether there is a newer one. So a consumer that asks for forbidden things does not kill tokens in a loop,
and one whose token is killed by somebody else is helped all the same.

A token that was in use before this request may be two deaths behind: its report is answered with the current token, and
that one is dead, too. Only then a request is sent a third time.

    token of this request     V0 refused ── report V0 ──▶ V1 refused ── leave it: V1 was made for us
    token in use before       V0 refused ── report V0 ──▶ V1 refused ── report V1 ──▶ V2 refused ── leave it
"""

import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from token_client.source import TokenSource
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

REJECTED: Final = (401, 403)

FIRST_PAUSE: Final = 60.0
"""Seconds without reports of a token that is in doubt; twice as long each time in a row."""

LONGEST_PAUSE: Final = 900.0


class Rejections:
    """What an auth has learnt from rejections so far."""

    def __init__(
        self,
        source: TokenSource,
        *,
        statuses: Collection[int] = REJECTED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self._statuses, self._monotonic = source, frozenset(statuses), monotonic
        self._pause = FIRST_PAUSE
        self._doubted, self._until, self._used = "", 0.0, ""

    def begin(self) -> "Trial":
        """Return the trial of a new request, with a token to send it with; raises a `TokenClientError`."""
        token = self.source.get_token()
        attempts = 2 if token.version_id == self._used else 1
        self.note(token)
        return Trial(self, token, attempts)

    def note(self, token: Token) -> None:
        """Learn that this token is in use from now on."""
        self._used = token.version_id

    def is_rejection(self, status: int) -> bool:
        """Whether this HTTP status says that the token was rejected."""
        return status in self._statuses

    def is_doubted(self, token: Token) -> bool:
        """Whether its rejections say nothing about this token."""
        return token.version_id == self._doubted and self._monotonic() < self._until

    def doubt(self, token: Token, status: int) -> None:
        """Learn that a token was refused that should work."""
        LOGGER.warning(
            "HTTP %d for a new token, too: this looks like a missing permission or scope, not like a dead token. "
            "Rejections of this one (version %s) are not reported for %d seconds.",
            status,
            token.version_id,
            self._pause,
        )
        self._doubted, self._until = token.version_id, self._monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def trust(self) -> None:
        """Learn that a replacement works: rejections are about tokens."""
        self._pause = FIRST_PAUSE


class Trial:
    """One request: the token that it is sent with, and what to do about each answer."""

    def __init__(self, rejections: Rejections, token: Token, attempts: int) -> None:
        self._rejections, self.token, self._attempts = rejections, token, attempts
        self._is_replaced = False

    def is_to_be_repeated(self, status: int, *, can_be: Callable[[], bool]) -> bool:
        """Whether to send the request again, with what is `token` from now on.

        `can_be` is asked whether it can be sent again, at the time when it matters. A token is reported either way.

        Raises:
            TokenClientError: the token was reported, and could not be replaced.

        """
        rejections = self._rejections
        if not rejections.is_rejection(status):
            if self._is_replaced:
                rejections.trust()
            return False
        if not self._attempts:
            rejections.doubt(self.token, status)
            return False
        if rejections.is_doubted(self.token):
            other, self._attempts = rejections.source.look_again(self.token), 1
        else:
            other = rejections.source.report_failure(self.token)
        if other.version_id == self.token.version_id or not can_be():
            return False
        self.token, self._attempts, self._is_replaced = other, self._attempts - 1, True
        rejections.note(other)
        return True
