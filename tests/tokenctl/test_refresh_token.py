"""`tokenctl refresh-token` where `aws` has no counterpart: the function, YAML, warnings, the log. No token in any."""

import json
from pathlib import Path

import pytest

from local.standin import NINETY_DAYS, StandinControl
from refresh_token.events import Exchange, parse_event
from tests.tokenctl.conftest import Function, Tokenctl, Wire
from tokenctl.aws_style.operation import Operation
from tokenctl.aws_style.yaml_1_2 import load

TOKEN = "figr_canary-token-0123456789"
CLIENT = "client-canary-0123456789"
BODY = f"token={TOKEN},clientId={CLIENT}"
YAML_SKELETON = """\
provider: figma  # [REQUIRED] The third-party provider for the token. Valid values are: figma.
refreshTokenBody: # [REQUIRED] Information about the refresh token request.
  token: ''  # [REQUIRED] The token to use to refresh a previously issued access token that might have expired.
  clientId: '' # The ID of the client to request the token from.
"""
FIGMA = ("refresh-token", "--provider", "figma")


@pytest.fixture
def to(function: Function) -> tuple[str, ...]:
    return ("--endpoint-url", function.url, "--function-name", "arn:aws:lambda:us-east-1:000000000000:function:refresh")


def answering(function: Function, answer: object, *, error: bool = False, status: int = 200) -> None:
    function.answer, function.error, function.status = json.dumps(answer).encode(), error, status


def test_the_function_is_asked_for_the_bare_operation_and_its_answer_is_printed(
    tokenctl: Tokenctl, standin: StandinControl, function: Function, to: tuple[str, ...]
) -> None:
    token = standin.grant().refresh_token
    done = tokenctl(*FIGMA, "--refresh-token-body", f"token={token}", *to)
    assert json.loads(done.stdout) == {"accessToken": standin.live_access_token, "expiresIn": NINETY_DAYS}
    assert function.names == ["arn:aws:lambda:us-east-1:000000000000:function:refresh"]
    assert parse_event(function.payloads[0]) == Exchange(token)


def test_more_than_the_operation_answers_is_not_shown(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    answering(function, {"expiresIn": 5, "accessToken": "a", "versionId": "v", "refreshToken": "r"})
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, "--output", "yaml", *to)
    assert done.stdout == "accessToken: a\nexpiresIn: 5\n"


@pytest.mark.parametrize(
    "answer",
    [b"null", b"[]", b'"figd_canary"', b"{", b'{"accessToken": "figd_canary"}', b'{"outcome": "fresh"}', b"\xff"],
)
def test_an_answer_of_another_function_is_said_to_be_that_and_not_shown(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], answer: bytes
) -> None:
    function.answer = answer
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, *to)
    assert (done.code, done.stdout) == (255, "")
    assert "--function-name" in done.stderr
    assert "canary" not in done.stderr


def test_a_message_that_holds_the_name_of_the_function_is_not_maimed(tokenctl: Tokenctl, function: Function) -> None:
    answering(function, {"errorType": "InvalidParameterException", "errorMessage": "Bad refresh token"}, error=True)
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, "--endpoint-url", function.url, "--function-name", "refresh")
    assert done.stderr.endswith(" operation: Bad refresh token.\n")


def test_an_error_of_the_function_is_told_as_the_aws_cli_tells_one(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    answering(
        function, {"errorType": "ReauthorizationRequiredException", "errorMessage": "Sign in\nagain."}, error=True
    )
    done = tokenctl(*FIGMA, "--refresh-token-body", "file:///dev/stdin", *to, stdin=BODY)
    assert (done.code, done.stdout) == (254, "")
    assert done.stderr == (
        "tokenctl: An error occurred (ReauthorizationRequiredException) when calling the RefreshToken operation: "
        "Sign in again.\n"
    )


@pytest.mark.parametrize("answer", [{"errorMessage": "Task timed out after 60.00 seconds"}, None, []])
def test_a_function_that_fails_without_naming_an_error_type_is_an_error_of_a_service(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], answer: object
) -> None:
    answering(function, answer, error=True)
    done = tokenctl(*FIGMA, "--refresh-token-body", "file:///dev/stdin", *to, stdin=BODY)
    assert done.code == 254
    assert done.stderr.startswith("tokenctl: An error occurred (Unhandled) when calling the RefreshToken operation")


def test_an_error_of_lambda_names_the_operation_invoke(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    answering(function, {"Type": "User", "Message": f"Function not found: x {TOKEN}"}, status=404)
    done = tokenctl(*FIGMA, "--refresh-token-body", "file:///dev/stdin", *to, stdin=BODY)
    assert done.code == 254
    assert "when calling the Invoke operation: Function not found: x ***" in done.stderr


def test_a_call_that_fails_is_not_made_again(tokenctl: Tokenctl, function: Function, to: tuple[str, ...]) -> None:
    answering(function, {"Message": "later"}, status=500)
    assert tokenctl(*FIGMA, "--refresh-token-body", BODY, *to).code == 254
    assert len(function.payloads) == 1


def test_what_a_service_repeats_of_the_request_is_blotted_out(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    answering(function, {"errorType": "X", "errorMessage": f"bad {TOKEN} of {CLIENT}"}, error=True)
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, *to)
    assert done.stderr.endswith("operation: bad *** of ***.\n")


def test_no_connection_is_told_in_one_line(tokenctl: Tokenctl) -> None:
    done = tokenctl(
        *FIGMA, "--refresh-token-body", "file:///dev/stdin",
        "--endpoint-url", "http://127.0.0.1:9", "--function-name", "f", stdin=BODY,
    )  # fmt: skip
    assert done.code == 255
    assert done.stderr.count("\n") == 1
    assert "--endpoint-url" in done.stderr


@pytest.mark.parametrize(
    ("unset", "words"),
    [
        ("AWS_DEFAULT_REGION", "Give --region"),
        ("AWS_ACCESS_KEY_ID", "give --profile"),
        ("AWS_SECRET_ACCESS_KEY", "--profile"),
    ],
)
def test_a_missing_setting_is_an_error_of_the_configuration(  # noqa: PLR0917 - fixtures
    tokenctl: Tokenctl,
    function: Function,
    to: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    unset: str,
    words: str,
) -> None:
    monkeypatch.delenv(unset)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, *to)
    assert done.code == 253
    assert words in done.stderr
    assert function.payloads == []


def test_without_signature_no_credentials_are_needed(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    answering(function, {"accessToken": "a", "expiresIn": 5})
    assert tokenctl(*FIGMA, "--refresh-token-body", BODY, "--no-sign-request", *to).code == 0


# YAML, which version 2 of the AWS CLI has and the one on PyPI has not


@pytest.mark.parametrize(
    "text",
    [
        f"provider: figma\nrefreshTokenBody:\n  token: {TOKEN} # note\n  clientId: '{CLIENT}'\n",
        f'{{"provider": "figma", "refreshTokenBody": {{"token": "{TOKEN}", "clientId": "{CLIENT}"}}}}',
    ],
    ids=["blocks", "json"],
)
@pytest.mark.parametrize("from_", ["text", "file", "standard input"])
def test_all_parameters_are_taken_from_yaml(  # noqa: PLR0917 - fixtures
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], tmp_path: Path, text: str, from_: str
) -> None:
    answering(function, {"accessToken": "a", "expiresIn": 5})
    (tmp_path / "call.yaml").write_text(text)
    given = {"text": text, "file": f"file://{tmp_path}/call.yaml", "standard input": "file:///dev/stdin"}[from_]
    done = tokenctl("refresh-token", "--cli-input-yaml", given, *to, stdin=text)
    assert done.code == 0
    assert function.payloads == [{"provider": "figma", "refreshTokenBody": {"token": TOKEN, "clientId": CLIENT}}]
    assert ("warning" in done.stderr) is (from_ == "text")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--cli-input-yaml", "a: [figr_canary"), "this is not YAML"),
        (("--cli-input-yaml", "a: figr_canary\na: b"), "this is not YAML"),
        (("--cli-input-yaml", "figr_canary"), "a map of parameters is expected"),
        (("--cli-input-yaml", ""), "a map of parameters is expected"),
        (("--cli-input-json", "[]"), "a map of parameters is expected"),
        (("--cli-input-yaml", "refreshTokenBody: {token: 987654321}"), "refreshTokenBody.token must be a string"),
        (("--cli-input-yaml", "provider: figma\nfigr_canary9: 1"), "(not a name) is not known"),
        (("--cli-input-yaml", "provider: [figma]\nrefreshTokenBody: figr_canary"), "refreshTokenBody must be a map"),
        (("--cli-input-json", "{}", "--cli-input-yaml", "{}"), "Only one of --cli-input-json and --cli-input-yaml"),
        (("--refresh-token-body", "fileb:///dev/null", "--provider", "figma"), "use file://"),
        (("--refresh-token-body", "figr_canary", "--provider", "figma"), "expected '='"),
        (("--refresh-token-body", "figr_canary9=1", "--provider", "figma"), "(not a name) is not known"),
        (("--refresh-token-body", "a=figr_canary,a=figr_canary", "--provider", "figma"), "`a` stands twice"),
        (("--refresh-token-body", "token@=file:///nothing", "--provider", "figma"), "file:// cannot be read (No such"),
        (("--refresh-token-body", '{"token": figr_canary}', "--provider", "figma"), "not JSON (line 1, column 11)"),
        (("--refresh-token-body", "[" * 100_000, "--provider", "figma"), "not JSON"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named_without_their_values(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], words: tuple[str, ...], told: str
) -> None:
    for debug in ((), ("--debug",)):
        done = tokenctl("refresh-token", *words, *to, *debug)
        assert done.code == 252
        assert told in done.stderr
        assert "canary" not in done.stderr
        assert "987654321" not in done.stderr
    assert function.payloads == []


@pytest.mark.parametrize("scalar", ["yes", "on", "No", "12:30:45", "1.2.3", "0xg", "figd_1", "=", "."])
def test_yaml_is_version_1_2_where_these_are_text(scalar: str) -> None:
    assert load(f"k: {scalar}") == {"k": scalar}


@pytest.mark.parametrize(
    "scalar", ["true", "False", "1", "-1", "0o17", "0x1F", "1e5", ".5", ".inf", "~", "null", "2030-01-01", ""]
)
def test_yaml_is_version_1_2_where_these_are_not_text(scalar: str) -> None:
    assert not isinstance(load(f"k: {scalar}")["k"], str)


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "a: !b c", "a\n---\nb", "a: *b"])
def test_yaml_that_is_more_than_one_document_of_data_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not YAML"):
        load(text)


def test_the_yaml_skeleton_is_explained_and_can_be_given_back(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    skeleton = tokenctl("refresh-token", "--generate-cli-skeleton", "yaml-input").stdout
    assert skeleton == YAML_SKELETON
    answering(function, {"accessToken": "a", "expiresIn": 5})
    assert tokenctl("refresh-token", "--cli-input-yaml", "file:///dev/stdin", *to, stdin=skeleton).code == 0
    assert function.payloads == [Operation("RefreshToken").input_skeleton()]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ((), "accessToken: figd_ü\nexpiresIn: 5\n"),
        (("--query", "accessToken"), '"figd_ü"\n'),
        (("--query", "nothing"), "null\n"),
        (("--query", "[expiresIn, nothing]"), "- 5\n- null\n"),
    ],
)
def test_yaml_output_is_that_of_version_2(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], query: tuple[str, ...], shown: str
) -> None:
    answering(function, {"accessToken": "figd_ü", "expiresIn": 5})
    done = tokenctl(*FIGMA, "--refresh-token-body", BODY, "--output", "yaml", *query, *to)
    assert (done.code, done.stdout) == (0, shown)


# where the format comes from


def test_the_format_of_the_environment_and_of_the_profile_is_used(
    tokenctl: Tokenctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\noutput = text\n[profile other]\noutput = nonsense\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    sample = (*FIGMA, "--refresh-token-body", "token=abcd", "--generate-cli-skeleton", "output")
    assert tokenctl(*sample).stdout == "accessToken\t0\n"
    assert tokenctl(*sample, "--profile", "other").code == 253
    assert tokenctl(*sample, "--profile", "other", "--output", "yaml").code == 0
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "yaml")
    assert tokenctl(*sample).stdout == "accessToken: accessToken\nexpiresIn: 0\n"


@pytest.mark.parametrize("configured", ["yaml-stream", "off"])
def test_a_configured_format_that_will_not_do_is_told_before_anything_is_called(
    tokenctl: Tokenctl, function: Function, monkeypatch: pytest.MonkeyPatch, configured: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", configured)
    done = tokenctl(
        *FIGMA, "--refresh-token-body", "token=abcd", "--function-name", "f", "--endpoint-url", function.url
    )
    assert done.code == 253
    assert function.payloads == []


# secrets


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        (f"token={TOKEN}", True),
        (f'{{"token": "{TOKEN}"}}', True),
        (f"token='{TOKEN}\\'s'", True),
        (f"token@=file:///dev/stdin,clientId={CLIENT}", True),
        ("token@=file:///dev/stdin", False),
        ("file:///dev/stdin", False),
    ],
)
def test_a_secret_on_the_command_line_is_warned_of_and_one_in_a_file_is_not(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...], body: str, *, warned: bool
) -> None:
    answering(function, {"accessToken": "a", "expiresIn": 5})
    given = BODY if body == "file:///dev/stdin" else TOKEN
    done = tokenctl(*FIGMA, "--refresh-token-body", body, *to, stdin=given)
    assert done.code == 0
    assert ("other processes can see it" in done.stderr) is warned
    assert "canary" not in done.stderr


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_debug_log_shows_the_calls_and_no_token(
    tokenctl: Tokenctl, standin: StandinControl, wire: Wire, to: tuple[str, ...], place: str
) -> None:
    token = standin.grant().refresh_token
    words = (*FIGMA, "--refresh-token-body", f"token={token}", *to)
    done = tokenctl("--debug", *words) if place == "before" else tokenctl(*words, "--debug")
    assert done.code == 0
    assert len(wire.requests) == 1
    assert "lambda Invoke to http://127.0.0.1" in done.stderr
    assert "Invoke: HTTP 200 in" in done.stderr
    assert done.stderr.count("lambda Invoke to") == 1
    for secret in (token, standin.live_access_token, "Signature", "Credential="):
        assert secret not in done.stderr


def test_debug_shows_where_it_went_wrong_and_no_token(
    tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
) -> None:
    answering(function, {"accessToken": "figd_canary", "expiresIn": 5})
    words = (*FIGMA, "--refresh-token-body", BODY, "--query", "abs(accessToken)", *to)
    quiet, loud = tokenctl(*words), tokenctl(*words, "--debug")
    assert quiet.code == loud.code == 255
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert "output.py" in loud.stderr
    assert "canary" not in quiet.stderr + loud.stderr


def test_the_debug_log_ends_with_the_command(tokenctl: Tokenctl) -> None:
    assert tokenctl("refresh-token", "--generate-cli-skeleton", "--debug").stderr
    assert tokenctl("refresh-token", "--generate-cli-skeleton").stderr == ""
