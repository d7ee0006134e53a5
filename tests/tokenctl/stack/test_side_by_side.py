"""Reading several things from AWS at once."""

from threading import Barrier, Event, Thread

import pytest

from tokenctl.errors import TokenctlError
from tokenctl.stack.once import Once
from tokenctl.stack.side_by_side import side_by_side


def test_what_hangs_holds_nothing_up() -> None:
    forever = Event()

    def hang() -> str:
        forever.wait()
        return "never"

    results = side_by_side({"first": hang, "second": lambda: "done"}, late=lambda seconds: f"{seconds:g}", limit=0.1)
    assert list(results) == [("second", "done"), ("first", "0.1")]
    forever.set()


def test_all_run_at_the_same_time() -> None:
    together = Barrier(3)
    tasks = {name: lambda: together.wait() >= 0 for name in ("a", "b", "c")}
    assert dict(side_by_side(tasks, late=lambda _seconds: False)) == dict.fromkeys(tasks, True)


def test_an_error_reaches_the_caller() -> None:
    def fail() -> None:
        raise TokenctlError("no")

    with pytest.raises(TokenctlError, match="no"):
        list(side_by_side({"a": fail}, late=lambda _seconds: None))


class Read:
    """Something that is read from a service; counts how often."""

    def __init__(self, error: TokenctlError | None = None) -> None:
        self.calls, self.error, self.asked = 0, error, Event()

    @Once
    def answer(self) -> int:
        self.calls += 1
        self.asked.wait()
        if self.error is not None:
            raise self.error
        return self.calls


class TestOnce:
    def test_threads_share_one_answer(self) -> None:
        read, answers = Read(), list[int]()
        threads = [Thread(target=lambda: answers.append(read.answer)) for _ in range(4)]
        for thread in threads:
            thread.start()
        read.asked.set()
        for thread in threads:
            thread.join()
        assert (answers, read.calls, Read.answer.__doc__) == ([1] * 4, 1, None)

    def test_nobody_waits_for_an_abandoned_one(self) -> None:
        read = Read()
        tasks = {"hangs": lambda: read.answer}
        assert list(side_by_side(tasks, late=lambda _seconds: -1, limit=0.1)) == [("hangs", -1)]
        with pytest.raises(TokenctlError, match="gave no answer in time"):
            _ = read.answer
        read.asked.set()

    def test_a_failure_is_not_repeated(self) -> None:
        read = Read(TokenctlError("no"))
        read.asked.set()
        for _ in range(2):
            with pytest.raises(TokenctlError, match="no"):
                _ = read.answer
        assert read.calls == 1
