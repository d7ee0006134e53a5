"""`tokenctl refresh-token`: how the function is invoked, and what becomes of its answer. No output holds a token."""

from collections.abc import Callable

import pytest

from local.standin import StandinControl
from tests.support.aws_endpoints import Function, Wire
from tests.support.command_line import Done, Tokenctl

TOKEN = "figr_canary-token-0123456789"
CLIENT = "client-canary-0123456789"
BODY = f"token={TOKEN},clientId={CLIENT}"
STDIN = "file:///dev/stdin"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:refresh"

Refresh = Callable[..., Done]


@pytest.fixture
def refresh(tokenctl: Tokenctl, function: Function) -> Refresh:
    """Run the command, with the token on standard input; check that no output holds a token."""

    def run(*options: str, body: str = STDIN, stdin: str = BODY, name: str = ARN, url: str = function.url) -> Done:
        words = ("refresh-token", "--provider", "figma", "--refresh-token-body", body)
        done = tokenctl(*words, "--endpoint-url", url, "--function-name", name, *options, stdin=stdin)
        assert "canary" not in done.out + done.err
        return done

    return run


class TestTheCall:
    def test_is_not_repeated_after_a_failure(self, refresh: Refresh, function: Function) -> None:
        function.will_answer({"Message": "later"}, status=500)
        assert refresh().code == 254
        assert (function.names, len(function.payloads)) == ([ARN], 1)

    @pytest.mark.parametrize(
        ("unset", "hint"),
        [
            ("AWS_DEFAULT_REGION", "Give --region"),
            ("AWS_ACCESS_KEY_ID", "give --profile"),
            ("AWS_SECRET_ACCESS_KEY", "--profile"),
        ],
    )
    def test_needs_region_and_credentials(
        self, refresh: Refresh, function: Function, monkeypatch: pytest.MonkeyPatch, unset: str, hint: str
    ) -> None:
        monkeypatch.delenv(unset)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        done = refresh()
        assert (done.code, hint in done.err, function.payloads) == (253, True, [])

    def test_unsigned_needs_none(self, refresh: Refresh, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        assert refresh("--no-sign-request").code == 0

    def test_to_nobody_is_explained(self, refresh: Refresh) -> None:
        done = refresh(url="http://127.0.0.1:9")
        assert (done.code, done.err.count("\n"), "--endpoint-url" in done.err) == (255, 1, True)


ERRORS: dict[str, tuple[object, str, str]] = {
    "error": ({"errorType": "X", "errorMessage": "Sign in\nagain."}, "X", "Sign in again."),
    "echo": ({"errorType": "X", "errorMessage": f"bad {TOKEN} of {CLIENT}"}, "X", "bad *** of ***."),
    "timeout": ({"errorMessage": "Task timed out after 60.00 s"}, "Unhandled", "Task timed out after 60.00 s."),
    "null": (None, "Unhandled", "see the function's log."),
    "list": ([], "Unhandled", "see the function's log."),
}


class TestTheAnswer:
    def test_is_reduced_to_the_operations(self, refresh: Refresh, function: Function) -> None:
        function.will_answer({"expiresIn": 5, "accessToken": "a", "versionId": "v", "refreshToken": "r"})
        assert refresh("--output", "yaml").out == "accessToken: a\nexpiresIn: 5\n"

    @pytest.mark.parametrize(
        "answer",
        [b"null", b"[]", b'"figd_canary"', b"{", b'{"accessToken": "figd_canary"}', b'{"outcome": "fresh"}', b"\xff"],
    )
    def test_of_another_function_is_recognized(self, refresh: Refresh, function: Function, answer: bytes) -> None:
        function.answer = answer
        done = refresh()
        assert (done.code, done.out, "--function-name" in done.err) == (255, "", True)

    @pytest.mark.parametrize(("answer", "code", "message"), ERRORS.values(), ids=ERRORS)
    def test_with_an_error_reads_like_the_aws_clis(
        self, refresh: Refresh, function: Function, answer: object, code: str, message: str
    ) -> None:
        function.will_answer(answer, error=True)
        expected = f"tokenctl: An error occurred ({code}) when calling the RefreshToken operation: {message}\n"
        assert refresh() == Done(254, "", expected)

    def test_keeps_words_like_the_functions_name(self, refresh: Refresh, function: Function) -> None:
        function.will_answer({"errorType": "X", "errorMessage": "Bad refresh token"}, error=True)
        assert refresh(name="refresh").err.endswith(" operation: Bad refresh token.\n")

    def test_of_lambda_itself_names_invoke(self, refresh: Refresh, function: Function) -> None:
        function.will_answer({"Type": "User", "Message": f"Function not found: x {TOKEN}"}, status=404)
        done = refresh()
        assert done.code == 254
        assert "when calling the Invoke operation: Function not found: x ***" in done.err


class TestSecrets:
    @pytest.mark.parametrize(
        ("body", "stdin", "warned"),
        [
            (f"token={TOKEN}", "", True),
            (f'{{"token": "{TOKEN}"}}', "", True),
            (f"token='{TOKEN}\\'s'", "", True),
            (f"token@={STDIN},clientId={CLIENT}", TOKEN, True),
            (f"token@={STDIN}", TOKEN, False),
            (STDIN, BODY, False),
        ],
    )
    def test_on_the_command_line_cause_a_warning(
        self, refresh: Refresh, function: Function, body: str, stdin: str, *, warned: bool
    ) -> None:
        function.will_answer({"accessToken": "a", "expiresIn": 5})
        done = refresh(body=body, stdin=stdin)
        assert (done.code, "other processes can see it" in done.err) == (0, warned)

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_are_not_in_the_debug_log(
        self, tokenctl: Tokenctl, standin: StandinControl, wire: Wire, function: Function, place: str
    ) -> None:
        token = standin.grant().refresh_token
        call = ("refresh-token", "--provider", "figma", "--refresh-token-body", f"token={token}")
        words = (*call, "--endpoint-url", function.url, "--function-name", ARN)
        done = tokenctl("--debug", *words) if place == "before" else tokenctl(*words, "--debug")
        assert (done.code, len(wire.requests)) == (0, 1)
        assert "Invoke: HTTP 200 in" in done.err
        assert done.err.count("lambda Invoke to http://127.0.0.1") == 1
        for secret in (token, standin.live_access_token, "Signature", "Credential="):
            assert secret not in done.err

    def test_are_not_in_a_traceback(self, refresh: Refresh, function: Function) -> None:
        function.will_answer({"accessToken": "figd_canary", "expiresIn": 5})
        quiet, loud = (refresh("--query", "abs(accessToken)", *debug) for debug in ((), ("--debug",)))
        assert quiet.code == loud.code == 255
        assert "Traceback" not in quiet.err
        assert "Traceback" in loud.err
        assert "output.py" in loud.err

    def test_debug_log_ends_with_the_command(self, tokenctl: Tokenctl) -> None:
        assert tokenctl("refresh-token", "--generate-cli-skeleton", "--debug").err
        assert tokenctl("refresh-token", "--generate-cli-skeleton").err == ""
