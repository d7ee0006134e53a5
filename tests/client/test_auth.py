"""The auths against real servers: what goes over the wire, and what a caller gets."""

import asyncio
import io
import logging
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests
import urllib3
from urllib3 import PoolManager

from tests.support.client_function import Api, Function, raised, token_of
from tests.support.http_server import serving
from token_client import TokenClient, TokenClientError
from token_client.auth import rejections
from token_client.auth.httpx import TokenAuth as HttpxAuth
from token_client.auth.requests import TokenAuth as RequestsAuth
from token_client.auth.urllib3 import TokenPool

Send = Callable[..., tuple[int, str]]
"""(method, URL, body) to (status, text)."""

OLD, NEW, NEWER = (f"Bearer {token_of(version)}" for version in (1, 2, 3))


def requests_sender(client: TokenClient) -> Iterator[Send]:
    with requests.Session() as session:
        session.auth = RequestsAuth(client)

        def send(method: str, url: str, body: object = None) -> tuple[int, str]:
            answer = session.request(method, url, data=body, timeout=10)  # type: ignore[arg-type]
            return answer.status_code, answer.text

        yield send


def httpx_sender(client: TokenClient) -> Iterator[Send]:
    with httpx.Client(auth=HttpxAuth(client), follow_redirects=True) as session:

        def send(method: str, url: str, body: object = None) -> tuple[int, str]:
            answer = session.request(method, url, content=body)  # type: ignore[arg-type]
            return answer.status_code, answer.text

        yield send


def httpx_async_sender(client: TokenClient) -> Iterator[Send]:
    auth = HttpxAuth(client)

    async def ask(method: str, url: str, body: object) -> tuple[int, str]:
        async with httpx.AsyncClient(auth=auth, follow_redirects=True) as session:
            content = _slowly(body) if isinstance(body, Iterator) else body
            answer = await session.request(method, url, content=content)  # type: ignore[arg-type]
            return answer.status_code, answer.text

    yield lambda method, url, body=None: asyncio.run(ask(method, url, body))


async def _slowly(body: Iterator[bytes]):  # type: ignore[no-untyped-def]
    for part in body:
        yield part


def urllib3_sender(client: TokenClient) -> Iterator[Send]:
    with PoolManager() as manager:
        pool = TokenPool(client, manager)

        def send(method: str, url: str, body: object = None) -> tuple[int, str]:
            answer = pool.request(method, url, body=body)
            return answer.status, answer.data.decode()

        yield send


SENDERS = [requests_sender, httpx_sender, httpx_async_sender, urllib3_sender]


@pytest.fixture(params=SENDERS, ids=["requests", "httpx", "httpx async", "urllib3"])
def send(request: pytest.FixtureRequest, client: TokenClient) -> Iterator[Send]:
    yield from request.param(client)


def authorizations(api: Api) -> list[str | None]:
    return [authorization for _, authorization, _ in api.seen]


@pytest.mark.parametrize("rejection", [401, 403])
def test_the_token_is_sent_and_replaced_when_it_is_rejected(
    send: Send, api: Api, function: Function, rejection: int
) -> None:
    api.rejection = rejection
    assert send("GET", f"{api.url}/me") == (200, "hello ")
    function.kill()
    assert send("GET", f"{api.url}/me") == (200, "hello ")
    assert send("GET", f"{api.url}/me") == (200, "hello ")
    assert authorizations(api) == [OLD, OLD, NEW, NEW]
    assert len(function.events) == 2


BODIES: dict[str, object] = {"bytes": b"you", "text": "you"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_in_memory_is_sent_again(send: Send, api: Api, function: Function, body: object) -> None:
    function.kill()
    assert send("POST", f"{api.url}/me", body) == (200, "hello you")
    assert [sent for *_, sent in api.seen] == [b"you", b"you"]


@pytest.mark.parametrize("library", ["requests", "urllib3"])
def test_a_file_is_sent_again_from_where_it_stood(
    library: str, client: TokenClient, api: Api, function: Function
) -> None:
    function.kill()
    file = io.BytesIO(b"not thisyou")
    file.seek(8)
    sender = requests_sender if library == "requests" else urllib3_sender
    for send in sender(client):
        assert send("POST", f"{api.url}/me", file) == (200, "hello you")


def test_a_body_that_is_gone_is_not_sent_again_but_the_next_request_has_a_live_token(
    send: Send, api: Api, function: Function
) -> None:
    function.kill()
    assert send("POST", f"{api.url}/me", iter([b"y", b"ou"]))[0] == 403
    assert send("GET", f"{api.url}/me") == (200, "hello ")
    assert authorizations(api) == [OLD, NEW]


def test_a_request_that_is_forbidden_is_tried_twice_and_returned(send: Send, api: Api, function: Function) -> None:
    assert send("GET", f"{api.url}/forbidden") == (403, "No.")
    assert authorizations(api) == [OLD, NEW]
    assert function.refreshes == 1


def test_forbidden_requests_do_not_kill_tokens_in_a_loop(send: Send, api: Api, function: Function) -> None:
    for _ in range(5):
        assert send("GET", f"{api.url}/forbidden") == (403, "No.")
        assert send("GET", f"{api.url}/me") == (200, "hello ")
    assert function.refreshes == 1


def test_forbidden_requests_of_two_consumers_do_not_drive_each_other(send: Send, api: Api, function: Function) -> None:
    assert send("GET", f"{api.url}/forbidden")[0] == 403
    for _ in range(5):
        function.refresh()  # by the other's report
        assert send("GET", f"{api.url}/forbidden")[0] == 403
    assert function.refreshes == 1 + 5


def test_a_doubted_token_that_another_consumers_report_killed_is_replaced(
    send: Send, api: Api, function: Function
) -> None:
    send("GET", f"{api.url}/forbidden")
    function.refresh()
    assert send("GET", f"{api.url}/me") == (200, "hello ")
    assert authorizations(api)[-2:] == [NEW, NEWER]
    assert "failedVersionId" not in function.events[-1]


def test_the_pause_grows_ends_and_starts_small_again_after_a_replacement_that_works(client: TokenClient) -> None:
    now = 0.0
    learnt = rejections.Rejections(client, monotonic=lambda: now)

    def pause() -> float:
        """Forbid whatever is asked; return the seconds until a rejection is reported again."""
        nonlocal now
        trial = learnt.begin()
        while trial.is_to_be_repeated(403, can_be=lambda: True):
            pass
        start = now
        while learnt.is_doubted(trial.token):
            now += 15
        return now - start

    assert [pause() for _ in range(6)] == [60, 120, 240, 480, 900, 900]
    trial = learnt.begin()
    assert trial.is_to_be_repeated(403, can_be=lambda: True)
    assert not trial.is_to_be_repeated(200, can_be=lambda: True)
    assert pause() == 60


def test_a_token_in_use_that_is_two_deaths_behind_is_replaced_within_the_request(
    send: Send, api: Api, function: Function
) -> None:
    assert send("GET", f"{api.url}/me")[0] == 200
    function.refresh()
    function.kill()
    assert send("POST", f"{api.url}/me", b"you") == (200, "hello you")
    assert authorizations(api) == [OLD, OLD, NEW, NEWER]
    function.refresh()
    function.kill()
    assert send("GET", f"{api.url}/me") == (200, "hello ")


def test_a_request_that_is_forbidden_for_a_token_in_use_is_given_up(send: Send, api: Api, function: Function) -> None:
    assert send("GET", f"{api.url}/me")[0] == 200
    assert [send("GET", f"{api.url}/forbidden")[0] for _ in range(3)] == [403] * 3
    assert authorizations(api) == [OLD, OLD, NEW, NEWER, NEWER, NEWER]
    assert function.refreshes == 2


def test_a_dead_token_is_replaced_before_a_redirect(send: Send, api: Api, function: Function) -> None:
    api.redirects["/old"] = "/me"
    assert send("GET", f"{api.url}/old") == (200, "hello ")
    function.kill()
    assert send("GET", f"{api.url}/old") == (200, "hello ")
    assert authorizations(api)[2:] == [OLD, NEW, NEW]


def test_a_redirect_on_the_same_host_keeps_the_token_and_is_tried_again_there(
    send: Send, api: Api, function: Function
) -> None:
    api.redirects["/old"] = "/me"
    assert send("GET", f"{api.url}/old") == (200, "hello ")
    api.forbidden.add("/elsewhere")
    api.redirects["/old"] = "/elsewhere"
    assert send("GET", f"{api.url}/old") == (403, "No.")
    assert function.refreshes == 2
    assert [path for path, *_ in api.seen].count("/elsewhere") == 3


def test_a_redirect_to_another_host_loses_the_token_and_its_rejection_is_not_reported(
    send: Send, api: Api, function: Function
) -> None:
    other = Api(Function())
    with serving(other) as other.url:
        api.redirects["/away"] = f"{other.url}/me"
        assert send("GET", f"{api.url}/away") == (403, "No.")
    assert authorizations(other) == [None]
    assert authorizations(api) == [OLD]
    assert function.refreshes == 0


def test_a_token_that_cannot_be_replaced_is_an_error_of_the_client(
    send: Send, api: Api, client: TokenClient, function: Function
) -> None:
    client.get_token()
    function.kill()
    function.fault = lambda: raised("ReauthorizationRequiredException", "Sign in.")
    with pytest.raises(TokenClientError, match="Sign in"):
        send("GET", f"{api.url}/me")


def test_the_statuses_that_count_as_rejections_can_be_chosen(client: TokenClient, api: Api, function: Function) -> None:
    function.kill()
    answer = requests.get(f"{api.url}/me", auth=RequestsAuth(client, rejected_statuses=[401]), timeout=10)
    assert answer.status_code == 403
    assert httpx.get(f"{api.url}/me", auth=HttpxAuth(client, rejected_statuses=[401])).status_code == 403
    assert TokenPool(client, rejected_statuses=[401]).request("GET", f"{api.url}/me").status == 403
    assert len(function.events) == 1


def test_no_log_however_loud_holds_a_token(
    send: Send, api: Api, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    # The function's own tests, in the same process, may have muted botocore.
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="botocore"):
        send("GET", f"{api.url}/me")
        function.kill()
        send("GET", f"{api.url}/me")
        send("GET", f"{api.url}/forbidden")
        function.kill()
        function.fault = lambda: raised("IssuerUnavailableException", f"It said {OLD}")
        assert send("GET", f"{api.url}/me")[0] == 403
    assert "token_client" in {record.name for record in caplog.records}
    assert "botocore.endpoint" in {record.name for record in caplog.records}
    assert [line for line in caplog.text.splitlines() if "figd_canary" in line] == []


def test_the_first_answer_is_in_the_history(client: TokenClient, api: Api, function: Function) -> None:
    function.kill()
    with httpx.Client(auth=HttpxAuth(client)) as session:
        histories = [session.get(f"{api.url}/me").history]
    function.kill()
    histories.append(requests.get(f"{api.url}/me", auth=RequestsAuth(client), timeout=10).history)  # type: ignore[arg-type]
    assert [[answer.status_code for answer in history] for history in histories] == [[403], [403]]


def test_the_event_loop_goes_on_while_the_function_is_asked(client: TokenClient, api: Api, function: Function) -> None:
    function.slow = threading.Event()

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(auth=HttpxAuth(client)) as session:
            asking = asyncio.create_task(session.get(f"{api.url}/me"))
            await asyncio.to_thread(function.asked.acquire)
            assert function.slow
            function.slow.set()  # by this loop, which is not blocked
            return await asking

    assert asyncio.run(run()).status_code == 200


def test_urllib3s_headers_of_pool_and_request_are_kept(client: TokenClient, api: Api) -> None:
    given = {"X-One": "1"}
    pool = TokenPool(client, PoolManager(headers={"X-Pool": "1"}))
    assert pool.request("GET", f"{api.url}/me", headers=given).status == 200
    assert pool.request("GET", f"{api.url}/me", headers=urllib3.HTTPHeaderDict(given)).status == 200
    assert pool.request("GET", f"{api.url}/me").status == 200
    assert given == {"X-One": "1"}
