"""Decides when to report a 401 or 403, and when to send the request again.

A report makes the function refresh, which kills every consumer's token. Figma answers 403 both to a dead token and to a
live token that lacks a permission. If the answer tells which it is (`evidence`), the adapter acts on that. If it does
not, only an attempt tells: if the API rejects even the replacement, the token is not the reason. For a while the
adapter then stops reporting that token and only asks the function whether there is a newer one. So a consumer that
requests something it may not see does not kill tokens in a loop, and a consumer whose token was killed elsewhere still
gets a new one.

A token may be two refreshes behind: the function answers its report with the current token, and that one may be dead,
too. Only if the current token was issued some time ago does the adapter report it as well, and send the request a third
time. If a request cannot be sent again, the next request with the replacement takes its place.

    V0 rejected ── report V0 ──▶ V1, issued just now ── V1 rejected ── stop: a new token does not help
    V0 rejected ── report V0 ──▶ V1, issued before ──── V1 rejected ── report V1 ──▶ V2 rejected ── stop
"""

import inspect
import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Final

from token_client.auth.evidence import Evidence
from token_client.auth.hosts import Hosts
from token_client.source import TokenSource
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

REJECTED: Final = (401, 403)

FIRST_PAUSE: Final = 60.0
"""Seconds during which a doubted token is not reported. The pause doubles each time in a row."""

MAX_PAUSE: Final = 900.0

MAX_REPORTS: Final = 2
"""Reports that one request may cause."""


class Rejections:
    """What one adapter has learnt from rejections so far, and its settings. A pickled one holds only the settings."""

    def __init__(
        self,
        source: TokenSource,
        *,
        statuses: Collection[int] = REJECTED,
        hosts: Collection[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.statuses, self._given_hosts = source, frozenset(statuses), hosts
        self.hosts, self._monotonic = Hosts(hosts), monotonic
        self._pause = FIRST_PAUSE
        self._doubted, self._until, self._is_certain = "", 0.0, False
        self._untried: tuple[str, int] | None = None
        """The version of a replacement whose request could not be sent again, and the reports so far."""

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Rejections, self.source, statuses=self.statuses, hosts=self._given_hosts), ()

    def begin(self, timeout: float | None = None) -> "Trial":
        """Return the trial of a new request, with a token to send; raises a `TokenClientError`."""
        return self.resume(_bounded(self.source.get_token, timeout)(), timeout)

    def begin_from_memory(self, timeout: float | None = None) -> "Trial | None":
        """Return the same if the source has a token in memory, without waiting."""
        in_memory = getattr(self.source, "token_in_memory", None)
        token = in_memory() if in_memory else None
        return self.resume(token, timeout) if isinstance(token, Token) else None

    def resume(self, token: Token, timeout: float | None = None) -> "Trial":
        """Return the trial of a request that is signed with this token, which may be an old one."""
        is_untried = self._untried is not None and self._untried[0] == token.version_id
        return Trial(self, token, timeout, reports=self._untried[1] if self._untried and is_untried else 0)

    def leave_untried(self, token: Token, reports: int) -> None:
        """Remember a replacement that no request could try yet."""
        self._untried = (token.version_id, reports)

    def is_doubted(self, token: Token, evidence: Evidence) -> bool:
        """Whether such a rejection of this token currently says nothing about the token."""
        is_news = evidence is Evidence.INVALID and not self._is_certain
        return token.version_id == self._doubted and self._monotonic() < self._until and not is_news

    def doubt(self, token: Token, status: int, evidence: Evidence) -> None:
        """Stop reporting this token for a while: the API rejected it although it should work."""
        LOGGER.warning(
            "The API answered HTTP %d to a new token as well. A permission or scope is probably missing; the token is "
            "probably alive. Rejections of this token (version %s) are not reported for %d seconds.",
            status,
            token.version_id,
            self._pause,
        )
        self._doubted, self._until, self._untried = token.version_id, self._monotonic() + self._pause, None
        self._is_certain = evidence is Evidence.INVALID
        self._pause = min(2 * self._pause, MAX_PAUSE)

    def trust(self) -> None:
        """Start again with the first pause: a replacement worked, so the rejection was about the token."""
        self._pause, self._untried = FIRST_PAUSE, None


class AuthAdapter:
    """What the auths of requests and httpx have in common: the source of tokens, and the settings."""

    def __init__(
        self,
        source: TokenSource,
        *,
        rejected_statuses: Collection[int] = REJECTED,
        hosts: Collection[str] | None = None,
    ) -> None:
        self._rejections = Rejections(source, statuses=rejected_statuses, hosts=hosts)


class Trial:
    """One request: the token that it carries, and what to do after each answer."""

    def __init__(self, rejections: Rejections, token: Token, timeout: float | None, *, reports: int) -> None:
        self._rejections, self.token, self.timeout, self._reports = rejections, token, timeout, reports

    def is_rejection(self, status: int) -> bool:
        """Whether this HTTP status counts as a rejection of the token."""
        return status in self._rejections.statuses

    def should_repeat(self, status: int, evidence: Evidence, *, can_repeat: Callable[[], bool]) -> bool:
        """Whether to send the request again, with the new value of `token`.

        Calls `can_repeat` only when the answer matters. Reports a rejected token in either case.

        Raises:
            TokenClientError: the token was reported, but could not be replaced.

        """
        rejections, source = self._rejections, self._rejections.source
        if not self.is_rejection(status):
            if self._reports:
                rejections.trust()
            return False
        if evidence is Evidence.OTHER:
            return False
        if self._reports and not self._may_report_again(evidence):
            rejections.doubt(self.token, status, evidence)
            return False
        if rejections.is_doubted(self.token, evidence):
            other, self._reports = _bounded(source.look_again, self.timeout)(self.token), MAX_REPORTS
        else:
            other = _bounded(source.report_failure, self.timeout)(self.token)
            self._reports += 1
            if other.version_id == self.token.version_id:
                rejections.doubt(self.token, status, evidence)
        if other.version_id == self.token.version_id:
            return False
        if not can_repeat():
            rejections.leave_untried(other, self._reports)
            return False
        self.token = other
        return True

    def _may_report_again(self, evidence: Evidence) -> bool:
        """Whether this token, a replacement, may have died before we got it."""
        if self._reports >= MAX_REPORTS:
            return False
        if self.token.refreshed_at is None:
            return evidence is Evidence.INVALID
        return not self.token.is_new(time.time())


def _bounded(method: Callable[..., Token], timeout: float | None) -> Callable[..., Token]:
    """Return a source's method with the timeout, if it takes one."""
    if timeout is None or "timeout" not in inspect.signature(method).parameters:
        return method
    options: dict[str, Any] = {"timeout": timeout}
    return partial(method, **options)
