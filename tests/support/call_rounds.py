"""How many calls to AWS a command makes one after the other, whatever each of them takes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

QUIET = 0.3
"""Seconds for which this process has to be idle until all of its calls that can start have started."""
IDLE_SHARE = 0.1


class Rounds:
    """Holds each call back until all that can start at the same time have started, and then lets these go together."""

    def __init__(self) -> None:
        self.operations: list[list[str]] = []
        self._held: list[str] = []
        self._open = threading.Condition()

    def hold(self, request: Any) -> None:
        target = request.headers.get("X-Amz-Target", b"") or request.url
        with self._open:
            round_number = len(self.operations)
            self._held.append(target.decode() if isinstance(target, bytes) else target)
            self._open.wait_for(lambda: len(self.operations) > round_number)

    def release(self) -> None:
        with self._open:
            self.operations.append(self._held)
            self._held = []
            self._open.notify_all()

    def conduct(self, ended: threading.Event) -> None:
        while not ended.is_set():
            busy = time.process_time()
            time.sleep(QUIET)
            if self._held and time.process_time() - busy < QUIET * IDLE_SHARE:
                self.release()
        if self._held:
            self.release()


@contextmanager
def counted_rounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rounds]:
    """Count the rounds of the calls of this process until the block ends."""
    rounds, ended, send = Rounds(), threading.Event(), URLLib3Session.send

    def held(session: URLLib3Session, request: Any) -> Any:
        rounds.hold(request)
        return send(session, request)

    conductor = threading.Thread(target=rounds.conduct, args=(ended,))
    with monkeypatch.context() as patch:
        patch.setattr(URLLib3Session, "send", held)
        conductor.start()
        try:
            yield rounds
        finally:
            ended.set()
            conductor.join()
