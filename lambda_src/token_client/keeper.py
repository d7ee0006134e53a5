"""Keeps the token for all threads of a process, and asks the function one question at a time.

The keeper keeps a token until some time before its expiry. If a refresh elsewhere kills the token early, the client
learns of it from a rejection (401, 403), which the consumer reports. However many threads there are, one call runs at a
time:

    thread A  get_token ───┐ no live token: calls ────────────▶ answer V1 ──▶ V1
    thread B  get_token ───┘ no live token: waits for A's answer ───────────▶ V1
    thread C  report V1 ─────────────────────────────────┐ calls "V1 failed" ──────▶ V2
    thread D  report V1 ─────────────────────────────────┘ waits for C's answer ───▶ V2
    thread E  report V1, later: V2 is known ──▶ V2, without a call

If a caller's timeout ends first, the call goes on in the background, and the next caller gets its answer. After a call
without a token, callers get its error for a while, without another call.

The function, the clocks and the source of randomness are arguments, so this module does no I/O.
"""

import copy
import logging
import threading
from collections.abc import Callable
from typing import Final

from token_client.calls import Ask, Call, Request, timed_out
from token_client.errors import TokenClientError, UnexpectedAnswerException
from token_client.kept_token import Now
from token_client.memory import Memory, described
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

MAX_ROUNDS: Final = 4


class TokenKeeper:
    """Keeps the token for all threads of a process. ``jitter`` returns a number between 0 and 1.

    A call that has lasted for more than ``lost_after`` seconds is lost: Lambda froze the process in the meantime.
    """

    def __init__(
        self, ask: Ask, *, now: Callable[[], Now], jitter: Callable[[], float], lost_after: float = 90.0
    ) -> None:
        self._ask, self._now, self._lost_after = ask, now, lost_after
        self._lock = threading.Lock()
        self._call: Call | None = None
        self._memory = Memory(now=now, jitter=jitter)

    def get_token(self, timeout: float | None = None) -> Token:
        """Return a live token, from memory unless it is time to ask; raises a `TokenClientError`."""
        return self._token_for(Request(), timeout)

    def token_in_memory(self) -> Token | None:
        """Return what `get_token` would return without a question to the function, or None."""
        with self._lock:
            return self._memory.satisfying(Request(), is_asking=self._call is not None)

    def report_failure(self, token: Token, timeout: float | None = None) -> Token:
        """Never hand this version out again, and return one that works; raises a `TokenClientError`.

        Returns the same token if the function did not replace it because it is new.
        """
        with self._lock:
            self._memory.reject(token.version_id)
        return self._token_for(Request(reported=token.version_id), timeout)

    def look_again(self, token: Token, timeout: float | None = None) -> Token:
        """Return the current token, which may still be this one. If the function does not answer, return this one."""
        try:
            return self._token_for(Request(known=token.version_id), timeout)
        except TokenClientError as error:
            LOGGER.info("The refresh function did not answer a request for a newer token. %s", described(error))
            return token

    def after_fork(self) -> None:
        """In a child process, forget the parent's threads and the lock that they may hold."""
        self._lock = threading.Lock()
        self._call = None

    def _token_for(self, request: Request, timeout: float | None) -> Token:
        until = None if timeout is None else self._now().monotonic + timeout
        for _ in range(MAX_ROUNDS):
            with self._lock:
                if token := self._memory.satisfying(request, is_asking=self._call is not None):
                    return token
                call, is_ours = self._join_or_begin(request)
            seconds = None if until is None else max(0.0, until - self._now().monotonic)
            in_time = call.run(self._perform, is_ours=is_ours, seconds=seconds)
            with self._lock:
                usable, outcome = self._memory.usable(), call.outcome if in_time else timed_out(timeout)
                if isinstance(outcome, Token) and not self._memory.is_rejected(outcome.version_id):
                    return outcome
                if isinstance(outcome, TokenClientError):
                    if usable and request.is_plain:
                        return usable
                    if not in_time or (call.patient and (call.failed or not request.reported)):
                        # Each thread raises its own copy: raising an exception writes to it.
                        raise copy.copy(outcome)
                    if is_ours and usable:
                        raise outcome
        raise UnexpectedAnswerException(
            "The function answered with one rejected token after another. Check that nothing else refreshes this "
            "grant, and that the API's rejections are about the token."
        )

    def _join_or_begin(self, request: Request) -> tuple[Call, bool]:
        """Return the call that is under way, or a new one, and whether it is the caller who has to perform it."""
        if self._call and self._now().since(self._call.since) < self._lost_after:
            return self._call, False
        self._call = self._memory.call_for(request)
        return self._call, True

    def _perform(self, call: Call) -> None:
        received, warning = None, ""
        try:
            event = {"failedVersionId": call.failed} if call.failed else {}
            try:
                received = self._ask(event, patient=call.patient)
                call.outcome = received.token
            except TokenClientError as error:
                call.outcome = error.with_traceback(None)
            if received and received.token.version_id == call.failed and not received.token.is_new(self._now().wall):
                call.outcome = UnexpectedAnswerException(
                    "The function gave back the token that was reported as rejected. Check the function's name, and "
                    "see its log."
                )
        finally:
            with self._lock:
                if self._call is call:  # otherwise it was lost, and a later call knows better
                    self._call = None
                    if received:
                        self._memory.take(call, received)
                    if isinstance(call.outcome, TokenClientError):
                        warning = self._memory.fail(call, call.outcome)
            call.done.set()
            if warning:  # a handler of the consumer's may need a token itself
                LOGGER.warning("%s", warning)
