"""Keeps the token for all threads of a process, and lets one thread at a time ask the function.

The keeper keeps a token until some time before its expiry. If a refresh elsewhere kills the token early, the client
learns of it from a rejection (401, 403), which the consumer reports. However many threads there are, one call runs at a
time:

    thread A  get_token ───┐ no live token: calls ────────────▶ answer V1 ──▶ V1
    thread B  get_token ───┘ no live token: waits for A's answer ───────────▶ V1
    thread C  report V1 ─────────────────────────────────┐ calls "V1 failed" ──────▶ V2
    thread D  report V1 ─────────────────────────────────┘ waits for C's answer ───▶ V2
    thread E  report V1, later: V2 is known ──▶ V2, without a call

The function, the clocks and the source of randomness are arguments, so this module does no I/O.
"""

import copy
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from token_client.answers import Received
from token_client.errors import TokenClientError, UnexpectedAnswerException
from token_client.kept_token import KeptToken, Now
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

MAX_REMEMBERED: Final = 32
"""How many versions a process remembers. A token lives for months, so no process sees more."""

MAX_ROUNDS: Final = 4


class Ask(Protocol):
    """Invokes the function."""

    def __call__(self, event: Mapping[str, str], *, patient: bool) -> Received:
        """Return its token answer; raises a `TokenClientError`. Not `patient`: a live token is at hand."""
        ...


@dataclass(slots=True)
class _Call:
    """A call of the function that is under way. `failed` is the version that it reports, if any."""

    failed: str | None
    patient: bool
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Token | TokenClientError | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """What a caller needs: a token; one that replaces ``reported``; or, if there is one, a newer one than ``known``."""

    reported: str | None = None
    known: str | None = None


class TokenKeeper:
    """Keeps the token for all threads of a process. ``jitter`` returns a number between 0 and 1."""

    def __init__(self, ask: Ask, *, now: Callable[[], Now], jitter: Callable[[], float]) -> None:
        self._ask, self._now, self._jitter = ask, now, jitter
        self._lock = threading.Lock()
        self._kept: KeptToken | None = None
        self._call: _Call | None = None
        self._rejected: deque[str] = deque(maxlen=MAX_REMEMBERED)
        self._seen: deque[str] = deque(maxlen=MAX_REMEMBERED)
        """Versions that the function gave us, or that we reported with success."""

    def get_token(self) -> Token:
        """Return a live token, from memory unless it is time to ask; raises a `TokenClientError`."""
        return self._token_for(_Request())

    def report_failure(self, token: Token) -> Token:
        """Never hand this version out again, and return one that works; raises a `TokenClientError`."""
        with self._lock:
            if token.version_id not in self._rejected:
                self._rejected.append(token.version_id)
        return self._token_for(_Request(reported=token.version_id))

    def look_again(self, token: Token) -> Token:
        """Return the current token, which may still be this one. If the function does not answer, return this one."""
        try:
            return self._token_for(_Request(known=token.version_id))
        except TokenClientError as error:
            LOGGER.info("The refresh function did not answer a request for a newer token. %s", _described(error))
            return token

    def after_fork(self) -> None:
        """In a child process, forget the parent's threads and the lock that they may hold."""
        self._lock = threading.Lock()
        self._call = None

    def _token_for(self, request: _Request) -> Token:
        for _ in range(MAX_ROUNDS):
            with self._lock:
                kept = self._usable()
                if kept and self._satisfies(kept, request):
                    return kept.token
                call, is_ours = self._join_or_begin(kept, request)
            if is_ours:
                self._perform(call)
            else:
                call.done.wait()
            with self._lock:
                kept = self._usable()
                outcome = call.outcome
                if isinstance(outcome, Token) and outcome.version_id not in self._rejected:
                    return outcome
                if isinstance(outcome, TokenClientError):
                    if kept and request == _Request():
                        return kept.token
                    if call.patient and (call.failed or not request.reported):
                        # Each thread raises its own copy: raising an exception writes to it.
                        raise copy.copy(outcome)
                    if is_ours and kept:
                        raise outcome
        raise UnexpectedAnswerException(
            "The function answered with one rejected token after another. Check that nothing else refreshes this Figma "
            "grant, and that the API's rejections are about the token."
        )

    def _usable(self) -> KeptToken | None:
        kept = self._kept
        if kept is None or kept.token.version_id in self._rejected or not kept.is_alive(self._now()):
            return None
        return kept

    def _satisfies(self, kept: KeptToken, request: _Request) -> bool:
        if request.reported:
            return kept.token.version_id != request.reported and request.reported in self._seen
        if request.known:
            return kept.token.version_id != request.known
        return self._call is not None or kept.age(self._now()) < kept.ask_after

    def _join_or_begin(self, usable: KeptToken | None, request: _Request) -> tuple[_Call, bool]:
        """Return the call that is under way, or a new one, and whether it is the caller who has to perform it."""
        if self._call:
            return self._call, False
        failed = request.reported
        if self._kept and self._kept.token.version_id in self._rejected:
            failed = self._kept.token.version_id
        self._call = _Call(failed, patient=usable is None or failed is not None)
        return self._call, True

    def _perform(self, call: _Call) -> None:
        since, received = self._now(), None
        try:
            event = {"provider": "figma"} | ({"failedVersionId": call.failed} if call.failed else {})
            try:
                received = self._ask(event, patient=call.patient)
                call.outcome = received.token
            except TokenClientError as error:
                call.outcome = error.with_traceback(None)
            if received and received.token.version_id == call.failed:
                call.outcome = UnexpectedAnswerException(
                    "The function gave back the token that was reported as rejected. Check the function's name, and "
                    "see its log."
                )
        finally:
            with self._lock:
                if received:
                    self._kept = KeptToken.received(received, since, self._jitter())
                    self._seen.append(received.token.version_id)
                    if call.failed:
                        self._seen.append(call.failed)
                elif isinstance(call.outcome, TokenClientError):
                    self._keep_as_stale(call.outcome)
                self._call = None
            call.done.set()

    def _keep_as_stale(self, error: TokenClientError) -> None:
        """Keep handing out the current token, if there is one, and log a warning."""
        if kept := self._usable():
            now = self._now()
            self._kept = kept.without_an_answer(now, self._jitter())
            LOGGER.warning(
                "The refresh function gave no token. The client keeps using version %s, which has %d seconds left. %s",
                kept.token.version_id,
                kept.life - kept.age(now),
                _described(error),
            )


def _described(error: TokenClientError) -> str:
    return f"{type(error).__name__}: {error}"
