"""The client against a real HTTP endpoint of Lambda: what it sends and keeps, and what it makes of every answer."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from werkzeug.wrappers import Response

import refresh_token.errors
from refresh_token.core.text import is_access_token
from tests.support.canaries import CORE, leaks, texts_of
from tests.support.client_function import ARN, NAME, PARAMETER, Function, raised, refused, token_of
from token_client import Api, Token, TokenClient, TokenClientError, errors, invoker
from token_client.kept_token import Now
from token_client.tokens import fault_of

THREADS = 20
ASKED: dict[str, str] = {}
REPORTED = {"failedVersionId": "version-1"}
CANARY = f"figd_{CORE}_in-a-message"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoker, "FIRST_PAUSE", 0.01)


def later(client: TokenClient, seconds: float) -> None:
    """Move the client's wall clock ahead, as after a freeze. Its monotonic clock stood still."""
    client._keeper._now = client._keeper._memory._now = lambda: Now(time.monotonic(), time.time() + seconds)


def from_many_threads(function: Function, call: Callable[[], Token]) -> list[Future[Token]]:
    """Make the same call from many threads, while the function holds its answer back until they wait for it."""
    function.slow = threading.Event()
    with ThreadPoolExecutor(THREADS) as pool:
        calls = [pool.submit(call) for _ in range(THREADS)]
        assert function.asked.acquire(timeout=10)
        function.slow.set()
    return calls


class TestTokens:
    def test_a_token_is_asked_for_once(self, client: TokenClient, function: Function) -> None:
        token = client.get_token()
        assert (token.access_token, token.version_id, token.state) == (function.token, "version-1", "fresh")
        assert token.expires_at
        assert abs(token.expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)
        assert client.get_token() is token
        assert function.events == [ASKED]

    @pytest.mark.parametrize("expires_at", [None, 7, "soon"])
    def test_an_unreadable_expiry_is_none(self, client: TokenClient, function: Function, expires_at: object) -> None:
        function.fault = Response(json.dumps({**function.answer({}), "expiresAt": expires_at}))
        assert client.get_token().expires_at is None

    def test_it_says_what_the_provider_said(self, client: TokenClient, function: Function) -> None:
        api = {
            "base": "https://x",
            "header": "X-Key",
            "scheme": "",
            "headers": {"Version": "2", "Odd": 7, "x-key": "9"},
            "later": 1,
        }
        values = {"instance_url": "https://eu9.example", "realm": 7, "share": 0.5, "yes": True, "more": {}}
        function.said = {"provider": "acme", "scope": "read write", "values": values, "api": api}
        token = client.get_token()
        assert (token.provider, token.scope) == ("acme", "read write")
        assert token.values == {"instance_url": "https://eu9.example", "realm": 7, "share": 0.5}
        assert (token.api.base, token.authorization) == ("https://x", function.token)
        assert token.headers == {"X-Key": function.token, "Version": "2"}
        assert isinstance(hash(token), int)

    @pytest.mark.parametrize("said", [{}, dict.fromkeys(("provider", "scope", "values", "api"), 7)])
    def test_what_is_not_said_is_usual(self, client: TokenClient, function: Function, said: dict[str, object]) -> None:
        function.said = said
        token = client.get_token()
        assert (token.provider, token.scope, token.values, token.api) == ("figma", None, {}, Api())
        assert token.headers == {"Authorization": f"Bearer {function.token}"}

    @pytest.mark.parametrize("api", [{"header": "X Key"}, {"scheme": "a\r\nX-Injected: b"}, {"headers": {"": "x"}}])
    def test_no_other_header_can_be_smuggled_in(
        self, client: TokenClient, function: Function, api: dict[str, object]
    ) -> None:
        function.said = {"api": api}
        with pytest.raises(errors.UnexpectedAnswerException, match="a header that no HTTP request can carry"):
            client.get_token()

    def test_a_token_shows_everything_but_itself(self, client: TokenClient) -> None:
        token = client.get_token()
        for text in (repr(token), str(token), f"{token}", f"{[token]}"):
            assert "version-1" in text
            assert token_of(1) not in text
        assert token.authorization == f"Bearer {token_of(1)}"
        with pytest.raises(AttributeError):
            token.access_token = "x"  # type: ignore[misc]

    def test_many_threads_make_one_invocation(self, client: TokenClient, function: Function) -> None:
        tokens = {call.result() for call in from_many_threads(function, client.get_token)}
        assert [token.access_token for token in tokens] == [function.token]
        assert len(function.events) == 1

    def test_each_thread_raises_its_own_error(self, client: TokenClient, function: Function) -> None:
        function.fault = raised("SecretNotSeededException", "Seed it.")
        found = [call.exception() for call in from_many_threads(function, client.get_token)]
        assert {(type(error), str(error)) for error in found} == {(errors.SecretNotSeededException, "Seed it.")}
        assert len({id(error) for error in found}) == THREADS

    def test_a_live_token_bridges_an_outage(
        self, client: TokenClient, function: Function, caplog: pytest.LogCaptureFixture
    ) -> None:
        function.state, function.expires_in = "due", 300
        first = client.get_token()
        later(client, 200)
        function.fault = refused(500, "ServiceException")
        with caplog.at_level(logging.WARNING, "token_client"):
            served = [client.get_token() for _ in range(3)]
        assert [(token.access_token, token.stale) for token in served] == [(first.access_token, True)] * 3
        assert not first.stale
        assert len(function.events) == 2
        (record,) = caplog.records
        assert "version-1" in record.getMessage()
        assert "LambdaUnavailableException" in record.getMessage()
        assert first.access_token not in caplog.text
        later(client, 299)
        with pytest.raises(errors.LambdaUnavailableException):
            client.get_token()

    def test_a_log_handler_may_need_a_token(self, client: TokenClient, function: Function) -> None:
        class Handler(logging.Handler):
            def emit(self, _: logging.LogRecord) -> None:
                assert not client._keeper._lock.locked(), "it would wait for ever"
                sent.append(client.get_token().stale)

        sent: list[bool] = []
        handler, logger = Handler(), logging.getLogger("token_client")
        function.state = "due"
        client.get_token()
        later(client, 600)
        function.fault = refused(500, "ServiceException")
        logger.addHandler(handler)
        client.get_token()
        logger.removeHandler(handler)
        assert sent == [True]

    def test_a_live_token_does_not_wait_for_long(
        self, client: TokenClient, function: Function, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(invoker, "IMPATIENT_READ_TIMEOUT", 0.1)
        function.state = "due"
        token = client.get_token()
        later(client, 900)
        function.slow = threading.Event()
        assert client.get_token().access_token == token.access_token

    def test_a_child_process_asks_for_itself(self, client: TokenClient, function: Function) -> None:
        client.get_token()
        with client._keeper._lock:  # as if another thread held it at this moment
            pid = os.fork()
            if pid == 0:
                try:
                    assert not client._invoker._clients, "it shares no connection with its parent"
                    dead = client.get_token()
                    os._exit(0 if client.report_failure(dead).version_id == "version-2" else 1)
                finally:
                    os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert function.events[1:] == [REPORTED]


class TestReports:
    def test_a_rejected_token_is_replaced_for_good(self, client: TokenClient, function: Function) -> None:
        dead = client.get_token()
        function.kill()
        token = client.report_failure(dead)
        assert token.version_id == "version-2"
        assert client.get_token() == client.report_failure(dead) == token
        assert function.events[1:] == [REPORTED]

    def test_another_clients_token_can_be_reported(self, client: TokenClient, function: Function) -> None:
        newer = Token("x", "version-2", "fresh", None)
        client.get_token()
        function.refresh()
        assert [client.report_failure(newer).version_id for _ in range(2)] == ["version-3"] * 2
        assert len(function.events) == 2

    def test_many_threads_make_one_report(self, client: TokenClient, function: Function) -> None:
        dead = client.get_token()
        function.asked.acquire()
        calls = from_many_threads(function, lambda: client.report_failure(dead))
        assert {call.result().version_id for call in calls} == {"version-2"}
        assert (len(function.events), function.refreshes) == (2, 1)

    def test_the_rejected_token_is_no_answer(self, client: TokenClient, function: Function) -> None:
        dead = client.get_token()
        payload = json.dumps(function.answer({}))
        function.fault = Response(payload)
        with pytest.raises(errors.UnexpectedAnswerException, match="gave back the token that was reported"):
            client.report_failure(dead)


class TestFunctionNames:
    def test_three_ways_name_the_function(self, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
        TokenClient(ARN).get_token()
        TokenClient.from_parameter(PARAMETER).get_token()
        monkeypatch.setenv("FUNCTION_NAME_PARAMETER", PARAMETER)
        TokenClient().get_token()
        monkeypatch.setenv("FUNCTION_NAME", NAME)
        TokenClient().get_token()
        assert function.paths == [f"/2015-03-31/functions/{name}/invocations" for name in (ARN, ARN, ARN, NAME)]

    def test_a_parameter_is_read_only_when_needed(self, function: Function) -> None:
        client = TokenClient.from_parameter(PARAMETER)
        assert function.parameter_reads == 0
        dead = client.report_failure(client.get_token())
        assert function.parameter_reads == 1
        function.parameter, function.faults = "another", [refused(404, "ResourceNotFoundException")]
        client.report_failure(dead)
        assert function.parameter_reads == 2
        assert "/functions/another/" in function.paths[-1]

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Response('{"__type": "ParameterNotFound"}', 400), errors.ClientConfigurationException),
            (Response('{"__type": "AccessDeniedException"}', 400), errors.ClientConfigurationException),
            (Response('{"__type": "ThrottlingException"}', 400), errors.LambdaUnavailableException),
            (Response('{"__type": "InternalServerError"}', 500), errors.LambdaUnavailableException),
            (Response('{"Parameter": {"Value": " "}}', 200), errors.ClientConfigurationException),
        ],
    )
    def test_a_bad_parameter_is_named(self, function: Function, fault: Response, error: type[TokenClientError]) -> None:
        function.parameter_fault = fault
        with pytest.raises(error, match=PARAMETER) as raised:
            TokenClient.from_parameter(PARAMETER).get_token()
        assert raised.value.__context__ is None

    def test_the_set_up_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(errors.ClientConfigurationException, match="FUNCTION_NAME"):
            TokenClient()
        monkeypatch.delenv("AWS_DEFAULT_REGION")  # boto3 reads nothing else; Lambda sets it
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        with pytest.raises(errors.ClientConfigurationException, match="AWS_DEFAULT_REGION"):
            TokenClient(NAME)
        session = boto3.session.Session(region_name="eu-central-1")
        assert TokenClient(NAME, session=session).get_token().access_token == token_of(1)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        session = boto3.session.Session(region_name="eu-central-1")
        with pytest.raises(errors.ClientConfigurationException, match="no AWS credentials"):
            TokenClient(NAME, session=session).get_token()


def a_token_answer(**members: object) -> Response:
    return Response(json.dumps({"accessToken": "a", "versionId": "v", "expiresIn": 1, "state": "fresh", **members}))


ANSWERS: dict[str, tuple[Response, str, str]] = {
    "an error from the future": (raised("NewException", CANARY), "UnknownFunction", "NewException"),
    "an error without a name": (raised(CANARY + " !", CANARY), "UnknownFunction", "without a name"),
    "a timeout": (raised("Sandbox.Timedout", "Z Task timed out after 60.00 seconds"), "FunctionTimedOut", "try again"),
    "a timeout without a type": (raised("", "x Task timed out after 3.00 seconds"), "FunctionTimedOut", "try again"),
    "out of memory": (raised("Runtime.OutOfMemory", "x"), "FunctionCrashed", "Runtime.OutOfMemory"),
    "a broken bundle": (raised("Runtime.ImportModuleError", "x"), "FunctionCrashed", "deploying"),
    "no JSON": (Response(CANARY), "UnexpectedAnswer", "refresh function"),
    "another function's answer": (Response('{"ok": true}'), "UnexpectedAnswer", "refresh function"),
    "a list": (Response("[1]"), "UnexpectedAnswer", "refresh function"),
    "an unusable token": (a_token_answer(accessToken=f"{CANARY}\n"), "UnexpectedAnswer", "version v has a line break"),
    "no number of seconds": (a_token_answer(expiresIn=10**400), "UnexpectedAnswer", "refresh function"),
    "no number": (a_token_answer(expiresIn=True), "UnexpectedAnswer", "refresh function"),
    "throttled": (refused(429, "TooManyRequestsException"), "InvokeThrottled", "concurrency"),
    "denied": (refused(403, "AccessDeniedException"), "InvokeDenied", "lambda:InvokeFunction"),
    "bad credentials": (refused(403, "UnrecognizedClientException"), "InvokeDenied", "role"),
    "no function": (refused(404, "ResourceNotFoundException"), "FunctionMissing", "region"),
    "being updated": (refused(409, "ResourceConflictException"), "LambdaUnavailable", "later"),
    "Lambda's own fault": (refused(500, "ServiceException"), "LambdaUnavailable", "Health"),
    "refused": (refused(400, "InvalidParameterValueException"), "InvokeRefused", "name"),
    "an echo for a code": (refused(400, CANARY, CANARY), "InvokeRefused", "HTTP 400"),
}
"""What Lambda answers, the client's error without "Exception", and a phrase from its message."""

ATTEMPTS = {"being updated": 3, "Lambda's own fault": 3}
"""One for everything else: only what did not reach the function is sent again."""


class TestErrors:
    @pytest.mark.parametrize("name", [error.__name__ for error in refresh_token.errors.ALL])
    def test_function_errors_keep_name_and_message(self, client: TokenClient, function: Function, name: str) -> None:
        function.fault = raised(name, f"What {CANARY} did,\nand what to do.")
        with pytest.raises(errors.FunctionError) as caught:
            client.get_token()
        assert (type(caught.value).__name__, caught.value.error_type) == (name, name)
        assert str(caught.value) == "What (hidden) did, and what to do."
        function.fault = raised(name, "")
        later(client, 60)
        with pytest.raises(errors.FunctionError, match=f"raised {name}. See the function's log"):
            client.get_token()
        assert len(function.events) == 2

    def test_client_and_function_know_the_same_errors(self) -> None:
        assert list(errors.CONTRACT) == [error.__name__ for error in refresh_token.errors.ALL]
        for error in refresh_token.errors.ALL:
            assert not error.transient or errors.CONTRACT[error.__name__].transient

    def test_client_and_function_use_the_same_tokens(self) -> None:
        tokens = ["", "a" * 16_384, "a" * 16_385, "a\n", " a", *(f"a{chr(number)}b" for number in range(0x3000))]
        assert [token for token in tokens if is_access_token(token) == bool(fault_of(token))] == []

    @pytest.mark.parametrize("case", ANSWERS)
    def test_every_answer_has_its_error_and_advice(self, client: TokenClient, function: Function, case: str) -> None:
        function.fault, error, word = ANSWERS[case]
        with pytest.raises(TokenClientError, match=word) as caught:
            client.get_token()
        assert type(caught.value).__name__ == f"{error}Exception"
        assert [text for text in texts_of(caught.value) if leaks(text)] == []
        assert caught.value.__context__ is None
        assert len(function.events) == ATTEMPTS.get(case, 1)

    def test_a_retry_after_an_outage_succeeds(self, client: TokenClient, function: Function) -> None:
        function.faults = [refused(500, "ServiceException")] * 2
        assert client.get_token().access_token == function.token

    def test_a_read_timeout_is_not_retried(self, function: Function) -> None:
        function.slow = threading.Event()
        with pytest.raises(errors.InvokeTimedOutException, match=r"0.2 seconds.*try again"):
            TokenClient(NAME, read_timeout=0.2).get_token()
        assert len(function.events) == 1

    def test_an_unreachable_lambda_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        with pytest.raises(errors.LambdaUnavailableException, match="EndpointConnectionError") as caught:
            TokenClient(NAME).get_token()
        assert caught.value.code == "EndpointConnectionError"
