"""The command line itself: help, global options, mistakes, completion, and what no command does."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

from tests.tokenctl.conftest import Tokenctl
from tokenctl import main
from tokenctl.main import COMMANDS, run
from tokenctl.main import tokenctl as group
from tokenctl.stack.target import Connection

SAMPLE = (
    *("refresh-token", "--provider", "figma", "--refresh-token-body", "file:///dev/stdin"),
    "--generate-cli-skeleton",
    "output",
)
CANARY = "figr_canary9"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(tokenctl: Tokenctl, command: str) -> None:
    done = tokenctl(command, "--help")
    assert done.code == 0
    assert f"tokenctl {command}" in done.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_help_lists_the_commands(tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
    done = tokenctl(*words)
    assert done.code == 0
    assert all(command in done.stdout for command in COMMANDS)


def test_the_help_of_the_group_has_examples_and_cuts_nothing_off(tokenctl: Tokenctl) -> None:
    said = tokenctl("--help").stdout
    assert "tokenctl status --stage prod" in said.partition("Examples:")[2]
    assert "..." not in said.partition("Commands:")[2]


def test_the_word_help_before_a_command_is_its_help(tokenctl: Tokenctl) -> None:
    assert tokenctl("help", "seed") == tokenctl("seed", "--help")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "completion"])
def test_every_command_that_prints_data_takes_the_output_options(tokenctl: Tokenctl, command: str) -> None:
    said = tokenctl(command, "--help").stdout
    assert all(option in said for option in ("--output [json|yaml|text|table]", "--query", "--color"))


@pytest.mark.parametrize(
    ("into", "ended"),
    [("| true", (0, "")), (">/dev/full", (255, "tokenctl: The output could not be written: no space is left.\n"))],
)
def test_output_that_nobody_takes_is_no_accident(into: str, ended: tuple[int, str]) -> None:
    """`true` has mostly gone when the answer comes; which of the two is first is chance, so it is run a few times."""
    words = " ".join([sys.executable, "-m", "tokenctl", *SAMPLE[:-4], "--refresh-token-body", "token=a", *SAMPLE[-2:]])
    script = f"set -o pipefail; {words} 2> >(grep -v warning >&2) {into}"
    for _ in range(3):
        done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == ended


def test_characters_that_cannot_be_written_are_told() -> None:
    script = f'printf \'{{"token": "a"}}\' | {sys.executable} -m tokenctl {" ".join(SAMPLE)} --query "\'ü\'"'
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 255
    assert done.stderr == "tokenctl: The output holds characters that cannot be written here. Set LC_ALL=C.UTF-8.\n"


def test_the_word_help_after_a_command_is_its_help(tokenctl: Tokenctl) -> None:
    assert tokenctl("refresh-token", "help") == tokenctl("refresh-token", "--help")


@pytest.mark.parametrize("words", [("--provider", "x", "help"), ("help", "help"), ("--output", "text", "help", "x")])
def test_the_word_help_is_found_wherever_it_stands(tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
    assert tokenctl("refresh-token", *words) == tokenctl("refresh-token", "--help")


@pytest.mark.parametrize(
    "words",
    [
        ("--stag", "local", "status", "help"),
        ("status", "--stag=local", "--wat", "5", "help"),
        ("seed", "--fr", "x", "help"),
    ],
)
def test_every_command_takes_shortened_options(tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
    done = tokenctl(*words)
    assert (done.code, done.stdout.partition(" [OPTIONS]")[0]) in {
        (0, "Usage: tokenctl status"),
        (0, "Usage: tokenctl seed"),
    }


def test_without_a_command_the_help_is_shown_as_a_mistake(tokenctl: Tokenctl) -> None:
    done = tokenctl()
    assert (done.code, done.stdout) == (252, "")
    assert "refresh-token" in done.stderr


def test_global_options_go_before_the_command_too_and_the_later_one_wins(tokenctl: Tokenctl) -> None:
    text = "accessToken\t0\n"
    before = ("--output", "text", "--region", "eu-west-1", "--no-cli-pager")
    assert tokenctl(*before, *SAMPLE, stdin="token=a").stdout == text
    assert tokenctl("--output", "table", *SAMPLE, "--output", "text", stdin="token=a").stdout == text


def test_a_command_without_target_ignores_the_global_options_before_it(tokenctl: Tokenctl) -> None:
    assert tokenctl("--region", "eu-west-1", "completion", "bash").code == 0


def test_the_version_is_shown(tokenctl: Tokenctl) -> None:
    for words in (("--version",), ("refresh-token", "--version")):
        done = tokenctl(*words)
        assert done.code == 0
        assert done.stdout.startswith("tokenctl/")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((CANARY,), "There is no command (not a name)"),
        (("refresh-tokn",), "did you mean refresh-token"),
        (("refresh-token", f"--{CANARY}"), "There is no option (not a name)"),
        (("refresh-token", "--provder", CANARY), "did you mean --provider"),
        (("refresh-token", f"--token={CANARY}"), "There is no option `--token`"),
        (("refresh-token", f"-token={CANARY}"), "There is no option `-t`"),
        (("refresh-token", CANARY), "There is a word too many"),
        (("refresh-token", "--provider"), "requires an argument"),
        (("refresh-token", "--provider", "--region"), "--provider expects one value"),
        (("refresh-token", "--generate-cli-skeleton", CANARY), "must be one of input, yaml-input, output"),
        (("refresh-token", "--output", CANARY), "--output must be one of json, yaml, text, table"),
        (("refresh-token", "--output", "yaml-stream"), "use yaml"),
        (("refresh-token", "--query", f"{CANARY}["), "Bad value for --query"),
        (("refresh-token", "--color", CANARY), "must be one of on, off, auto"),
        (("refresh-token", "--cli-read-timeout", CANARY), "must be a number"),
        (("refresh-token", "--cli-connect-timeout", "-1"), "must be a number"),
        (("refresh-token", "--endpoint-url", f"{CANARY}:80"), "must have the form http://"),
        (("refresh-token", "--endpoint-url", "http://"), "must have the form http://"),
        (("refresh-token", "--endpoint-url", "http://127.0.0.1:99999"), "must have the form http://"),
        (("refresh-token", "--endpoint-url", f"http://{CANARY} x/"), "must have the form http://"),
        (("refresh-token", "--endpoint-url", f"ftp://{CANARY}"), "must have the form http://"),
        (("refresh-token", "--no-verify-ssl"), "--ca-bundle"),
        (("refresh-token", "--cli-auto-prompt"), "is not supported by tokenctl"),
        (("refresh-token", "--v2-debug"), "is not supported by tokenctl"),
        (("refresh-token", "--cli-binary-format", "base64"), "is not supported by tokenctl"),
        (("refresh-token", "--cli-error-format", "json"), "is not supported by tokenctl"),
        (("completion", CANARY), "must be one of bash, zsh, fish"),
        (("completion",), "Missing argument"),
    ],
)
def test_a_mistake_is_one_line_that_helps_and_repeats_no_value(
    tokenctl: Tokenctl, words: tuple[str, ...], told: str
) -> None:
    done = tokenctl(*words)
    assert (done.code, done.stdout) == (252, "")
    assert told in done.stderr
    assert done.stderr.startswith("tokenctl: ")
    assert done.stderr.count("\n") == 1
    assert "canary" not in done.stderr


def test_the_region_is_that_of_the_option_then_of_aws_region_then_of_aws_default_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Connection().session.region_name == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert Connection().session.region_name == "eu-west-2"
    assert Connection(region="eu-west-3").session.region_name == "eu-west-3"


def test_a_connection_makes_a_client_once_however_often_it_is_asked_for_and_one_for_other_settings() -> None:
    connection = Connection()
    made = [connection.client("sqs") for _ in range(3)]
    assert made[0] is made[1] is made[2]
    patient = connection.client("sqs", read_timeout=900)
    assert patient is connection.client("sqs", read_timeout=900) is not made[0]
    assert patient.meta.config.read_timeout == 900
    elsewhere = replace(connection, endpoint_url="http://127.0.0.1:1")
    assert elsewhere.client("sqs").meta.endpoint_url == "http://127.0.0.1:1"
    connection.opened.close()


@pytest.mark.parametrize("address", [f"{CANARY}:1", "http://", "http://127.0.0.1:99999"])
def test_an_address_of_the_environment_that_cannot_be_called_is_told_without_it(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    done = tokenctl(*SAMPLE[:-2], "--function-name", "f", stdin="token=a")
    told = "tokenctl: The address of AWS_ENDPOINT_URL, or of the AWS configuration, cannot be called.\n"
    assert (done.code, done.stderr) == (253, told)


def test_a_credential_process_that_answers_nonsense_is_told_without_its_words(
    tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[profile p]\ncredential_process = echo {CANARY}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = tokenctl(*SAMPLE[:-2], "--function-name", "f", "--profile", "p", stdin="token=a")
    assert done.code == 253
    assert done.stderr.startswith("tokenctl: The AWS credentials or settings cannot be read.")
    assert "canary" not in done.stderr


@pytest.mark.parametrize("option", ["--no-paginate", "--no-cli-pager", "--no-cli-auto-prompt", "--color=off"])
def test_what_the_aws_cli_is_told_not_to_do_is_not_done_anyway(tokenctl: Tokenctl, option: str) -> None:
    assert tokenctl(*SAMPLE, option, stdin="token=a").code == 0


def test_a_certificate_bundle_that_is_not_there_is_told(tokenctl: Tokenctl) -> None:
    done = tokenctl(
        *SAMPLE[:-2], "--function-name", "f", "--ca-bundle", "/nothing", "--endpoint-url", "https://127.0.0.1:9",
        stdin="token=a",
    )  # fmt: skip
    assert (done.code, done.stderr) == (252, "tokenctl: The file that --ca-bundle names does not exist.\n")


def test_what_nobody_thought_of_is_told_without_its_text(tokenctl: Tokenctl, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def broken() -> None:
        raise LookupError(CANARY)

    monkeypatch.setitem(main.COMMANDS, "broken", "tests.tokenctl.test_command_line:_broken")
    monkeypatch.setattr(sys.modules[__name__], "_broken", broken, raising=False)
    for words in (("broken",), ("broken", "--debug"), ("--debug", "broken")):
        done = tokenctl(*words)
        assert "canary" not in done.stderr
        assert done.code in {252, 255}
    assert "LookupError" in tokenctl("--debug", "broken").stderr
    assert "Traceback" in tokenctl("--debug", "broken").stderr


def test_an_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(main.COMMANDS, "interrupted", "tests.tokenctl.test_command_line:_interrupted")
    monkeypatch.setattr(sys.modules[__name__], "_interrupted", interrupted, raising=False)
    assert run(["interrupted"]) == 130


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_a_shell_is_printed(tokenctl: Tokenctl, shell: str) -> None:
    done = tokenctl("completion", shell)
    assert done.code == 0
    assert "_TOKENCTL_COMPLETE" in done.stdout
    assert f"{shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tokenctl ref", {"refresh", "refresh-token"}),
        ("tokenctl refresh-token --refresh", {"--refresh-token-body"}),
        ("tokenctl refresh-token --output t", {"text", "table"}),
        ("tokenctl refresh-token --generate-cli-skeleton y", {"yaml-input"}),
    ],
)
def test_the_shell_is_offered_what_fits(typed: str, offered: set[str]) -> None:
    words = typed.split(" ")
    env = {
        **os.environ,
        "_TOKENCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run([sys.executable, "-m", "tokenctl"], env=env, capture_output=True, text=True, check=True)
    assert {line.partition(",")[2] for line in done.stdout.split()} == offered


def test_help_and_completion_do_not_load_boto3_or_the_aws_cli() -> None:
    script = (
        "import sys, tokenctl.main; tokenctl.main.run(['--help']); "
        "loaded = {name.partition('.')[0] for name in sys.modules}; "
        "sys.exit(sorted(loaded & {'boto3', 'botocore', 'awscli', 'yaml'}) or 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_the_aws_clis_own_botocore_does_not_get_into_the_process() -> None:
    script = (
        "import os, tokenctl.aws_style.aws_cli, boto3, botocore.client, s3transfer; "
        "assert all('awscli' not in module.__file__ for module in (botocore, botocore.client, s3transfer)); "
        "assert 'AWS_DATA_PATH' not in os.environ"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_group_is_named_as_its_command() -> None:
    assert group.name == "tokenctl"
