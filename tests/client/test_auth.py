"""The auth adapters against real servers: what goes over the wire, and what a caller gets."""

import asyncio
import copy
import io
import logging
import pickle
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import anyio
import anyio.to_thread
import boto3
import httpx
import pytest
import requests
import urllib3

from tests.support.canaries import CORE, leaks, texts_of
from tests.support.certificates import Authority
from tests.support.checkout import ROOT
from tests.support.client_function import Api, Function, raised, token_of
from tests.support.http_server import serving
from token_client import Token, TokenClient, TokenClientError, tokens
from token_client.auth import rejections
from token_client.auth.evidence import Evidence, evidence_of
from token_client.auth.hosts import Hosts
from token_client.auth.httpx import TokenAuth as HttpxAuth
from token_client.auth.requests import TokenAuth as RequestsAuth
from token_client.auth.urllib3 import TokenPool
from token_client.errors import ClientConfigurationException, InvokeTimedOutException

Send = Callable[..., tuple[int, str]]
"""(method, URL, body, the library's own options) to (status, text)."""

OLD, NEW = (f"Bearer {token_of(version)}" for version in (1, 2))
HELLO, FORBIDDEN = (200, "hello "), (403, "No.")


def with_requests(client: TokenClient) -> Send:
    session = requests.Session()
    session.auth = RequestsAuth(client)

    def send(method: str, url: str, body: Any = None, **options: Any) -> tuple[int, str]:
        with session:
            answer = session.request(method, url, **{"data": body, "timeout": 10, **options})
        return answer.status_code, answer.text

    return send


def with_httpx(client: TokenClient) -> Send:
    auth = HttpxAuth(client)

    def send(method: str, url: str, body: Any = None, **options: Any) -> tuple[int, str]:
        with httpx.Client(auth=auth, follow_redirects=True) as session:
            answer = session.request(method, url, content=body, **options)
        return answer.status_code, answer.text

    return send


def with_async_httpx(client: TokenClient) -> Send:
    auth = HttpxAuth(client)

    async def parts(body: Iterator[bytes]) -> AsyncIterator[bytes]:
        for part in body:
            yield part

    async def send(method: str, url: str, body: Any, **options: Any) -> tuple[int, str]:
        async with httpx.AsyncClient(auth=auth, follow_redirects=True) as session:
            content = parts(body) if isinstance(body, Iterator) else body
            answer = await session.request(method, url, content=content, **options)
        return answer.status_code, answer.text

    return lambda method, url, body=None, **options: asyncio.run(send(method, url, body, **options))


def with_urllib3(client: TokenClient) -> Send:
    pool = TokenPool(client)

    def send(method: str, url: str, body: Any = None, **options: Any) -> tuple[int, str]:
        form = {"fields": {**options.pop("data", {}), **options.pop("files", {})}}
        answer = pool.request(method, url, **({"body": body} if body else form if form["fields"] else options))
        return answer.status, answer.data.decode()

    return send


LIBRARIES = [with_requests, with_httpx, with_async_httpx, with_urllib3]


@pytest.fixture(params=LIBRARIES, ids=lambda make: make.__name__)
def send(request: pytest.FixtureRequest, client: TokenClient) -> Send:
    made: Send = request.param(client)
    return made


ODD = {"api": {"header": "X-Acme-Token", "scheme": "", "headers": {"Acme-Version": "2", "Accept": "acme/2"}}}
OTHER_WORD = {"api": {"scheme": "OAuth"}}


@pytest.fixture(params=[{}, ODD], ids=["usual", "other headers"])
def _way(request: pytest.FixtureRequest, function: Function) -> None:
    """How the API wants the token: consumers' code is the same for all of them."""
    function.said = request.param


def authorizations(api: Api) -> list[str | None]:
    return [authorization for _, authorization, _ in api.seen]


SCENARIOS: dict[str, tuple[str, str, int]] = {
    "a rejected token is replaced": ("me kill me me", "1122", 1),
    "a token rejected with 401 is replaced": ("401 me kill me me", "1122", 1),
    "a used token two refreshes behind is replaced": ("me refresh kill me refresh kill me", "1123345", 4),
    "a dead token is replaced before a redirect": ("old kill old", "11122", 1),
    "a new token that is forbidden is tried once more": ("forbidden me forbidden me", "12222", 1),
    "a used token that is forbidden is tried once more": ("me forbidden forbidden", "1122", 1),
    "so is one whose replacement has no date": ("undated me refresh kill forbidden forbidden", "1122", 1),
    "a replacement without a date is called invalid": ("undated invalid me refresh kill me", "1123", 2),
    "a doubted token is called invalid": ("forbidden invalid kill me", "1223", 2),
    "a live token is called invalid": ("me invalid forbidden forbidden", "1122", 1),
    "a scope is missing": ("me scope forbidden forbidden", "111", 0),
    "the function calls the token new": ("damping refresh me forbidden forbidden", "222", 1),
    "two consumers do not drive each other": ("forbidden" + " refresh forbidden" * 5, "122334455667", 1),
    "a doubted token that died is replaced": ("forbidden refresh me", "1223", 1),
}
"""Steps, the versions of the tokens that were sent, and the number of reports to the function."""

SETTINGS: dict[str, dict[str, object]] = {
    "undated": {"is_dated": False},
    "damping": {"damps": True},
    "401": {"rejection": 401},
    "invalid": {"says": "Invalid token"},
    "scope": {"challenge": 'Bearer error="insufficient_scope", scope="files"'},
}
"""Steps that change how the function or the API behaves."""


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *((name, {}) for name in SCENARIOS),
        *(("a dead token is replaced before a redirect", way) for way in (ODD, OTHER_WORD)),
    ],
)
def test_a_scenario(send: Send, api: Api, function: Function, name: str, way: dict[str, Any]) -> None:
    function.said = way
    steps, sent, reports = SCENARIOS[name]
    api.redirects["/old"] = "/me"
    for step in steps.split():
        match step:
            case "kill" | "refresh":
                getattr(function, step)()
            case "forbidden":
                assert send("GET", f"{api.url}/forbidden") == (403, api.says)
            case _ if step in SETTINGS:
                for setting, value in SETTINGS[step].items():
                    setattr(api if hasattr(api, setting) else function, setting, value)
            case _:
                assert send("GET", f"{api.url}/{step}") == HELLO
    assert authorizations(api) == [f"Bearer {token_of(int(version))}" for version in sent]
    assert len([event for event in function.events if "failedVersionId" in event]) == reports


class TestRejections:
    def test_an_irreplaceable_token_raises(self, send: Send, api: Api, client: TokenClient, function: Function) -> None:
        client.get_token()
        function.kill()
        function.fault = raised("ReauthorizationRequiredException", "Sign in.")
        with pytest.raises(TokenClientError, match="Sign in"):
            send("GET", f"{api.url}/me")

    def test_the_rejecting_statuses_can_be_chosen(self, client: TokenClient, api: Api, function: Function) -> None:
        function.kill()
        answer = requests.get(f"{api.url}/me", auth=RequestsAuth(client, rejected_statuses=[401]), timeout=10)
        assert answer.status_code == 403
        assert httpx.get(f"{api.url}/me", auth=HttpxAuth(client, rejected_statuses=[401])).status_code == 403
        assert TokenPool(client, rejected_statuses=[401]).request("GET", f"{api.url}/me").status == 403
        assert len(function.events) == 1

    def test_the_first_answer_is_in_the_history(self, client: TokenClient, api: Api, function: Function) -> None:
        function.kill()
        with httpx.Client(auth=HttpxAuth(client)) as session:
            histories = [session.get(f"{api.url}/me").history]
        function.kill()
        histories.append(requests.get(f"{api.url}/me", auth=RequestsAuth(client), timeout=10).history)  # type: ignore[arg-type]
        assert [[answer.status_code for answer in history] for history in histories] == [[403], [403]]

    def test_logs_are_clean(self, send: Send, api: Api, function: Function, caplog: pytest.LogCaptureFixture) -> None:
        # The function's own tests run in the same process and may have muted botocore.
        with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="botocore"):
            send("GET", f"{api.url}/me")
            function.kill()
            send("GET", f"{api.url}/me")
            send("GET", f"{api.url}/forbidden")
            function.kill()
            function.fault = raised("IssuerUnavailableException", f"It said {OLD}")
            assert send("GET", f"{api.url}/me")[0] == 403
        assert {"token_client", "botocore.endpoint"} <= {record.name for record in caplog.records}
        assert [line for line in caplog.text.splitlines() if "figd_canary" in line] == []


@pytest.mark.usefixtures("_way")
class TestRedirects:
    @pytest.fixture(autouse=True)
    def login(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give requests a login in netrc, which no request of ours may carry."""
        netrc = tmp_path / "netrc"
        netrc.write_text("default login ada password enigma\n")
        monkeypatch.setenv("NETRC", str(netrc))

    def test_the_same_origin_keeps_the_token(self, send: Send, api: Api, function: Function) -> None:
        api.redirects |= {"/moved": "/again", "/again": "/forbidden"}
        assert [send("GET", f"{api.url}/{path}") for path in ("me", "moved")] == [HELLO, FORBIDDEN]
        assert [path for path, *_ in api.seen].count("/forbidden") == 2
        assert function.refreshes == 1
        assert None not in authorizations(api)

    @pytest.mark.parametrize("to", ["{other}/me", "{localhost}/me", "{other}/back", "https to {localhost}/me"])
    def test_others_get_no_token(self, send: Send, api: Api, function: Function, to: str, tls: ssl.SSLContext) -> None:
        other = Api(Function(said=function.said), is_public=True, redirects={"/back": f"{api.url}/me"})
        localhost = api.url.replace("127.0.0.1", "localhost")
        with serving(other) as other.url, serving(api, tls) as secure:
            api.redirects["/away"] = to.removeprefix("https to ").format(other=other.url, localhost=localhost)
            send("GET", f"{secure if to.startswith('https') else api.url}/away")
        (first, *later), stranger = authorizations(api), authorizations(other)
        assert (first, *later, *stranger) == (OLD, *[None] * (2 if "back" in to else 1))
        assert function.refreshes == 0


class TestFurtherHeaders:
    def test_of_the_callers_own_stay(self, send: Send, api: Api, function: Function) -> None:
        function.said = ODD
        assert send("GET", f"{api.url}/me", headers={"acme-version": "3"})[0] == 403
        assert {seen.split(" with ")[1] for seen in authorizations(api) if seen} == {
            "{'Acme-Version': '3', 'Accept': 'acme/2'}"
        }
        assert send("GET", f"{api.url}/me", headers={"X-Acme-Token": "stale", "Authorization": "Mine"}) == HELLO


@pytest.fixture
def tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the context of a server that the libraries trust."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("localhost"))
    return context


class TestRequests:
    def test_a_prepared_request_can_be_sent_again(
        self, client: TokenClient, api: Api, function: Function, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "NEW", 0)  # each token dies at once
        api.redirects["/old"] = "/me"
        with requests.Session() as session:
            session.auth = RequestsAuth(client)
            for path in ("me", "old"):
                prepared = session.prepare_request(requests.Request("GET", f"{api.url}/{path}"))
                for request in (prepared, prepared, prepared, prepared.copy(), prepared):
                    function.kill()
                    assert session.send(request, timeout=10).status_code == 200
                    function.kill()
                    assert session.get(f"{api.url}/me", timeout=10).status_code == 200
        assert function.refreshes == 20
        assert copy.deepcopy(prepared.headers) == prepared.headers

    def test_a_streamed_rejection_stays_unread(self, client: TokenClient, api: Api) -> None:
        for path, body in (("me", b"hello "), ("forbidden", b"No.")):
            answer = requests.get(f"{api.url}/{path}", auth=RequestsAuth(client), stream=True, timeout=10)
            with httpx.Client(auth=HttpxAuth(client)) as session, session.stream("GET", f"{api.url}/{path}") as other:
                assert b"".join(other.iter_raw()) == body
            pooled = TokenPool(client).request("GET", f"{api.url}/{path}", preload_content=False)
            assert answer.raw.read() == pooled.read() == body

    def test_a_login_of_the_callers_stays(self, client: TokenClient, api: Api) -> None:
        with requests.Session() as session:
            session.auth = RequestsAuth(client)
            for copied in (False, True):
                request = session.prepare_request(requests.Request("GET", f"{api.url}/me"))
                request = request.copy() if copied else request
                request.headers["Authorization"] = "Mine"
                assert session.send(request, timeout=10).status_code == 403
        assert authorizations(api) == ["Mine", "Mine"]

    def test_a_rejection_need_not_be_readable(self, client: TokenClient, api: Api, function: Function) -> None:
        function.kill()
        api.encoding = "gzip"  # it is not
        assert requests.get(f"{api.url}/me", auth=RequestsAuth(client), timeout=10).status_code == 200


@pytest.mark.usefixtures("_way")
class TestStored:
    """What is pickled holds no token, and works in its next process. A copy shares the client."""

    def test_pickles_of_requests(
        self, client: TokenClient, api: Api, function: Function, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "NEW", 0)  # as above
        session = requests.Session()
        session.auth = RequestsAuth(client, hosts=["127.0.0.1"])
        function.kill()
        answer = session.get(f"{api.url}/me", timeout=10)
        for whole in (client, session, session.auth, answer, answer.history, answer.request, answer.request.headers):
            text = pickle.dumps(whole)
            assert b"canary" not in text
            assert b"canary" not in pickle.dumps(copy.deepcopy(pickle.loads(text)))  # noqa: S301 - our own
            assert "canary" not in repr(whole)
        for stored in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session), copy.copy(session)):  # noqa: S301
            function.kill()
            assert stored.get(f"{api.url}/me", timeout=10).text == "hello "
        for request in (copy.copy(answer.request), copy.deepcopy(answer.request)):
            function.kill()
            assert session.send(request, timeout=10).status_code == 200

    @pytest.mark.parametrize("path", ["me", "old"])
    def test_pickles_of_httpx(self, client: TokenClient, api: Api, path: str) -> None:
        api.redirects["/old"] = "/me"
        auth = pickle.loads(pickle.dumps(HttpxAuth(client)))  # noqa: S301
        with httpx.Client(auth=auth, follow_redirects=True) as session:
            answer = session.get(f"{api.url}/{path}")
        assert b"canary" not in pickle.dumps([answer, *answer.history])
        assert authorizations(api)[-1] == OLD

    def test_a_boto3_session_cannot_be_pickled(self, session: boto3.session.Session) -> None:
        with pytest.raises(TypeError, match="boto3 session"):
            pickle.dumps(TokenClient("f", session=session))


TIMEOUTS: dict[object, list[Any]] = {
    with_requests: [0.05, (10, 0.05), urllib3.Timeout(total=0.05)],
    with_httpx: [0.05, httpx.Timeout(10, read=0.05)],
    with_async_httpx: [0.05],
    with_urllib3: [0.05, urllib3.Timeout(read=0.05), urllib3.Timeout(total=0.05)],
}


class TestTimeouts:
    @pytest.mark.parametrize("library", LIBRARIES)
    def test_a_requests_timeout_bounds_the_wait(
        self, library: Callable[[TokenClient], Send], client: TokenClient, api: Api, function: Function
    ) -> None:
        send, timeouts = library(client), TIMEOUTS[library]
        function.slow = threading.Event()
        for timeout in timeouts:
            with pytest.raises(InvokeTimedOutException):
                send("GET", f"{api.url}/me", timeout=timeout)
        function.slow.set()
        assert send("GET", f"{api.url}/me", timeout=10) == HELLO
        assert len(function.events) == 1
        function.kill()
        function.slow = threading.Event()
        for timeout in timeouts:
            with pytest.raises(InvokeTimedOutException):
                send("GET", f"{api.url}/me", timeout=timeout)


def refuse(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("Never 401.")


async def refuse_later(*_: object) -> NoReturn:
    raise RuntimeError("Never 401.")


class TestHooks:
    """A caller's hook that raises does not hide a rejection."""

    def test_requests_sends_it_again_first(self, client: TokenClient, api: Api, function: Function) -> None:
        function.kill()
        with requests.Session() as session:
            session.auth = RequestsAuth(client)
            session.hooks["response"] = [lambda answer, *_, **__: answer.raise_for_status()]
            assert session.get(f"{api.url}/me", timeout=10).status_code == 200

    @pytest.mark.parametrize("path", ["me", "forbidden"])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_httpx_has_it_reported(
        self, client: TokenClient, api: Api, function: Function, path: str, *, is_async: bool
    ) -> None:
        auth = HttpxAuth(client)

        async def get_later() -> None:
            async with httpx.AsyncClient(auth=auth, event_hooks={"response": [refuse_later]}) as session:
                await session.get(f"{api.url}/{path}")

        def get() -> None:
            if is_async:
                asyncio.run(get_later())
            with httpx.Client(auth=auth, event_hooks={"response": [refuse]}) as session:
                session.get(f"{api.url}/{path}")

        function.kill()
        for _ in range(5):
            with pytest.raises(RuntimeError, match="Never"):
                get()
        assert authorizations(api) == [OLD] + [NEW] * 4
        assert function.refreshes == 1


class TestBodies:
    @pytest.mark.parametrize("body", [b"you", "you"], ids=["bytes", "text"])
    def test_a_body_in_memory_is_sent_again(self, send: Send, api: Api, function: Function, body: object) -> None:
        function.kill()
        assert send("POST", f"{api.url}/me", body) == (200, "hello you")
        assert [sent for *_, sent in api.seen] == [b"you", b"you"]

    @pytest.mark.parametrize("form", [{"json": [1]}, {"data": {"a": "b"}}, {"files": {"f": ("name", b"you")}}], ids=str)
    def test_a_form_is_sent_again(self, send: Send, api: Api, function: Function, form: dict[str, Any]) -> None:
        function.kill()
        assert send("POST", f"{api.url}/me", **form)[0] == 200
        first, second = (sent for *_, sent in api.seen)
        assert len(first) == len(second) > 0

    @pytest.mark.parametrize("library", [with_requests, with_urllib3])
    def test_a_file_is_rewound_to_its_position(
        self, library: Callable[[TokenClient], Send], client: TokenClient, api: Api, function: Function
    ) -> None:
        function.kill()
        file = io.BytesIO(b"not thisyou")
        file.seek(8)
        assert library(client)("POST", f"{api.url}/me", file) == (200, "hello you")

    def test_a_file_without_seek_is_not_resent(self, client: TokenClient, api: Api, function: Function) -> None:
        function.kill()
        file = SimpleNamespace(read=io.BytesIO(b"you").read)
        assert with_httpx(client)("POST", f"{api.url}/me", files={"f": ("n", file)})[0] == 403
        assert function.refreshes == 1

    def test_a_spent_body_is_not_sent_again(self, send: Send, api: Api, function: Function) -> None:
        function.kill()
        assert send("POST", f"{api.url}/me", iter([b"y", b"ou"]))[0] == 403
        assert send("GET", f"{api.url}/me") == HELLO
        assert authorizations(api) == [OLD, NEW]

    def test_spent_bodies_do_not_kill_in_a_loop(self, send: Send, api: Api, function: Function) -> None:
        for _ in range(4):
            assert send("POST", f"{api.url}/forbidden", iter([b"x"]))[0] == 403
        assert function.refreshes == 1


UNUSABLE = {
    "": "is empty",
    f"{CORE}\n": "line break",
    f" {CORE}": "has a space",
    f"{CORE}\x00": "control",
    f"{CORE}å": "ASCII",
    CORE * 2000: "more than 16384",
}


class OneToken:
    def __init__(self, access_token: str) -> None:
        self._token = Token(access_token, "version-1", "fresh", None)

    def get_token(self) -> Token:
        return self._token

    def report_failure(self, token: Token) -> Token:
        return token

    look_again = report_failure


@pytest.mark.parametrize("access_token", UNUSABLE, ids=UNUSABLE.get)
@pytest.mark.parametrize("library", LIBRARIES)
def test_no_error_shows_an_unusable_token(library: Callable[[object], Send], api: Api, access_token: str) -> None:
    with pytest.raises(TokenClientError, match=UNUSABLE[access_token]) as caught:
        library(OneToken(access_token))("GET", f"{api.url}/me")
    assert [text for text in texts_of(caught.value) if leaks(text)] == []
    assert api.seen == []


EVIDENCE = {
    ('Bearer error="invalid_token"', "Invalid scope(s)"): "INVALID",
    ('Basic realm="a, b", Bearer realm="c", error=insufficient_scope', "Invalid token"): "OTHER",
    ("", '{"status":403,"err":"Invalid token"}'): "INVALID",
    ("", '{"status":403,"err":"Token expired"}'): "INVALID",
    ("", '{"err":"Invalid scope(s): file_read. This endpoint requires the file_content:read scope"}'): "OTHER",
    ("", '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'): "INVALID",
    ("", '{"error":{"code":"InvalidAuthenticationToken"}}'): "INVALID",
    ("", '{"error":{"details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}'): "OTHER",
    ("", '{"errors":[{"reason":"rateLimitExceeded"}]}'): "OTHER",
    ("Bearer error = 'invalid_token'", ""): "INVALID",
    ("", "The OAuth token used to make this call expired 3 second(s) ago."): "INVALID",
    ("", '{"message":"The token used in the request has been revoked by the user"}'): "INVALID",
    ("", "[API] Invalid API key or access token (unrecognized login or wrong password)"): "INVALID",
    ("", "[API] This action requires merchant approval for read_orders scope."): "OTHER",
    ("", '{"code":401,"message":"Unauthorized; scope does not match"}'): "OTHER",
    ("", '{"code":"OAUTH_SCOPE_MISMATCH"}'): "OTHER",
    ("", '{"error":{"code":"Denied","message":"Insufficient privileges to complete the operation."}}'): "OTHER",
    ("", '{"message":"Missing Permissions","code":50013}'): "OTHER",
    ("", '{"code":4711,"message":"Invalid access token, does not contain scopes:[user:read]."}'): "NONE",
    ("", "Token is invalid or has insufficient scope"): "NONE",
    ("", "Forbidden"): "NONE",
    ("", "<p>Invalid token</p>" + "x" * 5000): "NONE",
}
"""A challenge and a body, and what they say about the token."""


@pytest.mark.parametrize("case", EVIDENCE, ids="".join)
def test_a_rejection_tells_its_reason(case: tuple[str, str]) -> None:
    challenge, body = case
    assert evidence_of([challenge], body.encode()).name == EVIDENCE[case]


HOSTS: dict[str, tuple[object, str]] = {
    # the allow-list, and which of ADDRESSES get the token
    "by default": (None, "1101100"),
    "a host": ({"API.figma.com."}, "1100000"),
    "a host and port": (["api.figma.com:443"], "1000000"),
    "loopback": ("127.0.0.1", "0001000"),
    "one host over http": (["http://api.figma.com"], "1110000"),
    "none": ([], "0000000"),
}
ADDRESSES = [
    ("https", "api.figma.com", None),
    ("https", "api.figma.com", 8443),
    ("http", "api.figma.com", None),
    ("http", "127.0.0.1", 80),
    ("http", "[::1]", 8080),
    ("http", "localhost.example.com", 80),
    ("http", "169.254.169.254", 80),
]


class TestHosts:
    @pytest.mark.parametrize("case", HOSTS)
    def test_only_these_get_the_token(self, case: str) -> None:
        given, expected = HOSTS[case]
        hosts = Hosts(given)  # type: ignore[arg-type]
        assert "".join(str(int(hosts.allow(*address))) for address in ADDRESSES) == expected

    @pytest.mark.parametrize("entry", ["*.figma.com", "https://a.com/x", "ftp://a.com", "u@a.com", "a.com:x", ""])
    def test_an_entry_is_a_host(self, entry: str) -> None:
        with pytest.raises(ClientConfigurationException, match="not a host"):
            Hosts([entry])

    def test_other_requests_go_without(self, client: TokenClient, api: Api, function: Function) -> None:
        options: Any = {"hosts": ["api.figma.com"]}
        url = f"{api.url}/me"
        requests.get(url, auth=RequestsAuth(client, **options), timeout=10)
        httpx.get(url, auth=HttpxAuth(client, **options))
        TokenPool(client, **options).request("GET", url)
        assert (authorizations(api), function.events) == ([None] * 3, [])


class Keeping(urllib3.Retry):
    """A caller's own retries, which keep every header on a redirect."""

    def new(self, **options: Any) -> "Keeping":
        return super().new(**{**options, "remove_headers_on_redirect": []})


@pytest.mark.parametrize("kind", [urllib3.Retry, Keeping])
def test_urllib3s_retries_leave_rejections_alone(
    client: TokenClient, api: Api, function: Function, kind: type[urllib3.Retry]
) -> None:
    retries = kind(3, status_forcelist=[401, 403, 500], remove_headers_on_redirect=[])
    api.redirects["/away"] = api.url.replace("127.0.0.1", "localhost") + "/me"
    function.kill()
    for pool in (urllib3.PoolManager(retries=retries), urllib3.PoolManager()):
        options = {} if pool.connection_pool_kw else {"retries": retries}
        assert TokenPool(client, pool).request("GET", f"{api.url}/me", **options).status == 200
        assert TokenPool(client, pool).request("GET", f"{api.url}/away", **options).status == 403
    assert authorizations(api) == [OLD, NEW, NEW, None, NEW, NEW, None]


URLLIB3_1_26 = """\
urllib3==1.26.20 --hash=sha256:0ed14ccfbf1c30a9072c7ca157e4319b70d65f623e91e7b32fadb2853431016e
"""


def test_urllib3_1_26_works_too(tmp_path: Path) -> None:
    (tmp_path / "urllib3.txt").write_text(URLLIB3_1_26, encoding="utf-8")
    install = ("install", "--quiet", "--no-deps", "--require-hashes", "--target", tmp_path)
    subprocess.run([sys.executable, "-m", "pip", *install, "--requirement", tmp_path / "urllib3.txt"], check=True)
    script = "import sys, pytest, urllib3; assert urllib3.__version__ < '2'; sys.exit(pytest.main(sys.argv[1:]))"
    which = "with_urllib3 and (scenario or redirects or bodies) and not json"
    command = [sys.executable, "-c", script, "-q", "-p", "no:cacheprovider", __file__, "-k", which]
    environment = {"PATH": "", "PYTHONPATH": f"{tmp_path}:{ROOT}:{ROOT / 'lambda_src'}", "HOME": str(tmp_path)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout


def test_the_pause_grows_until_a_replacement_works(client: TokenClient) -> None:
    now = 0.0
    learnt = rejections.Rejections(client, monotonic=lambda: now)

    def pause() -> float:
        """Reject every attempt; return the seconds until a rejection is reported again."""
        nonlocal now
        trial = learnt.begin()
        while trial.should_repeat(403, Evidence.NONE, can_repeat=lambda: True):
            pass
        start = now
        while learnt.is_doubted(trial.token, Evidence.NONE):
            now += 15
        return now - start

    assert [pause() for _ in range(6)] == [60, 120, 240, 480, 900, 900]
    trial = learnt.begin()
    assert trial.should_repeat(403, Evidence.NONE, can_repeat=lambda: True)
    assert not trial.should_repeat(200, Evidence.NONE, can_repeat=lambda: True)
    assert pause() == 60


class TestAsync:
    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    @pytest.mark.filterwarnings("ignore:The `trio` module")
    def test_questions_block_nothing(self, client: TokenClient, api: Api, function: Function, backend: str) -> None:
        slow = function.slow = threading.Event()
        statuses: list[int] = []

        async def get(session: httpx.AsyncClient) -> None:
            statuses.append((await session.get(f"{api.url}/me")).status_code)

        async def run() -> None:
            async with httpx.AsyncClient(auth=HttpxAuth(client)) as session:
                with anyio.move_on_after(0.05) as cancelled:
                    await get(session)
                async with anyio.create_task_group() as tasks:
                    for _ in range(50):
                        tasks.start_soon(get, session)
                    await anyio.sleep(0.05)
                    assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
                    slow.set()  # the event loop sets it, so it is not blocked
            assert cancelled.cancelled_caught

        anyio.run(run, backend=backend)
        assert (statuses, len(function.events)) == ([200] * 50, 1)

    def test_kept_tokens_take_no_thread(self, client: TokenClient, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        client.get_token()
        monkeypatch.setattr(anyio.to_thread, "run_sync", refuse)
        assert with_async_httpx(client)("GET", f"{api.url}/me") == HELLO

    def test_another_source_is_asked_in_a_thread(self, api: Api) -> None:
        class Source(OneToken):
            def get_token(self) -> Token:
                assert threading.current_thread() is not threading.main_thread()
                return super().get_token()

        assert with_async_httpx(Source(token_of(1)))("GET", f"{api.url}/me") == HELLO  # type: ignore[arg-type]


def test_urllib3_keeps_the_callers_headers(client: TokenClient, api: Api) -> None:
    given = {"X-One": "1"}
    pool = TokenPool(client, urllib3.PoolManager(headers={"X-Pool": "1"}))
    for headers in (given, urllib3.HTTPHeaderDict(given), None):
        assert pool.request("GET", f"{api.url}/me", **({"headers": headers} if headers else {})).status == 200
    assert given == {"X-One": "1"}
