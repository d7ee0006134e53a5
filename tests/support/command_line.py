"""tokenctl as an operator runs it: how a command line ended, and commands on a terminal."""

import itertools
import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from local.deployment import TOKENCTL
from tests.support import child_process
from tests.support.checkout import ROOT
from tokenctl.commands.schema import FOLDER, NAMES


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def line(self, check: str) -> str:
        found = [line for line in self.out.splitlines() if line[6:].startswith(f"{check} ")]
        assert len(found) == 1, self.out
        return found[0]


def check_schema(words: Sequence[str], out: str) -> None:
    """Check what a command has printed as JSON against its schema; no other key than those in it is allowed."""
    pairs = (f"{group}-{word}" for group, word in itertools.pairwise(words))
    name = next((word for word in (*pairs, *words) if word in NAMES), None)
    if name is None or not out.strip() or "json" not in words or "--query" in words:
        return
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    faults = Draft202012Validator(_closed(schema), format_checker=_TIMES).iter_errors(json.loads(out))
    assert (fault := best_match(faults)) is None, f"{name}: {fault.json_path}: {fault.message}"


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    others = {"additionalProperties": False} if "required" in schema else {}
    return {**others, **{key: _closed(value) for key, value in schema.items()}}


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_TIMES = FormatChecker(())
_TIMES.checks("date-time", ValueError)(_is_time)


class Tokenctl(Protocol):
    """Run a command in this process, on the stage `local`, with a standard input that is no terminal."""

    def __call__(self, *words: str, stdin: str | bytes = "") -> Done: ...


def environment(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, **child_process.environment(), "COLUMNS": "120"}


def on_terminal(
    env: Mapping[str, str],
    *words: str,
    dialogue: Sequence[tuple[str, str | signal.Signals | Callable[[str], object]]] = (),
) -> Done:
    """Run a command on its own terminal.

    `dialogue` maps each text to wait for to an answer to type, a signal to send, or a function that receives the output
    so far and may return an answer.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*TOKENCTL, *words],
        env=environment(env),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, waiting = "", list(dialogue)
    read_to = 0
    while chunk := _read(ours):
        seen += chunk
        while waiting and (found := seen.find(waiting[0][0], read_to)) >= 0:
            read_to = found + len(waiting[0][0])
            answer = waiting.pop(0)[1]
            if isinstance(answer, signal.Signals):
                process.send_signal(answer)
                continue
            typed = answer(seen) if callable(answer) else answer
            if isinstance(typed, str):
                os.write(ours, f"{typed}\n".encode())
    code = process.wait()
    echoes = bool(termios.tcgetattr(ours)[3] & termios.ECHO)
    os.close(ours)
    assert echoes, "the terminal no longer shows what is typed"
    assert not waiting, f"never saw {waiting[0][0]!r} in:\n{seen}"
    return Done(code, seen, "")


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux says so when the other end is closed
        return ""
