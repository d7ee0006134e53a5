"""What a process knows about the token: when to ask, who asks, and what is handed out meanwhile.

A token is kept until a while before it expires: only a rejection (401, 403) tells that a refresh elsewhere has killed
it, and that is what reports are for. One question at a time is under way, whatever the number of threads:

    thread A  get_token ───┐ no live token: asks ──────────────▶ answer V1 ──▶ V1
    thread B  get_token ───┘ the same: waits for A's answer ───────────────▶ V1
    thread C  report V1 ─────────────────────────────────┐ asks "V1 failed" ───────▶ V2
    thread D  report V1 ─────────────────────────────────┘ waits for C's answer ───▶ V2
    thread E  report V1, later: V2 is known ──▶ V2, nobody is asked

Pure: the question, the clocks and chance come in as arguments.
"""

import copy
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

from token_client.answers import Received
from token_client.errors import TokenClientError, UnexpectedAnswerException
from token_client.tokens import Token

LOGGER: Final = logging.getLogger("token_client")

AHEAD: Final = 7 * 86_400.0
"""Seconds before the expiry at which a fresh token is asked about again; at most a third of its life. From about here
on (the advisory window) the schedule refreshes it."""

AHEAD_JITTER: Final = 0.1
"""That moment comes earlier by up to this part of the time until then: a thousand consumers do not ask at once."""

AGAIN: Final = 600.0
"""Seconds, half of them by chance, after which a token is asked about again that will be refreshed soon."""

PAUSE: Final = 60.0
"""The same, after a question that was not answered."""

LAST: Final = 30.0
"""Seconds of a token's life, at most a tenth of it, in which it is not handed out any more: a request takes time."""

REMEMBERED: Final = 32
"""Versions. A token lives for months; this is more than a process ever sees."""

ROUNDS: Final = 4


class Now(NamedTuple):
    """Both clocks, in seconds: the monotonic one may stand still while Lambda freezes us, the wall clock may be set."""

    monotonic: float
    wall: float


class Ask(Protocol):
    """The function."""

    def __call__(self, event: Mapping[str, str], *, patient: bool) -> Received:
        """Return its token answer; raises a `TokenClientError`. Not `patient`: a live token is at hand."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    life: float
    since: Now
    ask_after: float

    def age(self, now: Now) -> float:
        """Return the seconds since it came, by the clock that saw more of them."""
        return max(0.0, now.monotonic - self.since.monotonic, now.wall - self.since.wall)

    def is_alive(self, now: Now) -> bool:
        return self.age(now) < self.life - min(LAST, self.life / 10)


@dataclass(slots=True)
class _Flight:
    """A question under way."""

    failed: str | None
    patient: bool
    landed: threading.Event = field(default_factory=threading.Event)
    outcome: Token | TokenClientError | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a caller wants: a token; one in place of ``reported``; or one of another version than ``known``, if any."""

    reported: str | None = None
    known: str | None = None


class TokenKeeper:
    """Keeps the token for all threads of a process. ``jitter`` returns a number from 0 to 1."""

    def __init__(self, ask: Ask, *, now: Callable[[], Now], jitter: Callable[[], float]) -> None:
        self._ask, self._now, self._jitter = ask, now, jitter
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: _Flight | None = None
        self._rejected: deque[str] = deque(maxlen=REMEMBERED)
        self._known: deque[str] = deque(maxlen=REMEMBERED)

    def get_token(self) -> Token:
        """Return a live token: the one that is kept, unless it is time to ask; raises a `TokenClientError`."""
        return self._granted(_Wish())

    def report_failure(self, token: Token) -> Token:
        """Never hand this version out again; return one that works; raises a `TokenClientError`."""
        with self._lock:
            if token.version_id not in self._rejected:
                self._rejected.append(token.version_id)
        return self._granted(_Wish(reported=token.version_id))

    def look_again(self, token: Token) -> Token:
        """Return the current token, which may still be this one; this one, too, if nobody answers."""
        try:
            return self._granted(_Wish(known=token.version_id))
        except TokenClientError as error:
            LOGGER.info("The refresh function was asked for a newer token in vain. %s", _told(error))
            return token

    def after_fork(self) -> None:
        """In a child process: forget the threads of the parent, and what they held."""
        self._lock = threading.Lock()
        self._flight = None

    def _granted(self, wish: _Wish) -> Token:
        for _ in range(ROUNDS):
            with self._lock:
                held = self._usable()
                if held and self._is_enough(held, wish):
                    return held.token
                flight, leads = self._board(held, wish)
            if leads:
                self._fly(flight)
            else:
                flight.landed.wait()
            with self._lock:
                held = self._usable()
                outcome = flight.outcome
                if isinstance(outcome, Token) and outcome.version_id not in self._rejected:
                    return outcome
                if isinstance(outcome, TokenClientError):
                    if held and wish == _Wish():
                        return held.token
                    if flight.patient and (flight.failed or not wish.reported):
                        # Its own copy for each thread: to raise one writes to it.
                        raise copy.copy(outcome)
                    if leads and held:
                        raise outcome
        raise UnexpectedAnswerException(
            "The function answered with one rejected token after the other. Check that nothing else refreshes this "
            "Figma grant, and that the API's rejections are about the token."
        )

    def _is_enough(self, held: _Held, wish: _Wish) -> bool:
        if wish.reported:
            return held.token.version_id != wish.reported and wish.reported in self._known
        if wish.known:
            return held.token.version_id != wish.known
        return self._flight is not None or held.age(self._now()) < held.ask_after

    def _usable(self) -> _Held | None:
        held = self._held
        if held is None or held.token.version_id in self._rejected or not held.is_alive(self._now()):
            return None
        return held

    def _board(self, usable: _Held | None, wish: _Wish) -> tuple[_Flight, bool]:
        """Return the question under way, or a new one; and whether the caller has to ask it."""
        if self._flight:
            return self._flight, False
        failed = wish.reported
        if self._held and self._held.token.version_id in self._rejected:
            failed = self._held.token.version_id
        self._flight = _Flight(failed, patient=usable is None or failed is not None)
        return self._flight, True

    def _fly(self, flight: _Flight) -> None:
        since, received = self._now(), None
        try:
            event = {"provider": "figma"} | ({"failedVersionId": flight.failed} if flight.failed else {})
            try:
                received = self._ask(event, patient=flight.patient)
                flight.outcome = received.token
            except TokenClientError as error:
                flight.outcome = error.with_traceback(None)
            if received and received.token.version_id == flight.failed:
                flight.outcome = UnexpectedAnswerException(
                    "The function gave back the token that was reported as rejected. Check that the function's name is "
                    "right, and its log."
                )
        finally:
            with self._lock:
                if received:
                    self._keep(received, since)
                    if flight.failed:
                        self._known.append(flight.failed)
                elif isinstance(flight.outcome, TokenClientError):
                    self._make_do(flight.outcome)
                self._flight = None
            flight.landed.set()

    def _keep(self, received: Received, since: Now) -> None:
        life, chance = float(received.expires_in), self._jitter()
        if received.token.state == "fresh":
            ask_after = (life - min(AHEAD, life / 3)) * (1 - AHEAD_JITTER * chance)
        else:
            ask_after = min(AGAIN, life / 3) * (1 - chance / 2)
        self._held = _Held(received.token, life, since, ask_after)
        self._known.append(received.token.version_id)

    def _make_do(self, error: TokenClientError) -> None:
        """Go on with the token that there is, and say so."""
        if held := self._usable():
            age = held.age(self._now())
            pause = min(PAUSE, held.life / 3) * (1 - self._jitter() / 2)
            self._held = replace(held, token=replace(held.token, stale=True), ask_after=age + pause)
            LOGGER.warning(
                "The refresh function gave no token; the one of version %s is served on, which has %d seconds left. %s",
                held.token.version_id,
                held.life - age,
                _told(error),
            )


def _told(error: TokenClientError) -> str:
    return f"{type(error).__name__}: {error}"
