"""What `make` shows while it sets itself up."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import setup_step
from local.setup_step import Progress, packages_of, run
from tests.support.checkout import ROOT

SLOW = [sys.executable, "-uc", "import time; print('Collecting boto3==1.2 (from x)'); time.sleep(1)"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_move() -> None:
    screen = Terminal()
    assert run("Python packages", SLOW, screen=screen) == 0
    drawn = screen.getvalue().split("\r")
    assert any("Python packages: package 1, boto3 ... " in line for line in drawn)
    assert max(map(len, drawn)) <= 79
    assert screen.getvalue().count("\n") == 1
    assert drawn[-1].startswith("done Python packages (")


def test_a_log_gets_a_line_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_step, "PRINT_SECONDS", 0.3)
    screen = io.StringIO()
    run("Python packages", SLOW, screen=screen)
    first, *between, last = screen.getvalue().splitlines()
    assert first == "     Python packages ..."
    assert between
    assert last.startswith("done")
    assert "\r" not in screen.getvalue()


def test_a_failure_shows_what_was_said() -> None:
    screen = io.StringIO()
    assert run("packages", [sys.executable, "-c", "import sys; print('no index'); sys.exit(7)"], screen=screen) == 7
    assert "no index\nFAILED packages" in screen.getvalue()


def test_a_file_of_requirements_says_how_many(tmp_path: Path) -> None:
    file = tmp_path / "some.lock"
    file.write_text("# a==1\na==1 \\\n    --hash=sha256:0==\nb==2 ; python_version >= '3.13'\n")
    progress = Progress(packages_of(["pip", "-r", str(file)]))
    progress.read(io.StringIO("Collecting a==1\n"))
    assert progress.detail == "package 1 of 2, a"
    assert packages_of(["npm", "ci"]) == 0


def test_pips_phases_are_told_apart() -> None:
    progress = Progress()
    progress.read(io.StringIO("Collecting a==1\n  Downloading a.whl\nCollecting b[x]>=2\n"))
    assert progress.detail == "package 2, b[x]"
    progress.read(
        io.StringIO("  Downloading b-2-py3-none-any.whl (45.2 MB)\nProcessing /wheels/c_d-1-py3-none-any.whl\n")
    )
    assert progress.detail == "package 3, c_d"
    progress.read(io.StringIO("  Downloading c_d-1.whl (8 MB)\n"))
    assert progress.detail == "package 3, c_d, 8 MB"
    progress.read(io.StringIO("Installing collected packages: a, b, c_d\n"))
    assert progress.detail == "unpacking 3 packages"


def test_make_uses_an_interpreter_outside_its_environment() -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    folder = Path(sys.prefix).name
    command = ["make", "--dry-run", "--always-make", f"VENV={folder}", f"{folder}/.done"]
    ours = {name: text for name, text in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS", "MAKEOVERRIDES"}}
    env = {**ours, "PATH": path, "VIRTUAL_ENV": sys.prefix}  # whatever a make that runs this test was told
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    (used,) = [line.split(" -m venv ")[0].split()[-1] for line in done.stdout.splitlines() if " -m venv " in line]
    assert Path(used).is_absolute()
    assert not Path(used).is_relative_to(sys.prefix), "it could not clear the environment that it runs in"
