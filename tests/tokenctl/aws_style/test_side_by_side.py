"""The same command lines on the real AWS CLI v2 and on tokenctl: same request, same output, same exit code.

docs/cli.md lists the deliberate differences.
"""

import fcntl
import json
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from configparser import RawConfigParser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.standin import NINETY_DAYS, StandinControl
from tests.support.aws_cli import AWS
from tests.support.aws_endpoints import Function, Wire
from tests.support.command_line import Done, Tokenctl

pytestmark = pytest.mark.no_cover  # the other tests run these lines, too

LINES = RawConfigParser(delimiters=(":",))
LINES.read(Path(__file__).with_name("command_lines.ini"))

FIXED = {"accessToken": "figd_fixed-Ünïcode", "expiresIn": NINETY_DAYS}
PAIR = {**FIXED, "refreshToken": "figr_fixed"}
ANSWERED: dict[str, Any] = {"status": 200, "body": json.dumps(FIXED), "content_type": "application/json"}
"""The answer to any token."""

CONFIGURATION = "".join(
    f"[{profile}]\n{setting}\naws_access_key_id = test\naws_secret_access_key = test\n"
    for profile, setting in (
        ("default", "output = text"),
        ("profile table", "output = table"),
        ("profile wrong", "output = xml"),
        ("profile retries", "retry_mode = off"),
        ("profile times", "cli_timestamp_format = unix"),
        ("profile binary", "cli_binary_format = hex"),
    )
)


def lines(section: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("line", dict(LINES[section]).values(), ids=dict(LINES[section]))


@pytest.fixture
def folder(tmp_path: Path, standin: StandinControl) -> Path:
    """Return a folder of files to name on a command line; `token` holds the token of a grant."""
    token = standin.grant().refresh_token
    call = {"provider": "figma", "refreshTokenBody": {"token": token, "clientId": "standin-app"}}
    files = {
        "token": token,
        "line": f"{token}\n",
        "lines": f"token={token},\r\nclientId=standin-app\r\n",
        "with blank": f"token={token}",
        "shorthand": f"token={token}",
        "provider": "figma",
        "body.json": json.dumps({"token": token}),
        "call.json": json.dumps(call),
        "config": CONFIGURATION,
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "bom").write_text(files["body.json"], encoding="utf-8-sig")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x80")
    (tmp_path / "latin").write_bytes("token=fïgr".encode("latin-1"))
    return tmp_path


@dataclass
class Comparison:
    """Runs command lines with `aws`, which calls the stand-in, and with tokenctl, which calls the function."""

    aws: Callable[..., Done]
    tokenctl: Tokenctl
    standin: StandinControl
    wire: Wire
    function: Function
    folder: Path

    def words(self, line: str) -> list[str]:
        token = (self.folder / "token").read_text()
        named = {"TOKEN": token, "FOLDER": str(self.folder), "NEWLINE": "\n"}
        words = shlex.split(line)
        for name, value in named.items():
            words = [word.replace(name, value) for word in words]
        return words

    def refresh(self, before: list[str], after: list[str], env: dict[str, str] | None = None) -> None:
        """Compare a call of refresh-token."""
        stdin = (self.folder / ("call.json" if "--cli-input-json" in after else "body.json")).read_text()
        call = ["refresh-token", *after]
        theirs = self.aws(*before, "amplifyuibuilder", *call, "--endpoint-url", self.standin.url, stdin=stdin, env=env)
        sent = self.wire.take()
        to = ("--endpoint-url", self.function.url, "--function-name", "refresh")
        ours = self.tokenctl(*before, *call, *to, stdin=stdin)
        payloads = [{"provider": path.split("/")[2], "refreshTokenBody": body} for path, body in sent]
        assert (self.wire.take(), self.function.payloads) == (sent, payloads)
        assert (ours.out, ours.code) == (theirs.out, theirs.code), (theirs, ours)


@pytest.fixture
def comparison(  # noqa: PLR0917 - fixtures
    aws: Callable[..., Done], tokenctl: Tokenctl, standin: StandinControl, wire: Wire, function: Function, folder: Path
) -> Comparison:
    return Comparison(aws, tokenctl, standin, wire, function, folder)


@lines("refresh-token")
def test_refresh_token_does_what_aws_does(line: str, comparison: Comparison) -> None:
    comparison.standin.fail("RefreshToken", times=None, answer=FIXED)
    comparison.refresh([], comparison.words(line))


@lines("around refresh-token")
def test_surroundings_mean_what_aws_means(line: str, comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison.standin.fail("RefreshToken", times=None, **ANSWERED)
    before, after = (comparison.words(part) for part in line.split("CALL"))
    env = dict(word.split("=", 1) for word in before if word.startswith("AWS_"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    call = ["--provider", "figma", "--refresh-token-body", "token=a", *after]
    comparison.refresh([word for word in before if not word.startswith("AWS_")], call, env)


@lines("exchange-code-for-token")
def test_exchange_code_for_token_does_too(line: str, comparison: Comparison) -> None:
    answer = {**ANSWERED, "body": json.dumps(PAIR)}
    comparison.standin.fail("ExchangeCodeForToken", times=None, **answer)
    call = ["exchange-code-for-token", *comparison.words(line), "--endpoint-url", comparison.standin.url]
    theirs = comparison.aws("amplifyuibuilder", *call)
    sent = comparison.wire.take()
    ours = comparison.tokenctl(*call)
    assert comparison.wire.take() == sent
    assert (ours.out, ours.code) == (theirs.out, theirs.code), (theirs, ours)


@lines("different on purpose")
def test_differences_are_those_of_the_docs(line: str, comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line starts with the exit code of `aws` and ours. What fails sends nothing."""
    comparison.standin.fail("RefreshToken", times=None, **ANSWERED)
    theirs, ours, *words = comparison.words(line)
    env = dict(word.split("=", 1) for word in words if word.startswith("AWS_"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    call = ["refresh-token", *(word for word in words if not word.startswith("AWS_"))]
    to = ("--endpoint-url", comparison.function.url, "--function-name", "refresh")
    aws = comparison.aws("amplifyuibuilder", "--endpoint-url", comparison.standin.url, *call, env=env)
    done = comparison.tokenctl(*call, *to)
    assert (aws.code, done.code) == (int(theirs), int(ours)), (aws, done)
    assert done.code == 0 or comparison.function.payloads == []
    assert all(payload["refreshTokenBody"].get("clientId") != "" for payload in comparison.function.payloads)


def test_every_class_of_exit_is_reached(comparison: Comparison) -> None:
    to = ["--endpoint-url", comparison.function.url, "--function-name", "refresh"]
    codes = {
        comparison.tokenctl("refresh-token", *comparison.words(LINES["refresh-token"][name]), *to).code
        for name in ("plain", "nothing", "refused token")
    }
    assert codes == {0, 252, 254}


@pytest.mark.usefixtures("_aws_cli")
@pytest.mark.parametrize(
    ("options", "columns"),
    [("--output json", 80), ("--output table", 80), ("--output table", 24), ("--output table --color off", 80)],
)
def test_a_terminal_shows_the_same(options: str, columns: int, standin: StandinControl, function: Function) -> None:
    standin.fail("RefreshToken", times=None, **ANSWERED)
    call = ["refresh-token", *shlex.split(f"--provider figma --refresh-token-body token=a {options}")]
    theirs = seen_on_terminal([str(AWS), "amplifyuibuilder", *call, "--endpoint-url", standin.url], columns)
    to = ("--endpoint-url", function.url, "--function-name", "refresh")
    ours = seen_on_terminal([sys.executable, "-m", "tokenctl", *call, *to], columns)
    assert "figd_fixed" in ours
    assert ours == theirs


def seen_on_terminal(words: list[str], columns: int) -> str:
    """Return what a command prints when standard output is a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        words, stdout=theirs, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "AWS_PAGER": ""}
    )
    os.close(theirs)
    seen = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # Linux's word for the other end's close
        while chunk := terminal.read(65536):
            seen += chunk
    process.wait()
    return seen.decode()
