"""The client against a real HTTP endpoint of Lambda: what it sends, keeps, and makes of every answer."""

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from werkzeug.wrappers import Response

import refresh_token.errors
from tests.support.canaries import CORE, leaks, texts_of
from tests.support.client_function import ARN, NAME, PARAMETER, Function, raised, refused, token_of
from token_client import Token, TokenClient, TokenClientError, answers, errors, invoker
from token_client.errors import (
    ClientConfigurationException,
    FunctionCrashedException,
    FunctionError,
    FunctionMissingException,
    FunctionTimedOutException,
    InvokeDeniedException,
    InvokeRefusedException,
    InvokeThrottledException,
    InvokeTimedOutException,
    LambdaUnavailableException,
    UnexpectedAnswerException,
    UnknownFunctionException,
)
from token_client.keeper import Now

THREADS = 20
FUNCTION_SOURCE = Path(refresh_token.errors.__file__).parent


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoker, "FIRST_PAUSE", 0.01)


def later(client: TokenClient, seconds: float) -> None:
    """Let the client's wall clock show so much more, as after a freeze; its monotonic clock stood still."""
    client._keeper._now = lambda: Now(time.monotonic(), time.time() + seconds)


# --- asking and reporting ---------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_and_kept(client: TokenClient, function: Function) -> None:
    token = client.get_token()
    assert (token.access_token, token.version_id, token.state) == (function.token, "version-1", "fresh")
    assert token.expires_at
    assert abs(token.expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)
    assert client.get_token() is token
    assert function.events == [{"provider": "figma"}]


def test_a_rejected_token_is_replaced_and_never_handed_out_again(client: TokenClient, function: Function) -> None:
    dead = client.get_token()
    function.kill()
    token = client.report_failure(dead)
    assert token.version_id == "version-2"
    assert client.get_token() == token
    assert function.events[1:] == [{"provider": "figma", "failedVersionId": "version-1"}]


def test_a_late_report_of_an_older_token_asks_nobody(client: TokenClient, function: Function) -> None:
    dead = client.get_token()
    token = client.report_failure(dead)
    assert client.report_failure(dead) == token
    assert len(function.events) == 2


def test_a_token_of_another_client_can_be_reported(client: TokenClient, function: Function) -> None:
    newer = Token("x", "version-2", "fresh", None)
    client.get_token()
    function.refresh()
    assert client.report_failure(newer).version_id == "version-3"
    assert client.report_failure(newer).version_id == "version-3"
    assert len(function.events) == 2


def test_many_threads_that_need_a_first_token_make_one_invocation(client: TokenClient, function: Function) -> None:
    function.slow = threading.Event()
    with ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(client.get_token) for _ in range(THREADS)]
        assert function.asked.acquire(timeout=10)
        function.slow.set()
        assert {future.result().access_token for future in asked} == {function.token}
    assert len(function.events) == 1


def test_many_threads_that_report_the_same_token_make_one_invocation(client: TokenClient, function: Function) -> None:
    dead = client.get_token()
    function.slow = threading.Event()
    with ThreadPoolExecutor(THREADS) as pool:
        reports = [pool.submit(client.report_failure, dead) for _ in range(THREADS)]
        function.slow.set()
        assert {report.result().version_id for report in reports} == {"version-2"}
    assert (len(function.events), function.refreshes) == (2, 1)


def test_an_error_reaches_every_thread_that_waits_as_an_error_of_its_own(
    client: TokenClient, function: Function
) -> None:
    function.slow = threading.Event()
    function.fault = lambda: raised("SecretNotSeededException", "Seed it.")
    with ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(client.get_token) for _ in range(THREADS)]
        function.slow.set()
        found = [future.exception() for future in asked]
    assert {type(error) for error in found} == {errors.SecretNotSeededException}
    assert len({id(error) for error in found}) == THREADS
    assert {str(error) for error in found} == {"Seed it."}


def test_a_report_that_fails_is_made_again_by_the_next_question(client: TokenClient, function: Function) -> None:
    dead = client.get_token()
    function.faults = [lambda: raised("IssuerUnavailableException", "Ask again later.")]
    with pytest.raises(errors.IssuerUnavailableException):
        client.report_failure(dead)
    assert client.get_token().version_id == "version-2"
    assert function.events[-1] == {"provider": "figma", "failedVersionId": "version-1"}


def test_a_function_that_gives_the_rejected_token_again_is_told_apart(client: TokenClient, function: Function) -> None:
    dead = client.get_token()
    payload = json.dumps(function.answer({}))
    function.fault = lambda: Response(payload)
    with pytest.raises(UnexpectedAnswerException, match="gave back the token that was reported"):
        client.report_failure(dead)


def test_a_live_token_is_served_while_the_function_is_down_and_it_says_so(
    client: TokenClient, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    function.state, function.expires_in = "due", 300
    function.faults = []
    first = client.get_token()
    later(client, 200)
    function.fault = lambda: refused(500, "ServiceException")
    with caplog.at_level(logging.WARNING, "token_client"):
        served = [client.get_token() for _ in range(3)]
    assert [token.access_token for token in served] == [first.access_token] * 3
    assert all(token.stale for token in served)
    assert not first.stale
    assert len(function.events) == 2
    (record,) = caplog.records
    assert "version-1 is served on" in record.getMessage()
    assert "LambdaUnavailableException" in record.getMessage()
    assert first.access_token not in caplog.text
    later(client, 299)
    with pytest.raises(LambdaUnavailableException):
        client.get_token()


def test_with_a_live_token_at_hand_a_slow_function_is_not_waited_for(
    client: TokenClient, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoker, "IMPATIENT_READ_TIMEOUT", 0.1)
    function.state = "due"
    token = client.get_token()
    later(client, 900)
    function.slow = threading.Event()
    assert client.get_token().access_token == token.access_token


def test_a_child_process_asks_for_itself(client: TokenClient, function: Function) -> None:
    client.get_token()
    held = client._keeper._lock
    with held:  # as if another thread had it at this moment
        pid = os.fork()
        if pid == 0:
            try:
                assert not client._invoker._clients, "it shares no connection with its parent"
                dead = client.get_token()
                os._exit(0 if client.report_failure(dead).version_id == "version-2" else 1)
            finally:
                os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert function.events[1:] == [{"provider": "figma", "failedVersionId": "version-1"}]


# --- which function -------------------------------------------------------------------------------------------------


def test_the_function_is_named_by_argument_variable_or_parameter(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    TokenClient(ARN).get_token()
    TokenClient.from_parameter(PARAMETER).get_token()
    monkeypatch.setenv("FUNCTION_NAME_PARAMETER", PARAMETER)
    TokenClient().get_token()
    monkeypatch.setenv("FUNCTION_NAME", NAME)
    TokenClient().get_token()
    quoted = ARN.replace(":", "%3A")
    assert function.paths == [
        *(f"/2015-03-31/functions/{name.replace('%3A', ':')}/invocations" for name in (quoted, quoted, quoted)),
        f"/2015-03-31/functions/{NAME}/invocations",
    ]


def test_a_parameter_is_read_with_the_first_question_and_once(function: Function) -> None:
    client = TokenClient.from_parameter(PARAMETER)
    assert function.parameter_reads == 0
    client.report_failure(client.get_token())
    assert function.parameter_reads == 1


def test_a_parameter_is_read_again_when_its_function_is_gone(function: Function) -> None:
    client = TokenClient.from_parameter(PARAMETER)
    function.faults = [lambda: refused(404, "ResourceNotFoundException")]
    with pytest.raises(FunctionMissingException):
        client.get_token()
    function.parameter = "another"
    client.get_token()
    assert "/functions/another/" in function.paths[-1]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Response('{"__type": "ParameterNotFound"}', 400), ClientConfigurationException),
        (Response('{"__type": "AccessDeniedException"}', 400), ClientConfigurationException),
        (Response('{"__type": "ThrottlingException"}', 400), LambdaUnavailableException),
        (Response('{"__type": "InternalServerError"}', 500), LambdaUnavailableException),
        (Response('{"Parameter": {"Value": " "}}', 200), ClientConfigurationException),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(
    function: Function, fault: Response, error: type[TokenClientError]
) -> None:
    function.parameter_fault = fault
    with pytest.raises(error, match=PARAMETER) as raised:
        TokenClient.from_parameter(PARAMETER).get_token()
    assert raised.value.__context__ is None


def test_a_client_without_a_name_or_a_region_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientConfigurationException, match="FUNCTION_NAME"):
        TokenClient()
    monkeypatch.delenv("AWS_DEFAULT_REGION")  # boto3 looks at nothing else; Lambda sets it
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ClientConfigurationException, match="AWS_DEFAULT_REGION"):
        TokenClient(NAME)


def test_a_session_of_the_consumers_own_is_used(function: Function) -> None:
    session = boto3.session.Session(region_name="eu-central-1")
    assert TokenClient(NAME, session=session).get_token().access_token == function.token


# --- errors -----------------------------------------------------------------------------------------------------------

CANARY = f"figd_{CORE}_in-a-message"


@pytest.mark.parametrize("name", [error.__name__ for error in refresh_token.errors.ALL])
def test_every_error_of_the_function_has_its_class_and_keeps_its_words(
    client: TokenClient, function: Function, name: str
) -> None:
    function.fault = lambda: raised(name, "What happened,\nand what to do.")
    with pytest.raises(FunctionError) as caught:
        client.get_token()
    assert (type(caught.value).__name__, caught.value.error_type) == (name, name)
    assert str(caught.value) == "What happened, and what to do."
    function.fault = lambda: raised(name, "")
    with pytest.raises(FunctionError, match=f"raised {name}. See the function's log"):
        client.get_token()


def test_the_client_agrees_with_the_function_on_the_names_and_on_what_passes_by_itself() -> None:
    assert list(errors.CONTRACT) == [error.__name__ for error in refresh_token.errors.ALL]
    for error in refresh_token.errors.ALL:
        assert not error.transient or errors.CONTRACT[error.__name__].transient


ANSWERS: dict[str, tuple[Callable[[], Response], type[TokenClientError], str]] = {
    "an error from the future": (lambda: raised("NewException", CANARY), UnknownFunctionException, "NewException"),
    "an error whose name is none": (lambda: raised(CANARY + " !", CANARY), UnknownFunctionException, "without a name"),
    "the function's timeout": (
        lambda: raised("Sandbox.Timedout", "2026-01-01T00:00:00Z 1-2 Task timed out after 60.00 seconds"),
        FunctionTimedOutException,
        "ask again",
    ),
    "the function's timeout, without a type": (
        lambda: Response('{"errorMessage": "x Task timed out after 3.00 seconds"}', 200, {"X-Amz-Function-Error": "U"}),
        FunctionTimedOutException,
        "ask again",
    ),
    "out of memory": (lambda: raised("Runtime.OutOfMemory", "x"), FunctionCrashedException, "Runtime.OutOfMemory"),
    "a broken bundle": (lambda: raised("Runtime.ImportModuleError", "x"), FunctionCrashedException, "deploying"),
    "no JSON": (lambda: Response(CANARY), UnexpectedAnswerException, "refresh function"),
    "another function's answer": (lambda: Response('{"ok": true}'), UnexpectedAnswerException, "refresh function"),
    "a list": (lambda: Response("[1]"), UnexpectedAnswerException, "refresh function"),
    "a token that is no header": (
        lambda: Response('{"accessToken": "a\\nb", "versionId": "v", "expiresIn": 1, "state": "fresh"}'),
        UnexpectedAnswerException,
        "refresh function",
    ),
    "an expiry that is no number": (
        lambda: Response('{"accessToken": "a", "versionId": "v", "expiresIn": true, "state": "fresh"}'),
        UnexpectedAnswerException,
        "refresh function",
    ),
    "throttled": (lambda: refused(429, "TooManyRequestsException"), InvokeThrottledException, "concurrency"),
    "denied": (lambda: refused(403, "AccessDeniedException"), InvokeDeniedException, "lambda:InvokeFunction"),
    "bad credentials": (lambda: refused(403, "UnrecognizedClientException"), InvokeDeniedException, "role"),
    "no function": (lambda: refused(404, "ResourceNotFoundException"), FunctionMissingException, "region"),
    "being updated": (lambda: refused(409, "ResourceConflictException"), LambdaUnavailableException, "later"),
    "Lambda's own fault": (lambda: refused(500, "ServiceException"), LambdaUnavailableException, "Health"),
    "refused": (lambda: refused(400, "InvalidParameterValueException"), InvokeRefusedException, "name"),
    "an echo for a code": (lambda: refused(400, CANARY, CANARY), InvokeRefusedException, "HTTP 400"),
}


@pytest.mark.parametrize(("answer", "error", "word"), ANSWERS.values(), ids=ANSWERS)
def test_whatever_lambda_answers_has_a_class_and_says_what_to_do(
    client: TokenClient, function: Function, answer: Callable[[], Response], error: type[TokenClientError], word: str
) -> None:
    function.fault = answer
    with pytest.raises(TokenClientError, match=word) as caught:
        client.get_token()
    assert type(caught.value) is error
    assert [text for text in texts_of(caught.value) if leaks(text)] == []
    assert caught.value.__context__ is None


MESSAGES = {
    "The secret holds no token pair yet. Run tokenctl.": errors.SecretNotSeededException,
    "The issuer refuses the refresh token (HTTP 400).": errors.ReauthorizationRequiredException,
    "The last refresh of this version failed (IssuerUnavailableException); x": errors.IssuerUnavailableException,
    "'NoneType' object is not subscriptable": UnknownFunctionException,
}


@pytest.mark.parametrize(("message", "error"), MESSAGES.items())
def test_where_the_local_aws_hides_the_name_the_words_tell(
    client: TokenClient, function: Function, message: str, error: type[FunctionError]
) -> None:
    function.fault = lambda: raised("Runtime.HandlerError", message)
    with pytest.raises(FunctionError) as caught:
        client.get_token()
    assert type(caught.value) is error
    assert caught.value.error_type == "Runtime.HandlerError"


def test_the_words_are_those_of_the_function() -> None:
    source = " ".join(file.read_text() for file in FUNCTION_SOURCE.rglob("*.py"))
    source = re.sub(r'"\s*f?"', "", source)
    assert [words for words, _ in answers._BY_MESSAGE if words not in source] == []


def test_a_token_in_a_message_of_the_function_is_hidden(client: TokenClient, function: Function) -> None:
    function.fault = lambda: raised("IssuerUnavailableException", f"It said {CANARY} to us.")
    with pytest.raises(errors.IssuerUnavailableException, match=r"It said \(hidden\) to us."):
        client.get_token()


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        (lambda: refused(429, "TooManyRequestsException"), 3),
        (lambda: refused(500, "ServiceException"), 3),
        (lambda: refused(409, "ResourceConflictException"), 3),
        (lambda: refused(403, "AccessDeniedException"), 1),
        (lambda: raised("IssuerUnavailableException", "x"), 1),
        (lambda: Response("nonsense"), 1),
    ],
)
def test_only_what_did_not_reach_the_function_is_sent_again(
    client: TokenClient, function: Function, fault: Callable[[], Response], attempts: int
) -> None:
    function.fault = fault
    with pytest.raises(TokenClientError):
        client.get_token()
    assert len(function.events) == attempts


def test_a_throttled_question_is_answered_in_the_end(client: TokenClient, function: Function) -> None:
    function.faults = [lambda: refused(429, "TooManyRequestsException")] * 2
    assert client.get_token().access_token == function.token


def test_no_answer_in_time_is_not_asked_again(function: Function) -> None:
    function.slow = threading.Event()
    with pytest.raises(InvokeTimedOutException, match=r"0.2 seconds.*ask again"):
        TokenClient(NAME, read_timeout=0.2).get_token()
    assert len(function.events) == 1


def test_a_lambda_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(LambdaUnavailableException, match="EndpointConnectionError") as caught:
        TokenClient(NAME).get_token()
    assert caught.value.code == "EndpointConnectionError"


def test_missing_credentials_are_told_apart_from_a_lambda_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = boto3.session.Session()
    with pytest.raises(ClientConfigurationException, match="no AWS credentials"):
        TokenClient(NAME, session=session).get_token()


@pytest.mark.parametrize("expires_at", [None, 7, "soon"])
def test_an_expiry_that_cannot_be_read_is_none(client: TokenClient, function: Function, expires_at: object) -> None:
    function.fault = lambda: Response(json.dumps({**function.answer({}), "expiresAt": expires_at}))
    assert client.get_token().expires_at is None


# --- the token --------------------------------------------------------------------------------------------------------


def test_a_token_shows_everything_but_itself(client: TokenClient) -> None:
    token = client.get_token()
    for text in (repr(token), str(token), f"{token}", f"{[token]}"):
        assert "version-1" in text
        assert token_of(1) not in text
    assert token.authorization == f"Bearer {token_of(1)}"
    with pytest.raises(AttributeError):
        token.access_token = "x"  # type: ignore[misc]
