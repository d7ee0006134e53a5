"""`tokenctl authorize` in a process of its own, a stack to store into, and a headless Chromium."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from local.cloud import LocalCloud
from local.deployment import TOKENCTL
from tests.support.authorize_command import Command, Refuse, Run, Start, authorize
from tests.support.bare_stack import Stack
from tests.support.child_process import environment
from tests.support.chromium import console
from tests.support.command_line import Tokenctl
from tests.support.consent import PATIENCE
from tests.support.processes import wait_until

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
"""Where Debian's packages put them; `make test` installs them."""

CHROMIUM_OPTIONS = (
    "--headless --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --no-proxy-server --window-size=1000,720"
)


@pytest.fixture
def issuer() -> str:
    """Return the stack's issuer; a module may have another."""
    return "amplify"


@pytest.fixture
def stack(cloud: LocalCloud, issuer: str) -> Iterator[Stack]:
    cloud.standin.reset()
    with Stack(cloud, issuer).deployed() as stack:
        yield stack
    cloud.standin.reset()


@pytest.fixture
def run(stack: Stack) -> Iterator[Run]:
    started: list[subprocess.Popen[str]] = []

    def popen(*options: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        env = stack.cloud.env | environment() | {"AWS_MAX_ATTEMPTS": "1"} | (env or {})
        started.append(subprocess.Popen([*TOKENCTL, *authorize(stack), *options], env=env, text=True, **pipes))
        return started[-1]

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def refuse(stack: Stack, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Run a command in this process that must fail before it prints an address; return its message."""

    def message(*options: str, code: int, env: dict[str, str] | None = None) -> str:
        for name, value in {**stack.cloud.exports, **(env or {})}.items():
            monkeypatch.setenv(name, value)
        done = tokenctl(*authorize(stack), "--no-browser", *options)
        assert (done.code, done.out) == (code, ""), done.err
        return done.err

    return message


@pytest.fixture
def start(run: Run) -> Start:
    """Start the command and read the address that it prints: without --no-browser if the environment says `BROWSER`."""

    def printed(*options: str, env: dict[str, str] | None = None) -> Command:
        process = run(*options, env=env) if "BROWSER" in (env or {}) else run("--no-browser", *options, env=env)
        assert process.stdout is not None
        for line in process.stdout:
            if re.match("https?://", line):
                return Command(process, line.strip())
        raise AssertionError(process.communicate())

    return printed


@pytest.fixture
def opened(run: Run, tmp_path: Path) -> Start:
    """Start the command and take the address from the browser that it opens, which is a script of ours."""

    def caught(*options: str) -> Command:
        address, script = tmp_path / "address", tmp_path / "browser"
        path = shlex.quote(str(address))
        script.write_text(f'#!/bin/sh\nprintf %s "$1" > {path}.part && mv {path}.part {path}\n')
        script.chmod(0o755)
        process = run(*options, env={"BROWSER": str(script)})
        wait_until(lambda: address.exists() or process.poll() is not None)
        assert address.exists(), process.communicate()
        return Command(process, address.read_text())

    return caught


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Return a headless Chromium with a profile of its own."""
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip(
            "Chromium is not installed, and `make test` could not install it: that takes Debian's packages "
            "chromium and chromium-driver, and root or sudo."
        )
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    for argument in (*CHROMIUM_OPTIONS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}", *sandbox):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(str(DRIVER)))
    driver.set_page_load_timeout(PATIENCE)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """Return the browser with one empty tab and an empty console."""
    yield chromium
    for tab in chromium.window_handles[1:]:
        chromium.switch_to.window(tab)
        chromium.close()
    chromium.switch_to.window(chromium.window_handles[0])
    chromium.get("about:blank")
    console(chromium)
