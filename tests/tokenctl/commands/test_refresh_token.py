"""`tokenctl refresh-token`: how the function is invoked, and what becomes of its answer. No output holds a token."""

import pytest

from local.standin import NINETY_DAYS, StandinControl
from refresh_token.events import Exchange, parse_event
from tests.support.command_line import Done, Tokenctl
from tests.tokenctl.conftest import Function, Wire

TOKEN = "figr_canary-token-0123456789"
CLIENT = "client-canary-0123456789"
BODY = f"token={TOKEN},clientId={CLIENT}"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:refresh"
FIGMA = ("refresh-token", "--provider", "figma", "--refresh-token-body")


@pytest.fixture
def to(function: Function) -> tuple[str, ...]:
    return ("--endpoint-url", function.url, "--function-name", ARN)


def refresh(tokenctl: Tokenctl, *words: str) -> Done:
    """Run the command with the token on standard input."""
    return tokenctl(*FIGMA, "file:///dev/stdin", *words, stdin=BODY)


class TestTheCall:
    def test_performs_the_operation(
        self, tokenctl: Tokenctl, standin: StandinControl, function: Function, to: tuple[str, ...]
    ) -> None:
        token = standin.grant().refresh_token
        done = tokenctl(*FIGMA, f"token={token}", *to)
        assert done.json == {"accessToken": standin.live_access_token, "expiresIn": NINETY_DAYS}
        assert function.names == [ARN]
        assert parse_event(function.payloads[0]) == Exchange(token)

    def test_is_not_repeated_after_a_failure(self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...]) -> None:
        function.will_answer({"Message": "later"}, status=500)
        assert refresh(tokenctl, *to).code == 254
        assert len(function.payloads) == 1

    @pytest.mark.parametrize(
        ("unset", "hint"),
        [
            ("AWS_DEFAULT_REGION", "Give --region"),
            ("AWS_ACCESS_KEY_ID", "give --profile"),
            ("AWS_SECRET_ACCESS_KEY", "--profile"),
        ],
    )
    def test_needs_region_and_credentials(  # noqa: PLR0917 - fixtures
        self,
        tokenctl: Tokenctl,
        function: Function,
        to: tuple[str, ...],
        monkeypatch: pytest.MonkeyPatch,
        unset: str,
        hint: str,
    ) -> None:
        monkeypatch.delenv(unset)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        done = refresh(tokenctl, *to)
        assert (done.code, hint in done.err) == (253, True)
        assert function.payloads == []

    def test_unsigned_needs_no_credentials(
        self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        assert refresh(tokenctl, "--no-sign-request", *to).code == 0

    def test_to_nobody_is_explained(self, tokenctl: Tokenctl) -> None:
        done = refresh(tokenctl, "--endpoint-url", "http://127.0.0.1:9", "--function-name", "f")
        assert (done.code, done.err.count("\n")) == (255, 1)
        assert "--endpoint-url" in done.err


INVOKE = "tokenctl: An error occurred ({}) when calling the RefreshToken operation"


class TestTheAnswer:
    def test_is_shown_without_more_than_the_operation(
        self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...]
    ) -> None:
        function.will_answer({"expiresIn": 5, "accessToken": "a", "versionId": "v", "refreshToken": "r"})
        assert refresh(tokenctl, "--output", "yaml", *to).out == "accessToken: a\nexpiresIn: 5\n"

    @pytest.mark.parametrize(
        "answer",
        [b"null", b"[]", b'"figd_canary"', b"{", b'{"accessToken": "figd_canary"}', b'{"outcome": "fresh"}', b"\xff"],
    )
    def test_of_another_function_is_recognized(
        self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...], answer: bytes
    ) -> None:
        function.answer = answer
        done = refresh(tokenctl, *to)
        assert (done.code, done.out) == (255, "")
        assert "--function-name" in done.err
        assert "canary" not in done.err

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (
                {"errorType": "ReauthorizationRequiredException", "errorMessage": "Sign in\nagain."},
                f"{INVOKE.format('ReauthorizationRequiredException')}: Sign in again.\n",
            ),
            (
                {"errorType": "X", "errorMessage": f"bad {TOKEN} of {CLIENT}"},
                f"{INVOKE.format('X')}: bad *** of ***.\n",
            ),
            (
                {"errorMessage": "Task timed out after 60.00 seconds"},
                f"{INVOKE.format('Unhandled')}: Task timed out after 60.00 seconds.\n",
            ),
            (None, f"{INVOKE.format('Unhandled')}: see the function's log.\n"),
            ([], f"{INVOKE.format('Unhandled')}: see the function's log.\n"),
        ],
        ids=["error", "echo", "timeout", "null", "list"],
    )
    def test_with_an_error_reads_like_the_aws_clis(
        self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...], error: object, message: str
    ) -> None:
        function.will_answer(error, error=True)
        done = refresh(tokenctl, *to)
        assert (done.code, done.out, done.err) == (254, "", message)

    def test_keeps_words_like_the_functions_name(self, tokenctl: Tokenctl, function: Function) -> None:
        function.will_answer({"errorType": "X", "errorMessage": "Bad refresh token"}, error=True)
        done = refresh(tokenctl, "--endpoint-url", function.url, "--function-name", "refresh")
        assert done.err.endswith(" operation: Bad refresh token.\n")

    def test_of_lambda_itself_names_invoke(self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...]) -> None:
        function.will_answer({"Type": "User", "Message": f"Function not found: x {TOKEN}"}, status=404)
        done = refresh(tokenctl, *to)
        assert done.code == 254
        assert "when calling the Invoke operation: Function not found: x ***" in done.err


class TestSecrets:
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
    def test_on_the_command_line_cause_a_warning(
        self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...], body: str, *, warned: bool
    ) -> None:
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        done = tokenctl(*FIGMA, body, *to, stdin=BODY if body == "file:///dev/stdin" else TOKEN)
        assert done.code == 0
        assert ("other processes can see it" in done.err) is warned
        assert "canary" not in done.err

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_are_not_in_the_debug_log(
        self, tokenctl: Tokenctl, standin: StandinControl, wire: Wire, to: tuple[str, ...], place: str
    ) -> None:
        token = standin.grant().refresh_token
        words = (*FIGMA, f"token={token}", *to)
        done = tokenctl("--debug", *words) if place == "before" else tokenctl(*words, "--debug")
        assert (done.code, len(wire.requests)) == (0, 1)
        assert "Invoke: HTTP 200 in" in done.err
        assert done.err.count("lambda Invoke to http://127.0.0.1") == 1
        for secret in (token, standin.live_access_token, "Signature", "Credential="):
            assert secret not in done.err

    def test_are_not_in_a_traceback(self, tokenctl: Tokenctl, function: Function, to: tuple[str, ...]) -> None:
        function.will_answer({"accessToken": "figd_canary", "expiresIn": 5})
        quiet, loud = (refresh(tokenctl, "--query", "abs(accessToken)", *to, *debug) for debug in ((), ("--debug",)))
        assert quiet.code == loud.code == 255
        assert "Traceback" not in quiet.err
        assert "Traceback" in loud.err
        assert "output.py" in loud.err
        assert "canary" not in quiet.err + loud.err

    def test_debug_log_ends_with_the_command(self, tokenctl: Tokenctl) -> None:
        assert tokenctl("refresh-token", "--generate-cli-skeleton", "--debug").err
        assert tokenctl("refresh-token", "--generate-cli-skeleton").err == ""
