"""What people do on their machine, done in the process of the test."""

import io
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests.support.command_line import Done, check_schema
from tokenctl.main import run


def call_with(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Let calls of AWS take these variables, whatever the machine has set."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def run_tokenctl(
    words: Sequence[str], stdin: str | bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Done:
    """Run a command whose standard input is no terminal. Fails if it prints a traceback, or JSON beside its schema."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    code = run(list(words))
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err
    check_schema(words, captured.out)
    return Done(code, captured.out, captured.err)
