"""Decides when to report a 401 or 403, and when to send the request again.

A report makes the function refresh, which kills every consumer's token. Figma answers 403 both to a dead token and to a
live token that lacks a permission, and only an attempt tells the two apart: if the API rejects even a token that was
made for this request, the token is not the reason. For a while the adapter then stops reporting that token and only
asks the function whether there is a newer one. So a consumer that requests something it may not see does not kill
tokens in a loop, and a consumer whose token was killed elsewhere still gets a new one.

A token that was in use before this request may be two refreshes behind: the function answers its report with the
current token, and that one may be dead, too. Only then does the adapter send a request a third time. If a request
cannot be sent again, the next request with the replacement takes its place.

    token of this request     V0 rejected ── report V0 ──▶ V1 rejected ── stop: V1 was made for this request
    token in use before       V0 rejected ── report V0 ──▶ V1 rejected ── report V1 ──▶ V2 rejected ── stop
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
"""Seconds during which a doubted token is not reported. The pause doubles each time in a row."""

MAX_PAUSE: Final = 900.0


class Rejections:
    """What one adapter has learnt from rejections so far."""

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
        self._untried: tuple[str, int] | None = None
        """The version of a replacement whose request could not be sent again, and the attempts that were left."""

    def begin(self) -> "Trial":
        """Return the trial of a new request, with a token to send; raises a `TokenClientError`."""
        token = self.source.get_token()
        attempts = 2 if token.version_id == self._used else 1
        self.note(token)
        return self._trial(token, attempts)

    def resume(self, token: Token) -> "Trial":
        """Return the trial of a request that was signed with this token before, and is sent again."""
        return self._trial(token, 2)

    def _trial(self, token: Token, attempts: int) -> "Trial":
        if self._untried and self._untried[0] == token.version_id:
            return Trial(self, token, self._untried[1], is_replaced=True)
        return Trial(self, token, attempts)

    def note(self, token: Token) -> None:
        """Remember this token as the one in use."""
        self._used = token.version_id

    def leave_untried(self, token: Token, attempts: int) -> None:
        """Remember a replacement that no request could try yet."""
        self._untried = (token.version_id, attempts)

    def is_rejection(self, status: int) -> bool:
        """Whether this HTTP status counts as a rejection of the token."""
        return status in self._statuses

    def is_doubted(self, token: Token) -> bool:
        """Whether rejections of this token currently say nothing about the token."""
        return token.version_id == self._doubted and self._monotonic() < self._until

    def doubt(self, token: Token, status: int) -> None:
        """Stop reporting this token for a while: the API rejected it although it should work."""
        LOGGER.warning(
            "The API answered HTTP %d to a new token as well. A permission or scope is probably missing; the token is "
            "probably alive. Rejections of this token (version %s) are not reported for %d seconds.",
            status,
            token.version_id,
            self._pause,
        )
        self._doubted, self._until, self._untried = token.version_id, self._monotonic() + self._pause, None
        self._pause = min(2 * self._pause, MAX_PAUSE)

    def trust(self) -> None:
        """Start again with the first pause: a replacement worked, so the rejection was about the token."""
        self._pause, self._untried = FIRST_PAUSE, None


class Trial:
    """One request: the token that it carries, and what to do after each answer."""

    def __init__(self, rejections: Rejections, token: Token, attempts: int, *, is_replaced: bool = False) -> None:
        self._rejections, self.token, self._attempts = rejections, token, attempts
        self._is_replaced = is_replaced

    def should_repeat(self, status: int, *, can_repeat: Callable[[], bool]) -> bool:
        """Whether to send the request again, with the new value of `token`.

        Calls `can_repeat` only when the answer matters. Reports a rejected token in either case.

        Raises:
            TokenClientError: the token was reported, but could not be replaced.

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
        if other.version_id == self.token.version_id:
            return False
        if not can_repeat():
            rejections.leave_untried(other, self._attempts - 1)
            return False
        self.token, self._attempts, self._is_replaced = other, self._attempts - 1, True
        rejections.note(other)
        return True
