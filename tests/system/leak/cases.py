"""What is played: every flow of contract 1, and all that can go wrong in it while others repeat our secrets to us."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from tests.support.canaries import (
    ACCESS,
    APP_ID,
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
from tests.support.ui_builder_server import Reply, good, refusal
from tests.system.leak.stage import LEFT, Setting

TICK: dict[str, object] = {"source": "aws.scheduler", "id": "d32c5kddcf5bb8c3", "detail-type": "Scheduled Event"}
BARE: dict[str, object] = {"provider": "figma", "refreshTokenBody": {"token": GIVEN, "clientId": GIVEN_CLIENT}}


@dataclass(frozen=True)
class Flow:
    """An event, or what makes one of the stored version, in a window of the stored token."""

    event: dict[str, object] | Callable[[str], dict[str, object]]
    window: str


def report(version: str) -> dict[str, object]:
    return {"provider": "figma", "failedVersionId": version}


FLOWS: dict[str, Flow] = {
    "tick, expired": Flow(TICK, "expired"),
    "tick, advisory": Flow(TICK, "advisory"),
    "consumer asks, mandatory": Flow({"provider": "figma"}, "mandatory"),
    "consumer reports": Flow(report, "fresh"),
    "operator forces": Flow({"provider": "figma", "force": True}, "fresh"),
    "bare operation": Flow(BARE, "fresh"),
    "bare operation, stored token": Flow(
        {"provider": "figma", "refreshTokenBody": {"token": REFRESH, "clientId": CLIENT}}, "fresh"
    ),
}
"""Those that reach the issuer, each on its own way through the code."""

WINDOWS: dict[str, Flow] = {
    **{f"tick, {window}": Flow({**TICK, "source": "aws.events"}, window) for window in LEFT},
    **{f"consumer asks, {window}": Flow({}, window) for window in LEFT},
}
"""The two that depend on the window, in every window."""

QUIET_FLOWS: dict[str, Flow] = {
    "tick with the client id as the id of its event": Flow({**TICK, "id": GIVEN_CLIENT}, "fresh"),
    "tick with a token as the id of its event": Flow({**TICK, "id": GIVEN}, "fresh"),
    "consumer reports the token in place of its version": Flow(report(ACCESS), "fresh"),
    "consumer reports the client id in place of a version": Flow(report(CLIENT), "advisory"),
}
"""Those that do not."""


def raw(head: str, body: bytes = good(accessToken=ISSUED).body) -> Reply:
    """Return an answer with this head, lines ended by line feeds here."""
    return Reply(raw=head.replace("\n", "\r\n").encode() + b"\r\n" + body)


OK = "HTTP/1.1 200 OK\nContent-Length: 300\nConnection: close\n"
ECHO_HEADERS = dict.fromkeys(
    ("x-amzn-RequestId", "x-amz-id-2", "x-amz-retry-after", "Retry-After", "X-Cache", "Set-Cookie", "Server"), ECHO
)
CODES = {"__type": REFRESH, "code": REFRESH, "Code": CLIENT, "message": ECHO, "Message": ECHO}

ISSUER_FAULTS: dict[str, tuple[Reply, str | None]] = {
    "none": (good(accessToken=ISSUED), None),
    "a new refresh token": (good(accessToken=ISSUED, refreshToken=ROTATED), None),
    "keys that nobody knows": (good(accessToken=ISSUED, echo=ECHO, **{REFRESH: CLIENT}), None),
    "headers that repeat the request": (Reply(200, good(accessToken=ISSUED).body, ECHO_HEADERS), None),
    "an expiry beyond belief": (good(accessToken=ISSUED, expiresIn=10**18), None),
    "400 with the request in the message": (
        refusal(400, "InvalidParameterException", ECHO),
        "ReauthorizationRequiredException",
    ),
    "400 with the token as the code in the header": (refusal(400, REFRESH, ECHO), "ReauthorizationRequiredException"),
    "400 with the client id as the code in the header": (refusal(400, CLIENT), "ReauthorizationRequiredException"),
    "400 with the token as the code in the body": (
        Reply(400, json.dumps(CODES).encode()),
        "ReauthorizationRequiredException",
    ),
    "400 with the request as the body": (
        Reply(400, json.dumps({"token": REFRESH, "clientId": CLIENT}).encode()),
        "ReauthorizationRequiredException",
    ),
    "401 with the request in headers": (Reply(401, ECHO.encode(), ECHO_HEADERS), "ReauthorizationRequiredException"),
    "403 with the request in HTML": (
        Reply(403, f"<h1>{ECHO}</h1>".encode(), {"Content-Type": "text/html"}),
        "ReauthorizationRequiredException",
    ),
    "403 access denied": (refusal(403, "AccessDeniedException", ECHO), "ConfigurationException"),
    "302 to an address with the token": (
        Reply(302, b"", {"Location": f"http://127.0.0.1:1/{REFRESH}?{CLIENT}"}),
        "IssuerProtocolException",
    ),
    "404": (refusal(404, REFRESH, ECHO), "IssuerProtocolException"),
    "429": (Reply(429, ECHO.encode(), ECHO_HEADERS), "IssuerUnavailableException"),
    "500": (refusal(500, REFRESH, ECHO), "IssuerUnavailableException"),
    "503 as text": (Reply(503, ECHO.encode(), {"Content-Type": "text/plain"}), "IssuerUnavailableException"),
    "a body that is text": (Reply(body=json.dumps(ECHO).encode()), "IssuerProtocolException"),
    "a body that is a list": (Reply(body=ECHO.encode()), "IssuerProtocolException"),
    "half a body": (Reply(body=f'{{"accessToken": "{ISSUED}", "expi'.encode()), "IssuerProtocolException"),
    "bytes that are no text": (Reply(body=b"\xff\xfe" + ISSUED.encode()), "IssuerProtocolException"),
    "no access token": (good(accessToken=None, token=ISSUED), "IssuerProtocolException"),
    "an access token that is an object": (good(accessToken={ISSUED: ISSUED}), "IssuerProtocolException"),
    "an access token that cannot be sent": (good(accessToken=f"{ISSUED}\ud800"), "IssuerProtocolException"),
    "an expiry that is a token": (good(accessToken=ISSUED, expiresIn=ISSUED), "IssuerProtocolException"),
    "an expiry that is an object": (good(accessToken=ISSUED, expiresIn={ISSUED: 1}), "IssuerProtocolException"),
    "an expiry of zero": (good(accessToken=ISSUED, expiresIn=0), "IssuerProtocolException"),
    "an expiry in the past": (good(accessToken=ISSUED, expiresIn=10**9 + 1), "IssuerProtocolException"),
    "a refresh token that is a list": (good(accessToken=ISSUED, refreshToken=[ROTATED]), None),
    "a dropped connection": (Reply(hang_up=True), "IssuerUnavailableException"),
    "an answer that is no HTTP": (Reply(raw=ECHO.encode()), "IssuerUnavailableException"),
    "a status line with the request": (raw(f"HTTP/1.1 2x0 {ECHO}\n"), "IssuerUnavailableException"),
    "a reason with the request": (raw(f"HTTP/1.1 400 {ECHO}\n"), "ReauthorizationRequiredException"),
    "a header without a colon": (raw(f"HTTP/1.1 400 Bad\n{ECHO}\n"), "ReauthorizationRequiredException"),
    "a header line that is folded": (raw(f"HTTP/1.1 400 Bad\n {ECHO}\nA: b\n"), "ReauthorizationRequiredException"),
    "a header that is too long": (raw(f"HTTP/1.1 400 Bad\nX: {ECHO * 300}\n"), "IssuerUnavailableException"),
    "a header whose name is the token": (raw(f"HTTP/1.1 400 Bad\n{REFRESH}: x\n"), "ReauthorizationRequiredException"),
    "too many headers": (raw("HTTP/1.1 400 Bad\n" + f"X-Echo: {REFRESH}\n" * 200), "IssuerUnavailableException"),
    "a length that is the token": (
        raw(f"HTTP/1.1 400 Bad\nContent-Length: {REFRESH}\n"),
        "ReauthorizationRequiredException",
    ),
    "a body that ends too soon": (raw(OK, f'{{"accessToken": "{ISSUED}"'.encode()), "IssuerProtocolException"),
    "chunks that are none": (
        raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", ECHO.encode()),
        "IssuerUnavailableException",
    ),
    "gzip that is none": (raw("HTTP/1.1 200 OK\nContent-Encoding: gzip\n"), None),
    "a date that is the token": (raw(f"HTTP/1.1 503 No\nDate: {REFRESH}\n"), "IssuerUnavailableException"),
}
"""What the issuer answers, and the error that ends a tick with an expired token then."""

OAUTH = {b'"accessToken"': b'"access_token"', b'"expiresIn"': b'"expires_in"', b'"refreshToken"': b'"refresh_token"'}


def in_oauth(reply: Reply) -> Reply:
    """Return the same reply with the names that Figma and OAuth 2 give to its members."""
    body, sent = reply.body, reply.raw
    for ours, theirs in OAUTH.items():
        body, sent = body.replace(ours, theirs), sent.replace(ours, theirs)
    return replace(reply, body=body, raw=sent)


_TOLD_APART = {
    "gzip that is none": "IssuerProtocolException",
    "a body that ends too soon": "IssuerUnavailableException",
    "403 access denied": "ReauthorizationRequiredException",
}
OAUTH_FAULTS: dict[str, tuple[Reply, str | None]] = {
    **{name: (in_oauth(reply), _TOLD_APART.get(name, end)) for name, (reply, end) in ISSUER_FAULTS.items()},
    "400 that repeats the credentials": (
        Reply(400, json.dumps({"error": BASIC, "error_description": ECHO, "error_uri": ECHO}).encode(), ECHO_HEADERS),
        None,
    ),
    "401 that asks for other credentials, and repeats them": (
        Reply(401, ECHO.encode(), {"WWW-Authenticate": f"Basic realm={APP_SECRET}"}),
        "ConfigurationException",
    ),
    "400 invalid_client": (
        Reply(400, json.dumps({"error": "invalid_client", "error_description": ECHO}).encode()),
        "ConfigurationException",
    ),
    "400 invalid_grant": (
        Reply(400, json.dumps({"error": "invalid_grant", "error_description": ECHO}).encode()),
        "ReauthorizationRequiredException",
    ),
    "429 with the secret as the time": (Reply(429, b"", {"Retry-After": APP_SECRET}), "IssuerUnavailableException"),
    "a member twice": (
        Reply(body=f'{{"access_token": "{ISSUED}", "access_token": "{ROTATED}", "expires_in": 1}}'.encode()),
        "IssuerProtocolException",
    ),
    "10 MB": (Reply(body=ECHO.encode() * 20_000), "IssuerProtocolException"),
}
"""The same of the issuers that the app itself asks."""

IN_THE_MESSAGE = (
    "400 with the request in the message",
    "400 with the token as the code in the header",
    "400 with the token as the code in the body",
    "400 that repeats the credentials",
    "403 access denied",
)
"""Figma seems to speak of the app in these: the canaries in the message are called clients."""

APP_SECRETS: dict[str, tuple[Setting, str]] = {
    "no value": (Setting(app=None), "ConfigurationException"),
    "the bare secret": (Setting(app=APP_SECRET), "ConfigurationException"),
    "half an object": (Setting(app=json.dumps({"clientSecret": APP_SECRET})[:-1]), "ConfigurationException"),
    "no id": (Setting(app=json.dumps({"clientSecret": APP_SECRET})), "ConfigurationException"),
    "an id that is a list": (
        Setting(app=json.dumps({"clientId": [APP_ID], "clientSecret": APP_SECRET})),
        "ConfigurationException",
    ),
    "a line break behind the secret": (
        Setting(app=json.dumps({"clientId": APP_ID, "clientSecret": f"{APP_SECRET}\n"})),
        "ConfigurationException",
    ),
    "a secret that cannot be sent": (
        Setting(app=json.dumps({"clientId": APP_ID, "clientSecret": f"{APP_SECRET}\ud800"})),
        "ConfigurationException",
    ),
    "denied": (Setting(app_fault="AccessDeniedException"), "ConfigurationException"),
    "refused with the secret as the code": (Setting(app_fault=APP_SECRET), "ConfigurationException"),
    "throttled": (Setting(app_fault="ThrottlingException"), "IssuerUnavailableException"),
    "cut off": (Setting(app_fault=ConnectionClosedError(endpoint_url=ECHO)), "IssuerUnavailableException"),
}
"""The secret of the app's credentials, and the error that ends a tick with an expired token then."""

BY_HAND: dict[str, object] = {"accessToken": ACCESS, "refreshToken": REFRESH, "clientId": CLIENT}

SECRETS: dict[str, tuple[str | bytes, str]] = {
    "no value": ("", "SecretNotSeededException"),
    "no token": (json.dumps({"clientId": CLIENT, "note": NOTE}), "SecretNotSeededException"),
    "binary": (json.dumps(BY_HAND).encode(), "SecretMalformedException"),
    "the bare token": (REFRESH, "SecretMalformedException"),
    "a JSON text": (json.dumps(REFRESH), "SecretMalformedException"),
    "a list": (ECHO, "SecretMalformedException"),
    "half an object": (json.dumps(BY_HAND)[:-9], "SecretMalformedException"),
    "not a number": (f'{{"accessToken": "{ACCESS}", "x": NaN}}', "SecretMalformedException"),
    "no refresh token": (json.dumps({"accessToken": ACCESS}), "SecretMalformedException"),
    "a token as the provider": (json.dumps({**BY_HAND, "provider": REFRESH}), "SecretMalformedException"),
    "two spellings that differ": (json.dumps({**BY_HAND, "access_token": ISSUED}), "SecretMalformedException"),
    "an access token that is an object": (
        json.dumps({**BY_HAND, "accessToken": {ACCESS: 1}}),
        "SecretMalformedException",
    ),
    "a refresh token that cannot be sent": (
        json.dumps({**BY_HAND, "refreshToken": f"{REFRESH}\ud800"}),
        "SecretMalformedException",
    ),
    "a client id that is a list": (json.dumps({**BY_HAND, "clientId": [CLIENT]}), "SecretMalformedException"),
    "a token as the expiry": (json.dumps({**BY_HAND, "expiresAt": REFRESH}), "SecretMalformedException"),
    "a token as the duration": (json.dumps({**BY_HAND, "expiresIn": REFRESH}), "SecretMalformedException"),
    "a token as the moment of the last refresh": (
        json.dumps({**BY_HAND, "refreshedAt": REFRESH}),
        "SecretMalformedException",
    ),
}
"""What the secret holds in place of the pair, and the error that ends a tick then."""

LOST = {"secretsmanager.PutSecretValue": "AccessDeniedException"}

AROUND: dict[str, tuple[Setting, str | None]] = {
    "the secret is denied": (
        Setting(aws={"secretsmanager.GetSecretValue": "AccessDeniedException"}),
        "SecretUnavailableException",
    ),
    "the secret is refused with the token as the code": (
        Setting(aws={"secretsmanager.GetSecretValue": REFRESH}),
        "SecretUnavailableException",
    ),
    "the secret is refused with the client id as the code": (
        Setting(aws={"secretsmanager.GetSecretValue": CLIENT}),
        "SecretUnavailableException",
    ),
    "the secret is gone": (
        Setting(
            aws={
                "secretsmanager.GetSecretValue": "ResourceNotFoundException",
                "secretsmanager.DescribeSecret": "ResourceNotFoundException",
            }
        ),
        "SecretUnavailableException",
    ),
    "Secrets Manager does not answer": (
        Setting(aws={"secretsmanager.GetSecretValue": EndpointConnectionError(endpoint_url=ECHO)}),
        "SecretUnavailableException",
    ),
    "the pair cannot be written": (Setting(aws=LOST, seconds_after=1.0), "TokenNotStoredException"),
    "the pair cannot be written, and the code is the token": (
        Setting(aws={"secretsmanager.PutSecretValue": ISSUED}, seconds_after=1.0),
        "TokenNotStoredException",
    ),
    "the write is cut off": (
        Setting(
            aws={"secretsmanager.PutSecretValue": ConnectionClosedError(endpoint_url=ECHO, request=ECHO)},
            seconds_after=1.0,
        ),
        "TokenNotStoredException",
    ),
    "the pair cannot be made current": (
        Setting(aws={"secretsmanager.UpdateSecretVersionStage": "KMSAccessDeniedException"}, seconds_after=1.0),
        "TokenNotStoredException",
    ),
    "an operator stores another pair meanwhile": (Setting(overwritten=True), None),
    "the lock is denied": (Setting(aws={"dynamodb.PutItem": "AccessDeniedException"}), "ConfigurationException"),
    "the lock throttles": (Setting(aws={"dynamodb.PutItem": "ThrottlingException"}), "IssuerUnavailableException"),
    "the lock does not answer": (
        Setting(aws={"dynamodb.PutItem": ConnectionClosedError(endpoint_url=ECHO)}),
        "IssuerUnavailableException",
    ),
    "the lock cannot be closed": (Setting(aws={"dynamodb.UpdateItem": "InternalServerError"}), None),
    "nothing can be written": (
        Setting(aws={**LOST, "dynamodb.DeleteItem": "InternalServerError"}, seconds_after=1.0),
        "TokenNotStoredException",
    ),
    "the last refresh failed": (Setting(lock="cooling down"), None),
    "too little time": (Setting(seconds=5.0), "RefreshInProgressException"),
}
"""What else goes wrong, and the error that ends a tick with an expired token then."""

SLOW: dict[str, tuple[Setting, str]] = {
    "somebody else is refreshing": (Setting(lock="held", seconds=8.3), "RefreshInProgressException"),
    "the issuer does not answer in time": (
        Setting(replies=(Reply(seconds=30.0),), seconds=9.0),
        "IssuerUnavailableException",
    ),
}
"""Faults that take a second each."""

BODY = "refreshTokenBody"
EVERYWHERE: tuple[Any, ...] = (GIVEN, [GIVEN], {"token": GIVEN}, {GIVEN: GIVEN})

WRONG_EVENTS: list[object] = [
    *(GIVEN, [GIVEN], {"token": GIVEN, "clientId": GIVEN_CLIENT}),
    *({"provider": value} for value in EVERYWHERE),
    *({"provider": "figma", "failedVersionId": value} for value in EVERYWHERE[1:]),
    *({"provider": "figma", "force": value} for value in EVERYWHERE),
    *({"provider": "figma", BODY: value} for value in (GIVEN, [GIVEN], {GIVEN: 1}, {"token": [GIVEN]})),
    *({"provider": "figma", BODY: {"token": GIVEN, "clientId": value}} for value in EVERYWHERE[1:]),
    {"provider": "figma", BODY: {"token": f"{GIVEN}\ud800"}},
    {"provider": GIVEN, BODY: {"token": GIVEN}},
    {BODY: {"token": GIVEN, "clientId": GIVEN_CLIENT}},
    *({"provider": "figma", key: GIVEN} for key in (GIVEN, GIVEN_CLIENT, GIVEN_CLIENT.upper(), "accessToken")),
    *({"provider": "figma", BODY: {"token": GIVEN, key: 1}} for key in (GIVEN, GIVEN_CLIENT, f"`{GIVEN}`")),
    {"provider": "figma", "failedVersionId": GIVEN, "force": GIVEN},
    {**TICK, BODY: {"token": GIVEN}},
    {"source": GIVEN},
]
"""Requests that are none, with a token or a client id in every place, as a key, too."""
