"""The events of a fleet's consumers: every question that it takes, everything that it refuses, and its answers."""

import json

import pytest

from refresh_token.answers import answer_about
from refresh_token.core.ports import StoredPair
from refresh_token.core.results import LiveToken
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import InvalidParameterException, RefreshTokenError, SecretMalformedException
from refresh_token.events import AskToken, Force, ReportFailure, Request
from refresh_token.fleet.names import NAME_RULE
from refresh_token.fleet.questions import Question, parse_question
from refresh_token.fleet.wording import about

CANARY = "canary-7f3a"
ADA = "acme/ada"

QUESTIONS: list[tuple[dict[str, object], str | None, Request]] = [
    ({}, None, AskToken()),
    ({"provider": "xero"}, "xero", AskToken()),
    ({"failedVersionId": "v-1"}, None, ReportFailure("v-1")),
    ({"provider": "xero", "force": True}, "xero", Force()),
]
UNKNOWN = "The event has unknown keys"
REFUSED: list[tuple[object, str]] = [
    (None, "The event must be a JSON object."),
    ([ADA], "The event must be a JSON object."),
    ({}, "`connection` is required: the name of the connection whose token you want, such as `acme/u1`."),
    ({"provider": CANARY}, "`connection` is required"),
    *(({"connection": name}, f"`connection` {NAME_RULE}.") for name in (None, "", 7, [ADA], f"{CANARY}@example.com")),
    ({"connection": ADA, "provider": None}, "`provider` must be a string."),
    ({"connection": ADA, "force": 1}, "`force` must be true;"),
    ({"connection": ADA, "failedVersionId": ""}, "`failedVersionId` must be a non-empty string"),
    ({"connection": ADA, "failedVersionId": "v", "force": True}, "`failedVersionId`, `force` cannot be combined"),
    ({"connection": ADA, "refreshTokenBody": {"token": CANARY}}, f"{UNKNOWN} `refreshTokenBody`;"),
    ({"connection": ADA, "Connection": CANARY}, f"{UNKNOWN} `Connection`;"),
    ({"source": "aws.scheduler", "id": CANARY}, f"{UNKNOWN} `source`, `id`;"),
    ({"Records": [{"body": CANARY}]}, f"{UNKNOWN} `Records`;"),
]


@pytest.mark.parametrize(("event", "provider", "request_"), QUESTIONS)
def test_a_question_is_parsed(event: dict[str, object], provider: str | None, request_: Request) -> None:
    assert parse_question({"connection": ADA, **event}) == Question(ADA, request_, provider)
    assert CANARY not in repr(parse_question({"connection": ADA, "provider": CANARY}))


@pytest.mark.parametrize(("event", "message"), REFUSED)
def test_anything_else_is_refused(event: object, message: str) -> None:
    with pytest.raises(InvalidParameterException) as caught:
        parse_question(event)
    assert str(caught.value).startswith(message)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("provider", ["figma", "xero"])
def test_an_answer_says_whose_it_is(provider: str) -> None:
    pair = TokenPair(access_token="access", refresh_token="canary", provider=provider, values={"tenant": 7})
    answer = answer_about(ADA, provider, LiveToken(StoredPair("v-1", pair), "due", 59))
    assert answer == {
        "connection": ADA,
        "provider": provider,
        "accessToken": "access",
        "expiresIn": 59,
        "expiresAt": None,
        "versionId": "v-1",
        "state": "due",
        "values": {"tenant": 7},
    }
    assert "canary" not in json.dumps(answer)


SEED = f"tokenctl connections seed {ADA}"
MESSAGES = [
    ("The secret holds no pair. Run `tokenctl seed`.", f"The connection {ADA} holds no pair. Run `{SEED}`."),
    ("Run `tokenctl authorize --stage <stage>`.", f"Run `tokenctl connections authorize {ADA} --stage <stage>`."),
    ("The issuer refuses it.", "Connection acme/ada: The issuer refuses it."),
    (
        "Store them with `tokenctl app-credentials --stage <stage>`.",
        "Connection acme/ada: Store them with `tokenctl app-credentials --stage <stage>`.",
    ),
    ("The item of acme/ada cannot be read.", "The item of acme/ada cannot be read."),
]


@pytest.mark.parametrize(("message", "told"), MESSAGES)
def test_an_error_is_about_the_connection(message: str, told: str) -> None:
    error: RefreshTokenError = SecretMalformedException(message)
    assert about(error, ADA) is error
    assert str(error) == told
