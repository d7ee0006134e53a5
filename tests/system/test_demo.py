"""The demo as a command: interrupted, started twice, stopped."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local import demo_step
from local.child import in_use
from local.cloud import exports
from local.demo import main
from local.demo_step import progress_of, step
from local.deployment import IMPORTABLE
from local.environment import shell_file
from tests.support.checkout import ROOT


@pytest.fixture(autouse=True)
def own_signal_handlers() -> Iterator[None]:
    """Undo what `main` does with signals in this process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.demo", "--folder", str(folder)]
    env = dict(os.environ) | IMPORTABLE  # without coverage, which hangs if the signal meets its lock
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(process: subprocess.Popen[str], sight: str) -> str:
    assert process.stdout
    seen = ""
    for line in process.stdout:
        seen += line
        if sight in line:
            return seen
    raise AssertionError(f"it ended before it showed {sight!r}:\n{seen}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_only_an_interruption_stops_what_it_started(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with start(tmp_path) as process:
        read_until(process, "cdk bootstrap")
        assert main(["--folder", str(tmp_path)]) == 1, "a second one leaves the first running"
        assert in_use(tmp_path / "ministack.log")
        process.send_signal(number)
        printed, _ = process.communicate()
    assert process.returncode == 130
    assert "The local cloud is stopped." in printed
    assert "Traceback" not in printed
    assert "Stop it first" in capsys.readouterr().out.replace("\n", " ")
    assert not in_use(tmp_path / "ministack.log")
    assert not in_use(tmp_path / "standin.log")


def test_stop_says_what_to_unset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "env").touch()
    assert main(["--stop", "--folder", str(tmp_path)]) == 0
    assert [*tmp_path.iterdir()] == []
    said, *_, unset = capsys.readouterr().out.splitlines()
    assert said == "Nothing is running."
    assert {"unset", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_AMPLIFYUIBUILDER", "CDK_VALIDATION"} <= {*unset.split()}


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "dash", "zsh") if shutil.which(shell)])
def test_the_file_replaces_a_shells_own_settings(tmp_path: Path, shell: str) -> None:
    file = tmp_path / "env"
    file.write_text(shell_file(exports("http://127.0.0.1:1", "http://127.0.0.1:2/it's")))
    own = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "AWS_ENDPOINT_URL_S3": "x", "AWS_REGION": "x", "HOME": "/"}
    env = own | {"PATH": os.environ["PATH"], "NO_PROXY": "intranet"}
    done = subprocess.run([shell, "-euc", f". {file}; env"], env=env, capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {name for name in found if name.startswith("AWS_")} == {*exports("", "")}
    assert found["AWS_ENDPOINT_URL_AMPLIFYUIBUILDER"] == "http://127.0.0.1:2/it's"
    assert found["no_proxy"] == found["NO_PROXY"] == "intranet,localhost,127.0.0.1"
    assert shutil.which("tokenctl", path=found["PATH"]) == str(Path(sys.executable).with_name("tokenctl"))


@pytest.mark.parametrize(
    ("terminal", "moves"),
    [
        pytest.param({"force_terminal": True, "_environ": {"TERM": "xterm"}}, True, id="a terminal"),
        pytest.param({"force_terminal": True, "_environ": {"TERM": "dumb"}}, False, id="no cursor"),
        pytest.param({}, False, id="a log"),
    ],
)
def test_a_step_shows_that_it_runs(monkeypatch: pytest.MonkeyPatch, terminal: dict[str, Any], *, moves: bool) -> None:
    monkeypatch.setattr(demo_step, "LINE_SECONDS", 0.1)
    screen = io.StringIO()
    with step(Console(file=screen, width=60, **terminal), "cdk deploy -c stage=local") as running:
        follow = progress_of(running)
        assert running.detail == "writing the template"
        follow("RefreshToken-local: start: Publishing RefreshToken-local Template")
        assert running.detail == "uploading the functions"
        follow("RefreshToken-local |  3/58 | 5:08:50 PM | CREATE_COMPLETE | AWS::Lambda::Function")
        time.sleep(0.4)
    seen = screen.getvalue()
    assert "cdk deploy -c stage=local ... 0 s: 3/58 resources" in seen
    assert seen.splitlines()[-1].startswith("done" if not moves else "\x1b[")
    assert ("\r" in seen, "\x1b[2K" in seen) == (moves, moves)
