"""How many calls to AWS a command makes one after the other, whatever each of them takes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

QUIET = 0.1
"""Seconds for which every other thread has to be idle until all calls that can start have started."""
IDLE = 0.002
"""The processor time that idle threads may take in that time."""


class Rounds:
    """Holds each call back until all that can start at the same time have started, and then lets these go together."""

    def __init__(self) -> None:
        self.operations: list[list[str]] = []
        self._held: list[str] = []
        self._under_way = 0
        self._open = threading.Condition()

    def hold(self, request: Any) -> None:
        target = request.headers.get("X-Amz-Target", b"") or request.url
        with self._open:
            round_number = len(self.operations)
            self._held.append(target.decode() if isinstance(target, bytes) else target)
            self._open.wait_for(lambda: len(self.operations) > round_number)

    def answered(self) -> None:
        with self._open:
            self._under_way -= 1

    def release(self) -> None:
        with self._open:
            self.operations.append(self._held)
            self._under_way += len(self._held)
            self._held = []
            self._open.notify_all()

    def conduct(self, ended: threading.Event) -> None:
        while not ended.is_set():
            before = _time_of_others()
            time.sleep(QUIET)
            if self._held and not self._under_way and _time_of_others() - before < IDLE and _others_sleep():
                self.release()
        if self._held:
            self.release()


def _time_of_others() -> float:
    return time.process_time() - time.thread_time()


def _others_sleep() -> bool:
    """Tell whether no other thread waits for a processor, as on a busy machine one does that takes no time."""
    own = str(threading.get_native_id())
    states = [(task / "stat").read_text() for task in Path("/proc/self/task").glob("*") if task.name != own]
    return all(state.rpartition(")")[2].split()[0] == "S" for state in states)


@contextmanager
def counted_rounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rounds]:
    """Count the rounds of the calls of this process until the block ends."""
    rounds, ended, send = Rounds(), threading.Event(), URLLib3Session.send

    def held(session: URLLib3Session, request: Any) -> Any:
        rounds.hold(request)
        try:
            return send(session, request)
        finally:
            rounds.answered()

    conductor = threading.Thread(target=rounds.conduct, args=(ended,))
    with monkeypatch.context() as patch:
        patch.setattr(URLLib3Session, "send", held)
        conductor.start()
        try:
            yield rounds
        finally:
            ended.set()
            conductor.join()
