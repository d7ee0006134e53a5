"""What a process knows about tokens: the one that it keeps, those that were rejected, and what it need not ask again.

Nothing here locks or waits; the keeper does.
"""

import copy
from collections import deque
from collections.abc import Callable
from typing import Final

from token_client.answers import Received
from token_client.calls import Call, Request
from token_client.errors import TokenClientError
from token_client.kept_failure import KeptFailure
from token_client.kept_token import KeptToken, Now, Pause
from token_client.tokens import NEW, Token

MAX_REMEMBERED: Final = 32
"""How many versions a process remembers. A token lives for months, so no process sees more."""

LOOK_AGAIN: Final = 10.0
"""Seconds until the client looks again for a newer token, after it found none."""


class Memory:
    """The memory of one process. ``jitter`` returns a number between 0 and 1."""

    def __init__(self, *, now: Callable[[], Now], jitter: Callable[[], float]) -> None:
        self._now, self._jitter = now, jitter
        self._kept: KeptToken | None = None
        self._failure: KeptFailure | None = None
        self._rejected: deque[str] = deque(maxlen=MAX_REMEMBERED)
        self._seen: deque[str] = deque(maxlen=MAX_REMEMBERED)
        """Versions that the function gave us, or that we reported with success."""
        self._too_new: Pause | None = None
        """After the function did not replace a version because it is new: no report of that version for a while."""
        self._newest: Pause | None = None
        """After there was no newer version: no other question about that for a while."""

    def reject(self, version: str) -> None:
        """Never hand this version out again, unless the function just said that it is too new to be dead."""
        if not self.is_rejected(version) and not _covers(self._too_new, version, self._now()):
            self._rejected.append(version)

    def is_rejected(self, version: str) -> bool:
        """Whether this version was rejected."""
        return version in self._rejected

    def usable(self) -> Token | None:
        """Return the token that we keep if it is alive, as far as we know."""
        kept = self._usable()
        return kept.token if kept else None

    def satisfying(self, request: Request, *, is_asking: bool) -> Token | None:
        """Return the token that we keep if it is what the request needs. `is_asking`: a call is under way."""
        kept, now = self._usable(), self._now()
        if kept is None:
            return None
        version = kept.token.version_id
        if request.reported:
            is_other = version != request.reported
            satisfies = request.reported in self._seen if is_other else _covers(self._too_new, version, now)
        elif request.known:
            satisfies = version != request.known or _covers(self._newest, version, now)
        else:
            satisfies = is_asking or kept.age(now) < kept.ask_after
        return kept.token if satisfies else None

    def call_for(self, request: Request) -> Call:
        """Return the call that the request needs. Raises the error of the last such call if that is recent."""
        now, usable = self._now(), self._usable()
        failed = request.reported
        if self._kept and self.is_rejected(self._kept.token.version_id):
            failed = self._kept.token.version_id
        is_patient = usable is None or failed is not None
        if is_patient and self._failure and self._failure.answers(failed, now):
            raise copy.copy(self._failure.error)
        return Call(failed, patient=is_patient, since=now)

    def take(self, call: Call, received: Received) -> None:
        """Keep the token that a call returned."""
        version, before = received.token.version_id, self._kept and self._kept.token.version_id
        self._kept, self._failure = KeptToken.received(received, call.since, self._jitter()), None
        self._seen.append(version)
        if not call.failed:
            self._newest = Pause(version, self._now(), LOOK_AGAIN) if version == before else None
        elif version != call.failed:
            self._seen.append(call.failed)
        elif isinstance(call.outcome, Token):
            self._too_new = Pause(version, self._now(), NEW)
            self._rejected = deque((each for each in self._rejected if each != version), MAX_REMEMBERED)

    def fail(self, call: Call, error: TokenClientError) -> str:
        """Keep handing out the current token if there is one, and return a warning. Otherwise remember the error."""
        now = self._now()
        if call.patient:
            self._failure = KeptFailure.of(error, call.failed, now, self._jitter())
        kept = self._usable()
        if kept is None:
            return ""
        self._kept = kept.without_an_answer(now, self._jitter())
        self._newest = Pause(kept.token.version_id, now, LOOK_AGAIN)
        of_it = f" of {kept.token.connection}" if kept.token.connection else ""
        return (
            f"The refresh function gave no token. The client keeps using version {kept.token.version_id}{of_it}, which "
            f"has {kept.life - kept.age(now):.0f} seconds left. {described(error)}"
        )

    def _usable(self) -> KeptToken | None:
        kept = self._kept
        if kept is None or self.is_rejected(kept.token.version_id) or not kept.is_alive(self._now()):
            return None
        return kept


def described(error: TokenClientError) -> str:
    """Return an error's class and message, for a log."""
    return f"{type(error).__name__}: {error}"


def _covers(pause: Pause | None, version: str, now: Now) -> bool:
    return pause is not None and pause.covers(version, now)
