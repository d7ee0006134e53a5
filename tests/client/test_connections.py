"""Clients of a fleet: which connection they ask for, how many they keep, and what they share."""

import gc
import json
import logging
import os
import pickle
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from werkzeug.wrappers import Response

from refresh_token.fleet.names import is_name
from tests.support.client_function import ARN, NAME, PARAMETER, Api, Function, raised
from token_client import TokenClient, TokenClients, errors
from token_client.auth.connections import ConnectionAuths
from token_client.auth.requests import TokenAuth
from token_client.function_name import FLEET, NAME_VARIABLE, PARAMETER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

ADA, BOB = "acme/ada", "acme/bob"

NAMES = ["u1", "acme/u1", "A.b_c-9", "x" * 64, f"{'x' * 64}/{'y' * 64}", "..", "-"]
NO_NAMES = ["", "/", "acme/", "/u1", "a/b/c", "x" * 65, "ada@acme.example", "a b", "u1\n", "ü", "#brake#figma", "a//b"]


@pytest.fixture
def clients(function: Function) -> TokenClients:
    assert function.url
    return TokenClients(NAME)


class TestAClientOfAConnection:
    def test_asks_and_reports_for_it_alone(self, function: Function) -> None:
        client = TokenClient(NAME, connection=ADA)
        token = client.get_token()
        assert (token.connection, token.access_token) == (ADA, function.connection(ADA).token)
        assert client.report_failure(token).version_id == "version-2"
        assert client.get_token().version_id == "version-2"
        assert function.events == [{"connection": ADA}, {"connection": ADA, "failedVersionId": "version-1"}]

    @pytest.mark.parametrize("name", NAMES)
    def test_may_have_such_a_name(self, name: str) -> None:
        assert is_name(name), "the function has the same rule"
        assert TokenClient(NAME, connection=name)

    @pytest.mark.parametrize("name", [*NO_NAMES, 7], ids=repr)
    def test_cannot_have_another_name(self, clients: TokenClients, name: str) -> None:
        assert not is_name(name), "the function has the same rule"
        makes: list[Callable[[], object]] = [
            lambda: clients.connection(name),
            lambda: TokenClient(NAME, connection=name),
        ]
        for make in makes:
            with pytest.raises(errors.ClientConfigurationException, match="not the name of a connection"):
                make()

    @pytest.mark.parametrize("connection", [BOB, None, 7])
    def test_takes_no_token_of_another(self, function: Function, connection: object) -> None:
        theirs = {**function.connection(BOB).answer({}), "connection": connection}
        function.fault = Response(json.dumps(theirs))
        with pytest.raises(errors.UnexpectedAnswerException, match=f"not about the connection {ADA}"):
            TokenClient(NAME, connection=ADA).get_token()

    def test_names_it_when_it_keeps_a_token(self, function: Function, caplog: pytest.LogCaptureFixture) -> None:
        client = TokenClient(NAME, connection=ADA)
        token = client.get_token()
        function.fault = raised("ConnectionPausedException", "Paused.")
        with caplog.at_level(logging.WARNING, "token_client"):
            client.look_again(token)
        assert f"version-1 of {ADA}" in caplog.text


FUNCTIONS = [
    ({NAME_VARIABLE: "one"}, "one"),
    ({NAME_VARIABLE: "one", FLEET + NAME_VARIABLE: "many"}, "many"),
    ({NAME_VARIABLE: "one", FLEET + PARAMETER_VARIABLE: PARAMETER}, ARN),
    ({FLEET + NAME_VARIABLE: "many", FLEET + PARAMETER_VARIABLE: PARAMETER}, "many"),
    ({PARAMETER_VARIABLE: PARAMETER}, ARN),
]


class TestTheFleetsFunction:
    @pytest.mark.parametrize(("variables", "invoked"), FUNCTIONS)
    def test_is_named_by_the_environment(
        self, function: Function, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], invoked: str
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        for client in (TokenClient(connection=ADA), TokenClients().connection(ADA)):
            client.get_token()
            assert function.paths.pop() == f"/2015-03-31/functions/{invoked}/invocations"

    def test_is_not_the_function_of_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(FLEET + NAME_VARIABLE, "many")
        with pytest.raises(errors.ClientConfigurationException, match="/function-arn"):
            TokenClient()

    def test_must_be_named(self) -> None:
        for make in (TokenClients, lambda: TokenClient(connection=ADA)):
            with pytest.raises(
                errors.ClientConfigurationException, match=r"CONNECTIONS_FUNCTION_NAME .*/connections-fu"
            ):
                make()

    def test_is_in_a_parameter(self, function: Function) -> None:
        assert TokenClients.from_parameter(PARAMETER).connection(ADA).get_token().connection == ADA
        assert TokenClient.from_parameter(PARAMETER, connection=BOB).get_token().connection == BOB
        assert function.parameter_reads == 2


class TestManyClients:
    def test_keep_a_token_each(self, clients: TokenClients, function: Function) -> None:
        for _ in range(2):
            for name in (ADA, BOB):
                assert clients.connection(name).get_token().access_token == function.connection(name).token
        assert function.events == [{"connection": ADA}, {"connection": BOB}]

    def test_share_one_aws_client(self, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[str] = []
        make = boto3.client

        def noted(service: str, **options: Any) -> object:
            made.append(service)
            return make(service, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(boto3, "client", noted)
        clients = TokenClients(NAME)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: clients.connection(f"acme/{n}").get_token(), range(200)))
        assert made == ["lambda"]
        assert len(function.events) == 200

    def test_forget_the_least_recently_used(self, function: Function) -> None:
        clients = TokenClients(NAME, max_connections=2)
        for name in ("a", "b", "a", "c", "a", "b"):
            clients.connection(name).get_token()
        assert [event["connection"] for event in function.events] == ["a", "b", "c", "b"]

    def test_find_a_client_that_is_held(self, function: Function) -> None:
        clients = TokenClients(NAME, max_connections=1)
        held = clients.connection("a")
        clients.connection("b")
        assert clients.connection("a") is held
        assert function.events == []

    def test_make_one_for_many_threads(self, clients: TokenClients, function: Function) -> None:
        function.slow = threading.Event()
        with ThreadPoolExecutor(32) as pool:
            calls = [pool.submit(lambda: clients.connection(ADA).get_token()) for _ in range(32)]
            assert function.asked.acquire(timeout=10)
            function.slow.set()
        assert len({call.result() for call in calls}) == 1
        assert function.events == [{"connection": ADA}]

    def test_fail_one_by_one(self, clients: TokenClients, function: Function) -> None:
        function.faults = [raised("ConnectionNotFoundException", "The fleet has no connection acme/ada.")]
        for _ in range(3):
            with pytest.raises(errors.ConnectionNotFoundException, match=ADA):
                clients.connection(ADA).get_token()
        assert clients.connection(BOB).get_token().connection == BOB
        assert function.events == [{"connection": ADA}, {"connection": BOB}]

    def test_take_little_memory(self, function: Function) -> None:
        assert function.url
        clients = TokenClients(NAME, max_connections=1000)
        clients.connection("warm")
        gc.collect()
        tracemalloc.start()
        for number in range(3000):
            clients.connection(f"tenant/{number}")
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size / 1000 < 4096

    def test_are_used_by_a_child_process(self, clients: TokenClients, function: Function) -> None:
        client = clients.connection(ADA)
        with clients._pool._lock, client._keeper._lock:  # as if another thread held them at this moment
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(0 if clients.connection(ADA).get_token().connection == ADA else 1)
                finally:
                    os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert function.events == [{"connection": ADA}]

    def test_are_pickled_and_copied(self, clients: TokenClients, function: Function) -> None:
        clients.connection(ADA).get_token()
        pickled = pickle.dumps((clients, clients.connection(ADA)))
        assert function.connection(ADA).token.encode() not in pickled
        for again in pickle.loads(pickled):  # noqa: S301 - our own
            client = again.connection(ADA) if isinstance(again, TokenClients) else again
            assert client.get_token().connection == ADA
        with pytest.raises(TypeError, match="TokenClients with a boto3 session"):
            pickle.dumps(TokenClients(NAME, session=boto3.session.Session()))


class TestAuths:
    def test_send_the_token_of_their_connection(self, clients: TokenClients, function: Function, api: Api) -> None:
        auths = ConnectionAuths(clients, TokenAuth)
        for name in (ADA, BOB):
            api.function = function.connection(name)
            assert requests.get(api.url, auth=auths.connection(name), timeout=9).ok
        function.connection(BOB).kill()
        assert requests.get(api.url, auth=auths.connection(BOB), timeout=9).ok
        assert function.connection(ADA).version == 1

    def test_remember_what_is_no_tokens_fault(self, clients: TokenClients, function: Function, api: Api) -> None:
        auths = ConnectionAuths(clients, TokenAuth)
        api.function = function.connection(ADA)
        for _ in range(3):
            assert requests.get(f"{api.url}/forbidden", auth=auths.connection(ADA), timeout=9).status_code == 403
        assert function.connection(ADA).refreshes == 1
