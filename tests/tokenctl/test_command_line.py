"""The command line itself: help, global options, mistakes, completion, and how it starts and ends."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from jsonschema import Draft202012Validator

from tests.support.aws_endpoints import NO_STACK, Function
from tests.support.command_line import Tokenctl
from tests.support.http_server import answering
from tokenctl.aws_style.aws_globals import WITHOUT_EFFECT
from tokenctl.commands.connections import COMMANDS as OF_CONNECTIONS
from tokenctl.commands.schema import NAMES
from tokenctl.main import COMMANDS, run
from tokenctl.main import tokenctl as group

BODY = ("--provider", "figma", "--refresh-token-body")
SAMPLE = ("refresh-token", *BODY, "file:///dev/stdin", "--generate-cli-skeleton", "output")
INVOKE = ("refresh-token", *BODY, "file:///dev/stdin", "--function-name", "f")
CANARY = "figr_canary9"


def add(monkeypatch: pytest.MonkeyPatch, command: click.Command) -> None:
    """Add a command to the group, in a module of its own."""
    name = str(command.name)
    monkeypatch.setitem(COMMANDS, name, "")
    monkeypatch.setitem(sys.modules, f"tokenctl.commands.{name}", SimpleNamespace(**{name: command}))


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = ["/bin/bash", "-c", script]
    return subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **env})


class TestHelp:
    @pytest.mark.parametrize("command", [*COMMANDS, *(f"connections {name}" for name in OF_CONNECTIONS)])
    def test_of_a_command_has_examples_and_output_options(self, tokenctl: Tokenctl, command: str) -> None:
        done = tokenctl(*command.split(), "--help")
        assert done.code == 0
        assert f"tokenctl {command}" in done.out.partition("Examples:")[2]
        options = ("--output [json|yaml|text|table|yaml-stream]", "--query", "--color")
        prints_data = command not in {"completion", "schema"}
        assert all(option in done.out for option in options) is prints_data
        assert (command.replace(" ", "-") in NAMES) is (prints_data and command != "connections")

    @pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
    def test_of_the_group_lists_commands_and_examples(self, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl(*words)
        commands, _, examples = done.out.partition("Commands:")[2].partition("Examples:")
        assert done.code == 0
        assert all(command in commands for command in COMMANDS)
        assert "..." not in commands
        assert "tokenctl status --stage prod" in examples
        assert group.name == "tokenctl"

    @pytest.mark.parametrize(
        ("words", "command"),
        [
            (("help", "seed"), "seed"),
            (("refresh-token", "help"), "refresh-token"),
            (("refresh-token", "--provider", "x", "help"), "refresh-token"),
            (("refresh-token", "help", "help"), "refresh-token"),
            (("refresh-token", "--output", "text", "help", "x"), "refresh-token"),
            (("--stag", "local", "status", "help"), "status"),  # options may be shortened
            (("status", "--stag=local", "--wat", "5", "help"), "status"),
            (("logs", "--hou", "1", "help"), "logs"),
            (("connections", "help"), "connections"),
            (("--stag", "local", "connections", "--region", "x", "list", "--lim", "5", "help"), "connections list"),
            (("help", "connections", "list"), "connections list"),
        ],
    )
    def test_is_what_the_word_help_shows(self, tokenctl: Tokenctl, words: tuple[str, ...], command: str) -> None:
        assert tokenctl(*words) == tokenctl(*command.split(), "--help")

    def test_without_a_command_is_an_error(self, tokenctl: Tokenctl) -> None:
        done = tokenctl()
        assert (done.code, done.out) == (252, "")
        assert "refresh-token" in done.err


class TestGlobalOptions:
    def test_go_before_the_command_too(self, tokenctl: Tokenctl) -> None:
        text = "accessToken\t0\n"
        before = ("--output", "text", "--region", "eu-west-1", *WITHOUT_EFFECT)
        assert tokenctl(*before, *SAMPLE, stdin="token=a").out == text
        assert tokenctl("--output", "table", *SAMPLE, "--output", "text", stdin="token=a").out == text
        assert tokenctl("--region", "eu-west-1", "completion", "bash").code == 0

    @pytest.mark.parametrize("words", [("--version",), ("refresh-token", "--v")])
    def test_version_is_shown(self, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl(*words)
        assert (done.code, done.out.startswith("tokenctl/")) == (0, True)


STAGES: list[tuple[str, tuple[str, ...], int, str]] = [
    ("prod", (), 253, "There is no stack RefreshToken-prod "),
    ("prod", ("--stage", "test"), 253, "There is no stack RefreshToken-test "),
    ("Production", (), 253, "There is no stack RefreshToken-<stage> "),
    ("prod", ("--stage", f"{'feature-' * 12}last"), 253, "Deploy it with `cdk deploy -c stage=<stage>`"),
    ("prod", ("--stage", "a" * 101), 252, "--stage must be the name of a stage, such as dev or prod: up to 100"),
    ("", (), 253, "TOKENCTL_STAGE must be the name of a stage"),
    (CANARY, (), 253, "TOKENCTL_STAGE must be the name of a stage"),
    (CANARY, ("--function-name", "f"), 254, "when calling the Invoke operation"),
    (CANARY, ("--stack-name", CANARY), 253, "There is no such stack"),
]
"""The variable TOKENCTL_STAGE, options, and the exit code and message."""


@pytest.mark.parametrize(("variable", "options", "code", "message"), STAGES)
def test_a_variable_sets_the_stage(  # noqa: PLR0917 - a row
    tokenctl: Tokenctl,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("TOKENCTL_STAGE", variable)
    with answering(400, NO_STACK) as url:
        done = tokenctl("tick", *options, "--endpoint-url", url)
    assert (done.code, message in done.err, CANARY in done.err) == (code, True, False), done.err


MISTAKES: list[tuple[tuple[str, ...], str]] = [
    ((CANARY,), "There is no command (not a name)"),
    (("refresh-tokn",), "did you mean refresh-token"),
    (("refresh-token", f"--{CANARY}"), "There is no option (not a name)"),
    (("refresh-token", "--provder", CANARY), "did you mean --provider"),
    (("refresh-token", f"--token={CANARY}"), "There is no option `--token`"),
    (("refresh-token", f"-token={CANARY}"), "There is no option `-t`"),
    (("refresh-token", CANARY), "There is an unexpected word"),
    (("refresh-token", "--provider"), "requires an argument"),
    *(
        (("refresh", "--yes", option, ""), f"{option} is empty")
        for option in ("--function-name", "--stack-name", "--parameter-path")
    ),
    (("status", "--stage", "dev", "--stack-name", CANARY), "Give only one of --stage, --stack-name"),
    (("status", "--function-name", "f", "--parameter-path", CANARY), "Give only one of --stage, --stack-name"),
    (("refresh-token", "--provider", "--region"), "--provider expects one value"),
    (("refresh-token", "--generate-cli-skeleton", CANARY), "must be one of input, yaml-input, output"),
    (("refresh-token", "--output", CANARY), "--output must be one of json, yaml, text, table"),
    (("refresh-token", "--cli-binary-format"), "requires an argument"),
    (("refresh-token", "--cli-binary-format="), "is not supported by tokenctl"),
    (("refresh-token", "--query", f"{CANARY}["), "Bad value for --query"),
    (("refresh-token", "--color", CANARY), "must be one of on, off, auto"),
    (("refresh-token", "--cli-read-timeout", CANARY), "must be a whole number from 0"),
    (("refresh-token", "--cli-connect-timeout", "-1"), "must be a whole number from 0"),
    (("refresh-token", "--endpoint-url", f"{CANARY}:80"), "must have the form http://"),
    (("refresh-token", "--endpoint-url", "http://"), "must have the form http://"),
    (("refresh-token", "--endpoint-url", "http://127.0.0.1:99999"), "must have the form http://"),
    (("refresh-token", "--endpoint-url", f"http://{CANARY} x/"), "must have the form http://"),
    (("refresh-token", "--endpoint-url", f"ftp://{CANARY}"), "must have the form http://"),
    (("refresh-token", "--ca-bundle", f"/{CANARY}"), "The file that --ca-bundle names does not exist."),
    (("refresh-token", "--no-verify-ssl"), "--ca-bundle"),
    (("refresh-token", "--cli-auto-prompt"), "is not supported by tokenctl"),
    (("refresh-token", "--cli-binary-format", "base64"), "is not supported by tokenctl"),
    (("refresh-token", "--cli-error-format", "json"), "is not supported by tokenctl"),
    (("completion", CANARY), "must be one of bash, zsh, fish"),
    (("completion",), "Missing argument"),
]


SSO = f"sso_account_id = 123456789012\nsso_role_name = {CANARY}\nsso_region = us-east-1\n"
SSO_SESSION = f"[sso-session s]\nsso_start_url = https://{CANARY}\nsso_region = us-east-1"
NO_SSO = (
    "You are not signed in to AWS IAM Identity Center, or that sign-in has expired. Run `aws sso login --profile p`."
)
FAILING = "The credential_process of the profile failed. Run that program yourself to see why."
UNREADABLE = "The AWS credentials or settings cannot be read."
CREDENTIALS: dict[str, tuple[str, str]] = {
    "none": ("region = eu-west-1", "There are no AWS credentials. Run `aws configure sso`"),
    "SSO": (f"{SSO}sso_start_url = https://{CANARY}", NO_SSO),
    "SSO session": (f"{SSO}sso_session = s\n{SSO_SESSION}", NO_SSO),
    "failing process": (f"credential_process = sh -c 'echo {CANARY} >&2; exit 1'", FAILING),
    "process without credentials": (f"credential_process = echo {CANARY}", UNREADABLE),
    "missing process": (f"credential_process = /{CANARY}", UNREADABLE),
    "container": ("region = eu-west-1\noutput = json", "The service that holds the credentials of this machine"),
    "a setting that is no section": ("aws_access_key_id = a\naws_secret_access_key = b\napi_versions = x", UNREADABLE),
    "incomplete keys": ("aws_access_key_id = a", "Partial credentials found in"),
    "login": (f"login_session = {CANARY}", "The profile needs the package awscrt."),
}
"""A profile's configuration, and how the message begins."""


class TestErrors:
    @pytest.mark.parametrize(("words", "message"), MISTAKES)
    def test_a_mistake_gets_one_clean_line(self, tokenctl: Tokenctl, words: tuple[str, ...], message: str) -> None:
        done = tokenctl(*words)
        assert (done.code, done.out) == (252, "")
        assert message in done.err
        assert done.err.startswith("tokenctl: ")
        assert done.err.count("\n") == 1
        assert "canary" not in done.err

    @pytest.mark.parametrize("address", [f"{CANARY}:1", "http://", "http://127.0.0.1:99999"])
    def test_bad_endpoints_are_hidden(self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        done = tokenctl(*INVOKE, stdin="token=a")
        assert done.code == 253
        assert done.err.startswith("tokenctl: The endpoint address in AWS_ENDPOINT_URL or in the AWS configuration is")
        assert address not in done.err

    def test_unreachable_servers_are_named(self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
        done = tokenctl(*INVOKE, stdin="token=a")
        assert (done.code, "Check the network, the address in AWS_ENDPOINT_URL_LAMBDA, and" in done.err) == (255, True)

    @pytest.mark.parametrize(("profile", "message"), CREDENTIALS.values(), ids=CREDENTIALS)
    def test_missing_credentials_name_what_helps(
        self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, message: str
    ) -> None:
        (tmp_path / "config").write_text(f"[profile p]\n{profile}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        if profile == "region = eu-west-1":
            monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        done = tokenctl(*INVOKE, "--profile", "p", stdin="token=a")
        assert done.code == 253
        assert done.err.startswith(f"tokenctl: {message}")
        assert done.err.count("\n") == 1
        assert "canary" not in done.err

    @pytest.mark.parametrize(
        ("env", "message"),
        [
            ({"AWS_PROFILE": "nobody"}, "To use the exported keys, unset AWS_PROFILE."),
            ({"AWS_SESSION_TOKEN": "x"}, "The exported AWS session has ended. Export new keys, or unset"),
            ({}, "The AWS session has ended. Sign in to AWS again, or assume the role again."),
        ],
    )
    def test_keys_that_cannot_be_used(
        self, tokenctl: Tokenctl, function: Function, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], message: str
    ) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        function.will_answer({"__type": "ExpiredTokenException", "message": "expired"}, status=403)
        done = tokenctl(*INVOKE, "--endpoint-url", function.url, stdin="token=a")
        assert done.code == (253 if "AWS_PROFILE" in env else 254)
        assert message in done.err

    def test_an_unforeseen_error_hides_its_text(self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
        @click.command()
        def broken() -> None:
            raise LookupError(CANARY)

        add(monkeypatch, broken)
        for words in (("broken",), ("broken", "--debug"), ("--debug", "broken")):
            done = tokenctl(*words)
            assert "canary" not in done.err
            assert done.code in {252, 255}
        debugged = tokenctl("--debug", "broken").err
        assert "LookupError" in debugged
        assert "Traceback" in debugged


READ_ONLY = "tokenctl: Standard output is closed or read-only. Redirect it to a file or a pipe.\n"


class TestTheEnd:
    @pytest.mark.parametrize(
        "words",
        [
            ("token",),
            ("tick",),
            ("dead-letters", "drop", "--yes"),
            ("refresh", "--yes"),
            ("seed",),
            ("authorize", "--no-browser"),
            ("doctor", "--call", "--yes"),
            ("repair", "--yes"),
        ],
        ids=lambda words: words[0],
    )
    def test_an_impossible_output_is_refused_first(self, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl(*words, "--query", "abs(@)", "--endpoint-url", "http://127.0.0.1:1")
        assert (done.code, done.out) == (255, "")
        assert f"The answer of {words[0]} cannot be printed with this --query and --output" in done.err

    @pytest.mark.parametrize(
        ("into", "code", "err"),
        [
            ("| true", 0, ""),
            (">/dev/full", 255, "tokenctl: The output could not be written: no space is left on the device.\n"),
            (">&-", 255, READ_ONLY),
            ("1</dev/null", 255, READ_ONLY),
        ],
        ids=["closed pipe", "full disk", "closed", "read-only"],
    )
    def test_survives_a_reader_that_is_gone(self, into: str, code: int, err: str) -> None:
        """Whether `true` ends before the output is written is a matter of timing, so this runs a few times."""
        words = " ".join([sys.executable, "-m", "tokenctl", *SAMPLE]).replace("file:///dev/stdin", "token=a")
        for _ in range(3):
            done = shell(f"set -o pipefail; {words} 2> >(grep -v warning >&2) {into}")
            assert (done.returncode, done.stderr) == (code, err)

    @pytest.mark.parametrize("into", ["2>/dev/full", "2</dev/null", "2> >(true)", "2>&-"])
    def test_does_not_depend_on_standard_error(self, into: str) -> None:
        """There is a warning on it before the call."""
        words = " ".join([sys.executable, "-m", "tokenctl", *SAMPLE]).replace("file:///dev/stdin", "token=a")
        done = shell(f"{words} --query expiresIn {into}")
        assert (done.returncode, done.stdout) == (0, "0\n")
        assert shell(f"{words} --nonsense {into}").returncode == 252

    @pytest.mark.parametrize("words", [SAMPLE, (*INVOKE, "--endpoint-url", "http://127.0.0.1:1")])
    def test_names_an_encoding_that_is_too_small(self, words: tuple[str, ...]) -> None:
        line = f"{sys.executable} -m tokenctl {' '.join(words)} --query \"'ü'\""
        done = shell(f'printf \'{{"token": "a"}}\' | {line}', PYTHONIOENCODING="ascii")
        assert done.returncode == 255
        assert done.stderr == "tokenctl: The output holds characters that cannot be encoded here. Set LC_ALL=C.UTF-8.\n"

    def test_a_reader_that_has_ended_spends_nothing(self, tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
        reads, writes = os.pipe()
        os.close(reads)
        with open(writes, "w", encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            monkeypatch.setattr(sys, "stdout", pipe)
            done = tokenctl(*INVOKE, "--endpoint-url", "http://127.0.0.1:1", stdin="token=a")
        assert (done.code, done.err) == (
            255,
            "tokenctl: The program that reads standard output has ended. Start both again.\n",
        )

    def test_by_interruption_is_130(self, monkeypatch: pytest.MonkeyPatch) -> None:
        @click.command()
        def interrupted() -> None:
            raise KeyboardInterrupt

        add(monkeypatch, interrupted)
        assert run(["interrupted"]) == 130


@pytest.mark.parametrize("command", NAMES)
def test_a_schema_is_valid(tokenctl: Tokenctl, command: str) -> None:
    Draft202012Validator.check_schema(tokenctl("schema", command).json)


class TestCompletion:
    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_script_is_printed(self, tokenctl: Tokenctl, name: str) -> None:
        done = tokenctl("completion", name)
        assert done.code == 0
        assert "_TOKENCTL_COMPLETE" in done.out
        assert f"{name}_complete" in done.out

    @pytest.mark.parametrize(
        ("typed", "offered"),
        [
            ("tokenctl ref", {"refresh", "refresh-token"}),
            ("tokenctl dead-letters re", {"redrive"}),
            ("tokenctl connections li", {"list"}),
            ("tokenctl refresh-token --refresh", {"--refresh-token-body"}),
            ("tokenctl refresh-token --output t", {"text", "table"}),
            ("tokenctl refresh-token --generate-cli-skeleton y", {"yaml-input"}),
        ],
    )
    def test_offers_what_fits(self, typed: str, offered: set[str]) -> None:
        position = str(typed.count(" "))
        done = shell(
            f"{sys.executable} -m tokenctl", _TOKENCTL_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=position
        )
        assert {line.partition(",")[2] for line in done.stdout.split()} == offered


HELP_LOADS_NOTHING_SLOW = """
import sys, tokenctl.main
tokenctl.main.run(['--help'])
loaded = {name.partition('.')[0] for name in sys.modules}
sys.exit(sorted(loaded & {'boto3', 'botocore', 'awscli', 'yaml'}) or 0)
"""
AWSCLI_DOES_NOT_REPLACE_BOTOCORE = """
import os, tokenctl.aws_style.aws_cli, boto3, botocore.client, s3transfer
assert all('awscli' not in module.__file__ for module in (botocore, botocore.client, s3transfer))
assert 'AWS_DATA_PATH' not in os.environ
"""


YAML_WITHOUT_LIBYAML = """
import sys, yaml
del yaml.CSafeDumper
from tokenctl.aws_style.yaml_1_2 import dump
dump({'accessToken': '1e3', 'expiresIn': 5}, sys.stdout)
"""
SCRIPTS = {"help": HELP_LOADS_NOTHING_SLOW, "awscli": AWSCLI_DOES_NOT_REPLACE_BOTOCORE, "yaml": YAML_WITHOUT_LIBYAML}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_only_the_right_modules_are_loaded(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
