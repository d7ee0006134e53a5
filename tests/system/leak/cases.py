"""What the leak tests play: every flow, and all that can go wrong in it, with services that echo our secrets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.support.canaries import (
    ACCESS,
    APP_SECRET,
    BASIC,
    CLIENT,
    ECHO,
    GIVEN,
    GIVEN_CLIENT,
    ISSUED,
    NOTE,
    REFRESH,
    ROTATED,
)
from tests.support.events import CONSUMER, FORCE, TICK, Event, bare, report, tick
from tests.support.token_server import Reply, ui_builder_error, ui_builder_issued
from tests.support.windows import LEFT

CONFIGURATION = "ConfigurationException"
MALFORMED = "SecretMalformedException"
NOT_SEEDED = "SecretNotSeededException"
PROTOCOL = "IssuerProtocolException"
REAUTHORIZE = "ReauthorizationRequiredException"
UNAVAILABLE = "IssuerUnavailableException"

BARE = bare(GIVEN, clientId=GIVEN_CLIENT)


@dataclass(frozen=True)
class Flow:
    event: object | Callable[[str], Event]
    window: str = "expired"


FLOWS: dict[str, Flow] = {
    "tick, expired": Flow(TICK, "expired"),
    "tick, advisory": Flow(TICK, "advisory"),
    "consumer, mandatory": Flow(CONSUMER, "mandatory"),
    "report": Flow(report, "fresh"),
    "force": Flow(FORCE, "fresh"),
    "bare": Flow(BARE, "fresh"),
    "bare, stored token": Flow(bare(REFRESH, clientId=CLIENT), "fresh"),
}
"""Every way through the code that reaches the issuer. The tables below name the error that ends the first."""

WINDOWS: dict[str, Flow] = {
    **{f"rule, {window}": Flow(tick(source="aws.events"), window) for window in LEFT},
    **{f"consumer, {window}": Flow({}, window) for window in LEFT},
}
"""The two flows that depend on the window, in every window."""

QUIET_FLOWS: dict[str, Flow] = {
    "a tick with the client id as its id": Flow(tick(GIVEN_CLIENT), "fresh"),
    "a tick with a token as its id": Flow(tick(GIVEN), "fresh"),
    "a report of the token instead of its version": Flow(report(ACCESS), "fresh"),
    "a report of the client id instead of a version": Flow(report(CLIENT), "advisory"),
}
"""Flows that do not reach the issuer."""

Ending = tuple[Any, str | None]
"""A case, and the error with which a tick on an expired token ends."""


def endings(by_error: Mapping[str | None, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: (case, error) for error, cases in by_error.items() for name, case in cases.items()}


def text(*members: object, status: int = 200, **headers: str) -> Reply:
    """Return a reply whose body is plain text, or JSON for all else."""
    body = "".join(member if isinstance(member, str) else json.dumps(member) for member in members)
    return Reply(status, body.encode(), headers)


def raw(head: str, body: bytes = ECHO.encode()) -> Reply:
    """Return an answer with this head, whose lines end with line feeds here."""
    return Reply(raw=head.replace("\n", "\r\n").encode() + b"\r\n" + body, hang_up=True)


ECHO_HEADERS = dict.fromkeys(
    ("x-amzn-RequestId", "x-amz-id-2", "x-amz-retry-after", "Retry-After", "X-Cache", "Set-Cookie", "Server"), ECHO
)
CODES = {"__type": REFRESH, "code": REFRESH, "Code": CLIENT, "message": ECHO, "Message": ECHO}
CUT = f'{{"accessToken": "{ISSUED}"'
BAD = "HTTP/1.1 400 Bad\n"

ISSUER_FAULTS: dict[str, Ending] = endings(
    {
        None: {
            "none": ui_builder_issued(accessToken=ISSUED),
            "a new refresh token": ui_builder_issued(accessToken=ISSUED, refreshToken=ROTATED),
            "keys that nobody knows": ui_builder_issued(accessToken=ISSUED, echo=ECHO, **{REFRESH: CLIENT}),
            "headers that repeat the request": replace(ui_builder_issued(accessToken=ISSUED), headers=ECHO_HEADERS),
            "an expiry beyond belief": ui_builder_issued(accessToken=ISSUED, expiresIn=10**18),
            "an expiry that is a token": ui_builder_issued(accessToken=ISSUED, expiresIn=ISSUED),
            "a refresh token that is a list": ui_builder_issued(accessToken=ISSUED, refreshToken=[ROTATED]),
            "gzip that is none": replace(ui_builder_issued(accessToken=ISSUED), headers={"Content-Encoding": "gzip"}),
        },
        REAUTHORIZE: {"400 with the request in the message": ui_builder_error(400, "InvalidParameterException", ECHO)},
        CONFIGURATION: {"403 access denied": ui_builder_error(403, "AccessDeniedException", ECHO)},
        PROTOCOL: {
            "302 to an address with the token": text(status=302, Location=f"http://127.0.0.1:1/{REFRESH}?{CLIENT}"),
            "404": ui_builder_error(404, REFRESH, ECHO),
            "a body that is a list": text(ECHO),
            "bytes that are no text": Reply(body=b"\xff\xfe" + ISSUED.encode()),
            "no access token": ui_builder_issued(accessToken=None, token=ISSUED),
            "an access token that no header carries": ui_builder_issued(
                accessToken=f"{ISSUED}\n", refreshToken=[ROTATED]
            ),
            "an access token that cannot be sent": ui_builder_issued(accessToken=f"{ISSUED}\ud800"),
            "a body that ends too soon": raw("HTTP/1.1 200 OK\nContent-Length: 300\n", CUT.encode()),
        },
        UNAVAILABLE: {
            "400 with the token as the code in the header": ui_builder_error(400, REFRESH, ECHO),
            "400 with the token as the code in the body": text(CODES, status=400),
            "400 with the request as the body": text({"token": REFRESH, "clientId": CLIENT}, status=400),
            "401 with the request in headers": Reply(401, ECHO.encode(), ECHO_HEADERS),
            "403 with the request in HTML": text(f"<h1>{ECHO}</h1>", status=403, **{"Content-Type": "text/html"}),
            "a reason with the request": raw(f"HTTP/1.1 400 {ECHO}\n"),
            "a header without a colon": raw(f"{BAD}{ECHO}\n"),
            "a header line that is folded": raw(f"{BAD} {ECHO}\nA: b\n"),
            "a header whose name is the token": raw(f"{BAD}{REFRESH}: x\n"),
            "a length that is the token": raw(f"{BAD}Content-Length: {REFRESH}\n"),
            "429": Reply(429, ECHO.encode(), ECHO_HEADERS),
            "503 as text": text(ECHO, status=503, **{"Content-Type": "text/plain"}),
            "a dropped connection": Reply(hang_up=True),
            "an answer that is no HTTP": Reply(raw=ECHO.encode(), hang_up=True),
            "a status line with the request": raw(f"HTTP/1.1 2x0 {ECHO}\n"),
            "a header that is too long": raw(f"{BAD}X: {ECHO * 300}\n"),
            "too many headers": raw(BAD + f"X-Echo: {REFRESH}\n" * 200),
            "chunks that are none": raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", ECHO.encode()),
            "a date that is the token": raw(f"HTTP/1.1 503 No\nDate: {REFRESH}\n"),
        },
    }
)
"""What Amplify UI Builder answers."""

OAUTH = {b'"accessToken"': b'"access_token"', b'"expiresIn"': b'"expires_in"', b'"refreshToken"': b'"refresh_token"'}


def in_oauth(reply: Reply) -> Reply:
    """Return the same reply with the names that Figma and OAuth 2 give to its members."""
    body, sent = reply.body, reply.raw
    for ours, theirs in OAUTH.items():
        body, sent = body.replace(ours, theirs), sent.replace(ours, theirs)
    return replace(reply, body=body, raw=sent)


def error(code: str) -> str:
    return json.dumps({"error": code, "error_description": ECHO, "error_uri": ECHO})


OAUTH2_FAULTS: dict[str, Ending] = {
    **{name: (in_oauth(reply), end) for name, (reply, end) in ISSUER_FAULTS.items()},
    "a body that ends too soon": (in_oauth(ISSUER_FAULTS["a body that ends too soon"][0]), None),
    "403 access denied": (ISSUER_FAULTS["403 access denied"][0], UNAVAILABLE),
    "400 with the request in the message": (ISSUER_FAULTS["400 with the request in the message"][0], UNAVAILABLE),
    "400 that repeats the credentials": (Reply(400, error(BASIC).encode(), ECHO_HEADERS), REAUTHORIZE),
    "401 that wants other credentials, and repeats them": (
        text(ECHO, status=401, **{"WWW-Authenticate": f"Basic realm={APP_SECRET}"}),
        CONFIGURATION,
    ),
    "400 invalid_client": (text(error("invalid_client"), status=400), CONFIGURATION),
    "400 invalid_grant": (text(error("invalid_grant"), status=400), REAUTHORIZE),
    "429 with the secret as the time": (text(status=429, **{"Retry-After": APP_SECRET}), UNAVAILABLE),
    "a member twice": (text(f'{{"access_token": "{ROTATED}", "access_token": "{ISSUED}", "expires_in": 1}}'), None),
    "10 MB": (text(ECHO * 20_000), PROTOCOL),
}
"""What an OAuth 2 server answers."""

FIGMA_FAULTS: dict[str, Ending] = {
    **OAUTH2_FAULTS,
    **{
        # Here Figma seems to speak of the app: the canaries in the message are called clients.
        name: (OAUTH2_FAULTS[name][0], CONFIGURATION)
        for name in (
            "400 with the request in the message",
            "400 with the token as the code in the header",
            "400 with the token as the code in the body",
            "400 that repeats the credentials",
            "403 access denied",
        )
    },
}


BY_HAND: dict[str, object] = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT}

SECRETS: dict[str, tuple[str | bytes, str]] = endings(
    {
        NOT_SEEDED: {"no value": "", "no token": json.dumps({"clientId": CLIENT, "note": NOTE})},
        MALFORMED: {
            "binary": json.dumps(BY_HAND).encode(),
            "the bare token": REFRESH,
            "a list": ECHO,
            "half an object": json.dumps(BY_HAND)[:-9],
            "a token as the provider": json.dumps({**BY_HAND, "provider": REFRESH}),
            "two spellings that differ": json.dumps({**BY_HAND, "access_token": ISSUED}),
            "a refresh token that cannot be sent": json.dumps({**BY_HAND, "refreshToken": f"{REFRESH}\ud800"}),
            "a token as the expiry": json.dumps({**BY_HAND, "expiresAt": REFRESH}),
        },
    }
)
"""What the secret holds instead of the pair. That no message shows a value is tested with the parser."""

WRONG_EVENTS: list[object] = [
    *(GIVEN, [GIVEN], {"token": GIVEN, "clientId": GIVEN_CLIENT}, {"source": GIVEN}, bare(f"{GIVEN}\ud800")),
    *({**CONSUMER, key: {GIVEN: GIVEN}} for key in ("provider", "failedVersionId", "force", "refreshTokenBody")),
    *({**CONSUMER, key: GIVEN} for key in (GIVEN, GIVEN_CLIENT, GIVEN_CLIENT.upper(), "accessToken")),
    {**TICK, "refreshTokenBody": {"token": GIVEN}},
]
"""Events that are wrong, with a token or a client id as a value and as a key. `test_events.py` has the rest."""
