"""The same command lines on the real AWS CLI and on tokenctl: same request, same output, same class of exit.

The AWS CLI of PyPI is version 1, which ends almost every failure with 255; tokenctl has the codes of version 2. `kind`
says, from version 1's code and words, which class of version 2 it is. Differences on purpose are in docs/cli.md.
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
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from local.standin import NINETY_DAYS, StandinControl
from tests.support.command_line import Done, Tokenctl
from tests.tokenctl.conftest import Function, Wire

pytestmark = pytest.mark.no_cover  # the other tests run these lines, too

FIXED = {"accessToken": "figd_fixed-Ünïcode", "expiresIn": NINETY_DAYS}
PAIR = {**FIXED, "refreshToken": "figr_fixed"}
ANSWERED: dict[str, Any] = {"status": 200, "body": json.dumps(FIXED), "content_type": "application/json"}
"""The answer to whatever token."""

CONFIGURATION = "".join(
    f"[{profile}]\noutput = {output}\naws_access_key_id = test\naws_secret_access_key = test\n"
    for profile, output in (("default", "text"), ("profile table", "table"), ("profile wrong", "xml"))
)

REFRESH = {
    # shorthand
    "plain": "--provider figma --refresh-token-body token=TOKEN",
    "equals sign": "--provider=figma --refresh-token-body=token=TOKEN",
    "client id": "--provider figma --refresh-token-body token=TOKEN,clientId=standin-app",
    "spaces around": "--provider figma --refresh-token-body 'token = TOKEN , clientId = standin-app'",
    "single quotes": """--provider figma --refresh-token-body "token='a,b=c'" """,
    "double quotes": """--provider figma --refresh-token-body 'token="a,b=c"'""",
    "escaped quote": r"""--provider figma --refresh-token-body 'token="a\"b"'""",
    "escaped comma": r"""--provider figma --refresh-token-body 'token=a\,b,clientId=c'""",
    "escaped backslash": r"""--provider figma --refresh-token-body "token='a\\\\b'" """,
    "equals in value": "--provider figma --refresh-token-body token=abc==",
    "not ascii": "--provider figma --refresh-token-body token=fïgr-ü",
    "empty value": "--provider figma --refresh-token-body token=",
    "a list": "--provider figma --refresh-token-body token=a,b",
    "an explicit list": "--provider figma --refresh-token-body token=[a,b]",
    "a nested map": "--provider figma --refresh-token-body token={a=b}",
    "a key twice": "--provider figma --refresh-token-body token=a,token=b",
    "an open quote": """--provider figma --refresh-token-body 'token="abc'""",
    "no key": "--provider figma --refresh-token-body TOKEN",
    "an unknown key": "--provider figma --refresh-token-body tokn=TOKEN",
    "an empty body": "--provider figma --refresh-token-body ''",
    "token in a file": "--provider figma --refresh-token-body token@=file://FOLDER/token",
    "a line's end in a file": "--provider figma --refresh-token-body token@=file://FOLDER/line",
    "quotes and commas in a file": "--provider figma --refresh-token-body token@=file://FOLDER/body.json",
    "no file behind @": "--provider figma --refresh-token-body token@=plain",
    "a file as a value": "--provider figma --refresh-token-body token=file://FOLDER/token",
    "an address as a value": "--provider figma --refresh-token-body 'token=https://example.com/a?b=c'",
    "a quote in a value": """--provider figma --refresh-token-body 'token=a"b'""",
    "more after a quote": """--provider figma --refresh-token-body 'token="a"b,clientId=c'""",
    "escaped quote in single quotes": r"""--provider figma --refresh-token-body "token='a\'b'" """,
    "escaped equals sign": r"--provider figma --refresh-token-body 'token=a\=b'",
    "a lone backslash": r"--provider figma --refresh-token-body 'token=a\b'",
    "a backslash at the end": r"--provider figma --refresh-token-body 'token=a\'",
    "an empty quote": """--provider figma --refresh-token-body 'token="",clientId=c'""",
    "brackets in a value": "--provider figma --refresh-token-body 'token=a[b]{c}'",
    "an open bracket": "--provider figma --refresh-token-body 'token=[a'",
    "an empty list": "--provider figma --refresh-token-body 'token=[]'",
    "an empty map": "--provider figma --refresh-token-body 'token={}'",
    "json as a value": """--provider figma --refresh-token-body 'token={"a":"b"}'""",
    "a comma at the end": "--provider figma --refresh-token-body token=a,",
    "a comma at the start": "--provider figma --refresh-token-body ,token=a",
    "a key in quotes": """--provider figma --refresh-token-body '"token"=a'""",
    "two equals signs": "--provider figma --refresh-token-body token==a",
    "a line's end": "--provider figma --refresh-token-body 'token=a,\nclientId=b'",
    "blanks only": "--provider figma --refresh-token-body '   '",
    "not ascii at all": "--provider figma --refresh-token-body 'token=ключ😀,clientId=“x”'",
    "a sign at the start": "--provider figma --refresh-token-body @token=a",
    # JSON
    "json": """--provider figma --refresh-token-body '{"token": "TOKEN"}'""",
    "json with blanks": """--provider figma --refresh-token-body ' {"token": "TOKEN", "clientId": "standin-app"} '""",
    "json escapes": r"""--provider figma --refresh-token-body '{"token": "a\u00fc\"b"}'""",
    "json number": """--provider figma --refresh-token-body '{"token": 5}'""",
    "json null": """--provider figma --refresh-token-body '{"token": null}'""",
    "json unknown key": """--provider figma --refresh-token-body '{"token": "a", "color": "b"}'""",
    "json empty": "--provider figma --refresh-token-body '{}'",
    "json list": """--provider figma --refresh-token-body '["a"]'""",
    "json key twice": """--provider figma --refresh-token-body '{"token": "a", "token": "b"}'""",
    "json not a number": """--provider figma --refresh-token-body '{"token": NaN}'""",
    "json nested": """--provider figma --refresh-token-body '{"token": {"a": ["b"]}}'""",
    "json two faults": """--provider figma --refresh-token-body '{"tokn": 1, "clientId": 2}'""",
    "json text": """--provider figma --refresh-token-body '"token"'""",
    "json and more": """--provider figma --refresh-token-body '{"token": "a"} x'""",
    "json in single quotes": """--provider figma --refresh-token-body "{'token': 'a'}" """,
    "json after blank lines": """--provider figma --refresh-token-body '\n\n{"token": "a"}'""",
    "json empty client id": """--provider figma --refresh-token-body '{"token": "a", "clientId": ""}'""",
    "json broken": """--provider figma --refresh-token-body '{"token":'""",
    # files
    "file": "--provider figma --refresh-token-body file://FOLDER/body.json",
    "shorthand in a file": "--provider figma --refresh-token-body file://FOLDER/shorthand",
    "standard input": "--provider figma --refresh-token-body file:///dev/stdin",
    "provider in a file": "--provider file://FOLDER/provider --refresh-token-body token=TOKEN",
    "no such file": "--provider figma --refresh-token-body file://FOLDER/nothing",
    "shorthand on lines in a file": "--provider figma --refresh-token-body file://FOLDER/lines",
    "byte order mark": "--provider figma --refresh-token-body file://FOLDER/bom",
    "empty file": "--provider figma --refresh-token-body file:///dev/null",
    "a folder": "--provider figma --refresh-token-body file://FOLDER",
    "no name": "--provider figma --refresh-token-body file://",
    "upper case file": "--provider figma --refresh-token-body FILE://FOLDER/body.json",
    "blank in a file's name": "--provider figma --refresh-token-body 'file://FOLDER/with blank'",
    "not text": "--provider figma --refresh-token-body file://FOLDER/binary",
    # --cli-input-json
    "input": """--cli-input-json '{"provider": "figma", "refreshTokenBody": {"token": "TOKEN"}}'""",
    "input file": "--cli-input-json file://FOLDER/call.json",
    "input from standard input": "--cli-input-json file:///dev/stdin",
    "overridden": "--cli-input-json file://FOLDER/call.json --refresh-token-body token=other",
    "overridden provider": "--provider other --cli-input-json file://FOLDER/call.json",
    "completed": """--cli-input-json '{"provider": "figma"}' --refresh-token-body token=TOKEN""",
    "input incomplete": """--cli-input-json '{"provider": "figma"}'""",
    "input unknown key": """--cli-input-json '{"provider": "figma", "refreshTokenBody": {"token": "a"}, "x": 1}'""",
    "input mistyped": """--cli-input-json '{"provider": 1, "refreshTokenBody": "a"}'""",
    "input overridden by nothing": "--cli-input-json file://FOLDER/call.json --refresh-token-body ''",
    "input overridden in part": "--cli-input-json file://FOLDER/call.json --refresh-token-body clientId=x",
    "input's provider mistyped and overridden": """--provider figma
        --cli-input-json '{"provider": 5, "refreshTokenBody": {"token": "a"}}'""",
    "input's body is shorthand": """--cli-input-json '{"provider": "figma", "refreshTokenBody": "token=a"}'""",
    "input with null": """--cli-input-json '{"provider": "figma", "refreshTokenBody": null}'""",
    "input in kebab case": """--cli-input-json '{"provider": "figma", "refresh-token-body": {"token": "a"}}'""",
    "input twice": "--cli-input-json '{' --cli-input-json file://FOLDER/call.json",
    "input is a path": "--cli-input-json FOLDER/call.json",
    "input empty": "--cli-input-json ''",
    "input empty map": "--cli-input-json '{}'",
    "input of bytes": "--cli-input-json fileb://FOLDER/call.json",
    "input broken": "--cli-input-json '{'",
    # skeletons
    "skeleton": "--generate-cli-skeleton",
    "skeleton input": "--generate-cli-skeleton input --output table",
    "skeleton beside parameters": "--provider figma --refresh-token-body token=a --generate-cli-skeleton",
    "skeleton output": "--provider figma --refresh-token-body token=a --generate-cli-skeleton output",
    "skeleton output text": "--provider x --refresh-token-body token=a --generate-cli-skeleton output --output text",
    "skeleton output checks": "--provider figma --refresh-token-body clientId=a --generate-cli-skeleton output",
    "skeleton output incomplete": "--provider figma --generate-cli-skeleton output",
    "skeleton with equals sign": "--provider a --refresh-token-body token=a --generate-cli-skeleton=output",
    "skeleton before an option": "--provider a --refresh-token-body token=a --generate-cli-skeleton --output text",
    "skeleton shortened": "--provider a --refresh-token-body token=a --gen output --query accessToken --output text",
    "skeleton beside broken input": "--cli-input-json '{' --generate-cli-skeleton",
    "skeleton output of input": "--cli-input-json file://FOLDER/call.json --generate-cli-skeleton output",
    "skeleton unknown": "--generate-cli-skeleton nonsense",
    "skeleton broken body": "--refresh-token-body '{' --generate-cli-skeleton",
    # missing, wrong, too many
    "nothing": "",
    "no body": "--provider figma",
    "no provider": "--refresh-token-body token=TOKEN",
    "no value": "--provider --refresh-token-body token=TOKEN",
    "dash as value": "--provider -x --refresh-token-body token=TOKEN",
    "number as value": "--provider -1 --refresh-token-body token=TOKEN",
    "another provider": "--provider github --refresh-token-body token=TOKEN",
    "upper case provider": "--provider Figma --refresh-token-body token=TOKEN",
    "last one wins": "--provider github --provider figma --refresh-token-body token=TOKEN",
    "unknown option": "--provider figma --refresh-token-body token=TOKEN --nonsense",
    "a word too many": "--provider figma --refresh-token-body token=TOKEN more",
    "shortened": "--prov figma --refresh token=TOKEN",
    "shortened to a global option": "--pro figma --refresh-token-body token=TOKEN",
    "shortened to a global option's value": "--provider figma --refresh-token-body token=TOKEN --p nobody",
    "shortened with equals sign": "--provi=figma --refresh=token=TOKEN --out=text --q=expiresIn",
    "shortened too much": "--provider figma --refresh-token-body token=TOKEN --c off",
    "an empty word": "--provider figma --refresh-token-body token=TOKEN ''",
    "two empty words": "--provider figma --refresh-token-body token=TOKEN '' ''",
    "empty profile": "--provider figma --refresh-token-body token=TOKEN --profile ''",
    "empty provider": "--provider '' --refresh-token-body token=TOKEN",
    "dash and blank as value": "--provider '-a b' --refresh-token-body token=TOKEN",
    "dash after equals sign": "--provider=-x --refresh-token-body token=TOKEN",
    "a word named help as value": "--provider help --refresh-token-body token=TOKEN",
    "a flag with a value": "--provider figma --refresh-token-body token=TOKEN --no-paginate=1",
    "camel case": "--provider figma --refreshTokenBody token=TOKEN",
    "refused token": "--provider figma --refresh-token-body token=unknown",
    # output
    "text": "--provider figma --refresh-token-body token=TOKEN --output text",
    "table": "--provider figma --refresh-token-body token=TOKEN --output table",
    "table of colours": "--provider figma --refresh-token-body token=TOKEN --output table --color on",
    "query": "--provider figma --refresh-token-body token=TOKEN --query accessToken",
    "query text": "--provider figma --refresh-token-body token=TOKEN --query accessToken --output text",
    "query list": "--provider figma --refresh-token-body token=TOKEN --query '[expiresIn, accessToken]' --output text",
    "query list table": "--provider figma --refresh-token-body token=TOKEN --query '[[expiresIn]]' --output table",
    "query map": "--provider figma --refresh-token-body token=TOKEN --query '{t: accessToken}' --output table",
    "query nothing": "--provider figma --refresh-token-body token=TOKEN --query nope",
    "query nothing text": "--provider figma --refresh-token-body token=TOKEN --query nope --output text",
    "query function": "--provider figma --refresh-token-body token=TOKEN --query 'length(keys(@))'",
    "query misfit": "--provider figma --refresh-token-body token=TOKEN --query 'abs(accessToken)'",
    "query broken": "--provider figma --refresh-token-body token=TOKEN --query 'a['",
    "query empty map table": "--provider figma --refresh-token-body token=TOKEN --query '`{}`' --output table",
    "query map of maps": """--provider figma --refresh-token-body token=TOKEN --output table
        --query '{a: accessToken, b: {c: expiresIn, d: `[1, [2]]`}}'""",
    "query list of maps": """--provider figma --refresh-token-body token=TOKEN --output text
        --query '[{a: accessToken}, {b: expiresIn}, `true`, nope]'""",
    "query unknown function": "--provider figma --refresh-token-body token=TOKEN --query 'nope(@)'",
    "query twice": "--provider figma --refresh-token-body token=TOKEN --query a --query expiresIn",
    "query is a file": "--provider figma --refresh-token-body token=TOKEN --query file://FOLDER/token",
    "query empty": "--provider figma --refresh-token-body token=TOKEN --query ''",
    "output unknown": "--provider figma --refresh-token-body token=TOKEN --output xml",
    "output twice": "--provider figma --refresh-token-body token=TOKEN --output text --output json",
    # the connection
    "region": "--provider figma --refresh-token-body token=TOKEN --region eu-west-1",
    "timeouts": "--provider figma --refresh-token-body token=TOKEN --cli-connect-timeout 5 --cli-read-timeout 0",
    "timeout with blanks": "--provider figma --refresh-token-body token=TOKEN --cli-read-timeout ' 5 '",
    "timeout is no whole number": "--provider figma --refresh-token-body token=TOKEN --cli-read-timeout 1.5",
    "timeout mistyped": "--provider figma --refresh-token-body token=TOKEN --cli-read-timeout soon",
    "no pagination": "--provider figma --refresh-token-body token=TOKEN --no-paginate",
    "profile unknown": "--provider figma --refresh-token-body token=TOKEN --profile nobody",
}

AROUND: dict[str, tuple[str, str, dict[str, str]]] = {
    "before": ("--region eu-west-1 --output text", "", {}),
    "before and after": ("--output table", "--output text", {}),
    "shortened before": ("--o text --q=expiresIn", "", {}),
    "shortened too much before": ("--no", "", {}),
    "no value before": ("--region", "", {}),
    "unknown before": ("--nonsense", "", {}),
    "format of the environment": ("", "", {"AWS_DEFAULT_OUTPUT": "table"}),
    "format of the environment overridden": ("", "--output json", {"AWS_DEFAULT_OUTPUT": "text"}),
    "wrong format of the environment overridden": ("", "--output json", {"AWS_DEFAULT_OUTPUT": "xml"}),
    "format of the default profile": ("", "", {"AWS_CONFIG_FILE": "FOLDER/config"}),
    "format of a profile": ("--profile table", "", {"AWS_CONFIG_FILE": "FOLDER/config"}),
    "format of the profile that is set": ("", "", {"AWS_CONFIG_FILE": "FOLDER/config", "AWS_PROFILE": "table"}),
    "the profile that is given goes first": (
        "",
        "--profile default",
        {"AWS_CONFIG_FILE": "FOLDER/config", "AWS_PROFILE": "table"},
    ),
    "an empty profile leaves the one that is set": (
        "",
        "--profile ''",
        {"AWS_CONFIG_FILE": "FOLDER/config", "AWS_PROFILE": "table"},
    ),
    "the environment goes before the profile": (
        "--profile table",
        "",
        {"AWS_CONFIG_FILE": "FOLDER/config", "AWS_DEFAULT_OUTPUT": "json"},
    ),
    "wrong format of a profile overridden": ("--profile wrong", "--output text", {"AWS_CONFIG_FILE": "FOLDER/config"}),
    "a skeleton has its own format": (
        "--profile wrong",
        "--generate-cli-skeleton",
        {"AWS_CONFIG_FILE": "FOLDER/config"},
    ),
    "an unknown profile that is set": ("", "", {"AWS_PROFILE": "nobody"}),
    "an encoding that is set": ("", "--refresh-token-body file://FOLDER/latin", {"AWS_CLI_FILE_ENCODING": "latin-1"}),
    "a pager that is set": ("", "", {"AWS_PAGER": "false"}),
}
"""What stands before the command, what after, and the environment."""

EXCHANGE = {
    "plain": "--provider figma --request code=c,redirectUri=https://example.com/done?tab=1",
    "address with a query": "--provider figma --request 'code=c,redirectUri=https://example.com/?a=1&b=2'",
    "address with a comma": "--provider figma --request 'code=c,redirectUri=https://example.com/?a=1,2'",
    "address in a file": "--provider figma --request 'code=c,redirectUri=file:///dev/null'",
    "shortened": "--prov figma --req code=c,redirectUri=u",
    "empty code": "--provider figma --request code=,redirectUri=u",
    "another provider": "--provider other --request code=c,redirectUri=u",
    "overridden": """--request code=d --cli-input-json
        '{"provider": "figma", "request": {"code": "c", "redirectUri": "u", "clientId": "i"}}'""",
    "quoted address": """--provider figma --request 'code=c,redirectUri="https://example.com/a,b"'""",
    "client id": "--provider figma --request code=c,redirectUri=http://127.0.0.1/,clientId=i",
    "json": """--provider figma --request '{"code": "c", "redirectUri": "http://127.0.0.1/"}'""",
    "input": """--cli-input-json '{"provider": "figma", "request": {"code": "c", "redirectUri": "u"}}'""",
    "no address": "--provider figma --request code=c",
    "mistyped": """--provider figma --request '{"code": 1, "redirectUri": "u"}'""",
    "no request": "--provider figma",
    "skeleton": "--generate-cli-skeleton",
    "skeleton output": "--provider figma --request code=c,redirectUri=u --generate-cli-skeleton output --output table",
    "text": "--provider figma --request code=c,redirectUri=u --output text",
    "table": "--provider figma --request code=c,redirectUri=u --output table",
    "query": "--provider figma --request code=c,redirectUri=u --query refreshToken",
}

VERSION_1_USAGE = ("Error parsing parameter", "Parameter validation failed", "Unknown options", "Bad value for --query")
GENERAL = 255


def kind(done: Done) -> int:
    """Return the exit code that version 2 would have."""
    if done.code == 2 or any(words in done.err for words in VERSION_1_USAGE):
        return 252
    # In these two version 2 says 255 as well; docs/cli.md has the reason for ours.
    if "The config profile" in done.err:
        return 253
    if "invalid literal for int()" in done.err:
        return 252
    return 254 if "An error occurred (" in done.err else done.code


@pytest.fixture
def words(tmp_path: Path, standin: StandinControl) -> Callable[[str], list[str]]:
    """Split a command line, with the token of a grant and a folder of files put in."""
    token = standin.grant().refresh_token
    (tmp_path / "token").write_text(token)
    (tmp_path / "line").write_text(f"{token}\n")
    (tmp_path / "lines").write_bytes(f"token={token},\r\nclientId=standin-app\r\n".encode())
    (tmp_path / "bom").write_text(json.dumps({"token": token}), encoding="utf-8-sig")
    (tmp_path / "with blank").write_text(f"token={token}")
    (tmp_path / "provider").write_text("figma")
    (tmp_path / "body.json").write_text(json.dumps({"token": token}))
    (tmp_path / "shorthand").write_text(f"token={token}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x80")
    call = {"provider": "figma", "refreshTokenBody": {"token": token, "clientId": "standin-app"}}
    (tmp_path / "call.json").write_text(json.dumps(call))
    return lambda line: [
        word.replace("TOKEN", token).replace("FOLDER", str(tmp_path)) for word in shlex.split(line, posix=True)
    ]


@pytest.mark.parametrize("line", REFRESH.values(), ids=REFRESH)
def test_refresh_token_does_what_aws_does(  # noqa: PLR0917 - fixtures
    line: str,
    words: Callable[[str], list[str]],
    aws: Callable[..., Done],
    tokenctl: Tokenctl,
    standin: StandinControl,
    wire: Wire,
    function: Function,
    tmp_path: Path,
) -> None:
    standin.fail("RefreshToken", times=None, answer=FIXED)
    stdin = (tmp_path / ("call.json" if "--cli-input" in line else "body.json")).read_text()
    theirs = aws("amplifyuibuilder", "refresh-token", *words(line), "--endpoint-url", standin.url, stdin=stdin)
    asked = wire.take()
    ours = tokenctl(
        "refresh-token", *words(line), "--endpoint-url", function.url, "--function-name", "refresh", stdin=stdin
    )
    assert wire.take() == asked
    assert function.payloads == [{"provider": path.split("/")[2], "refreshTokenBody": body} for path, body in asked]
    assert ours.out == theirs.out
    assert ours.code == kind(theirs), (theirs, ours)


@pytest.mark.parametrize(("before", "after", "env"), AROUND.values(), ids=AROUND)
def test_what_stands_around_the_command_means_what_it_means_to_aws(  # noqa: PLR0917 - fixtures
    before: str,
    after: str,
    env: dict[str, str],
    words: Callable[[str], list[str]],
    aws: Callable[..., Done],
    tokenctl: Tokenctl,
    standin: StandinControl,
    wire: Wire,
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "config").write_text(CONFIGURATION)
    (tmp_path / "latin").write_bytes("token=fïgr".encode("latin-1"))
    standin.fail("RefreshToken", times=None, **ANSWERED)
    env = {name: value.replace("FOLDER", str(tmp_path)) for name, value in env.items()}
    call = [*words("--provider figma --refresh-token-body token=a"), *words(after)]
    theirs = aws(*words(before), "amplifyuibuilder", "refresh-token", *call, "--endpoint-url", standin.url, env=env)
    asked = wire.take()
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    ours = tokenctl(
        *words(before), "refresh-token", *call, "--endpoint-url", function.url, "--function-name", "refresh"
    )
    assert (wire.take(), ours.out, ours.code) == (asked, theirs.out, kind(theirs)), (theirs, ours)


@pytest.mark.parametrize(
    ("options", "columns"),
    [("--output json", 80), ("--output table", 80), ("--output table", 24), ("--output table --color off", 80)],
)
def test_a_terminal_is_shown_what_aws_shows_it(
    options: str, columns: int, standin: StandinControl, function: Function
) -> None:
    standin.fail("RefreshToken", times=None, **ANSWERED)
    call = ["refresh-token", *shlex.split(f"--provider figma --refresh-token-body token=a {options}")]
    theirs = seen_on_terminal(["awscli", "amplifyuibuilder", *call, "--endpoint-url", standin.url], columns)
    ours = seen_on_terminal(["tokenctl", *call, "--endpoint-url", function.url, "--function-name", "refresh"], columns)
    assert "figd_fixed" in ours
    assert ours == theirs


def seen_on_terminal(words: list[str], columns: int) -> str:
    """Return what a module prints when standard output is a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stdout=theirs, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    seen = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # Linux's word for the other end's close
        while chunk := terminal.read(65536):
            seen += chunk
    process.wait()
    return seen.decode()


@pytest.mark.parametrize("line", EXCHANGE.values(), ids=EXCHANGE)
def test_exchange_code_for_token_does_what_aws_does(
    line: str, aws: Callable[..., Done], tokenctl: Tokenctl, standin: StandinControl, wire: Wire
) -> None:
    standin.fail("ExchangeCodeForToken", times=None, status=200, body=json.dumps(PAIR), content_type="application/json")
    call = ["exchange-code-for-token", *shlex.split(line), "--endpoint-url", standin.url]
    theirs = aws("amplifyuibuilder", *call)
    asked = wire.take()
    ours = tokenctl(*call)
    assert wire.take() == asked
    assert ours.out == theirs.out
    assert ours.code == kind(theirs), (theirs, ours)


def test_the_comparison_reaches_every_class_of_exit(
    words: Callable[[str], list[str]], tokenctl: Tokenctl, function: Function
) -> None:
    to = ["--endpoint-url", function.url, "--function-name", "refresh"]
    codes = {
        tokenctl("refresh-token", *words(REFRESH[name]), *to).code
        for name in ("plain", "nothing", "query misfit", "refused token", "profile unknown")
    }
    assert codes == {0, 252, 253, 254, GENERAL}
