"""Events: every request that the function takes, and everything that it refuses."""

from itertools import combinations

import pytest

from refresh_token.core.text import CREDENTIAL_RULE
from refresh_token.errors import InvalidParameterException
from refresh_token.events import AskToken, Exchange, Force, ReportFailure, Request, Tick, parse_event

SCHEDULER_EVENT: dict[str, object] = {
    "version": "0",
    "id": "d32c5kddcf5bb8c3",
    "detail-type": "Scheduled Event",
    "source": "aws.scheduler",
    "account": "123456789012",
    "time": "2026-11-23T12:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/refresh"],
    "detail": "{}",
}
RULE_EVENT: dict[str, object] = {
    **SCHEDULER_EVENT,
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "source": "aws.events",
    "detail": {},
}

SOURCE: dict[str, object] = {"source": "aws.events"}
BARE: dict[str, object] = {"provider": "figma", "refreshTokenBody": {"token": "t"}}
REQUESTS: dict[str, tuple[dict[str, object], Request]] = {
    "nothing": ({}, AskToken()),
    "provider": ({"provider": "figma"}, AskToken()),
    "report": ({"provider": "figma", "failedVersionId": "v-1"}, ReportFailure("v-1")),
    "report without provider": ({"failedVersionId": "v-1"}, ReportFailure("v-1")),
    "force": ({"provider": "figma", "force": True}, Force()),
    "force without provider": ({"force": True}, Force()),
    "bare operation": (BARE, Exchange("t")),
    "bare operation with client id": (
        {**BARE, "refreshTokenBody": {"token": "t", "clientId": "c"}},
        Exchange("t", "c"),
    ),
    "scheduler": (SCHEDULER_EVENT, Tick("d32c5kddcf5bb8c3")),
    "rule": (RULE_EVENT, Tick("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa")),
    "scheduler with provider": ({**SCHEDULER_EVENT, "provider": "figma"}, Tick("d32c5kddcf5bb8c3")),
    "source alone": ({"source": "aws.scheduler"}, Tick()),
    "id of 36 characters": ({**SOURCE, "id": "x" * 36}, Tick("x" * 36)),
    "empty id": ({**SOURCE, "id": ""}, Tick()),
    "id like a client id": ({**SOURCE, "id": "Q7mX2bVt9LpZ4sRk8WcN1d"}, Tick()),
    "id of 37 characters": ({**SOURCE, "id": "0" * 37}, Tick()),
    "id that cannot be printed": ({**SOURCE, "id": "\ud800"}, Tick()),
}

CANARY = "canary-7f3a"
NOT_TEXT: dict[str, object] = {
    "null": None,
    "true": True,
    "zero": 0,
    "float": 0.5,
    "empty": "",
    "lone surrogate": f"{CANARY}\ud800",
    "list": [CANARY],
    "object": {"x": CANARY},
}
NOT_A_CREDENTIAL: dict[str, object] = {
    **NOT_TEXT,
    "a line break at the end": f"{CANARY}\n",
    "a blank in front": f" {CANARY}",
    "NUL": f"{CANARY}\0",
}
RULES: dict[str, tuple[str, dict[str, object]]] = {
    "failedVersionId": (
        "`failedVersionId` must be a non-empty string: the `versionId` that came with the rejected token.",
        NOT_TEXT,
    ),
    "force": (
        "`force` must be true; leave it out to get a token without a refresh.",
        {**NOT_TEXT, "true": False, "text": CANARY},
    ),
    "refreshTokenBody": ("`refreshTokenBody` must be an object.", {**NOT_TEXT, "object": [], "text": CANARY}),
    "refreshTokenBody.token": (f"`refreshTokenBody.token` {CREDENTIAL_RULE}.", NOT_A_CREDENTIAL),
    "refreshTokenBody.clientId": (f"`refreshTokenBody.clientId` {CREDENTIAL_RULE}.", NOT_A_CREDENTIAL),
}
WRONG = [(key, kind, value, rule) for key, (rule, values) in RULES.items() for kind, value in values.items()]
PROVIDER_TYPE, PROVIDER_VALUE = (
    "`provider` must be a string.",
    "`provider` must be `figma`, the provider of this function.",
)
PROVIDERS: dict[object, str] = {
    **dict.fromkeys((None, True, 0, 0.5), PROVIDER_TYPE),
    **dict.fromkeys(("", CANARY, "Figma", "figma ", "fig\u200bma"), PROVIDER_VALUE),
}

EVENT, BODY, NOT_A_NAME = "The event has unknown keys", "`refreshTokenBody` has unknown keys", "(not a name);"
UNKNOWN: dict[str, tuple[dict[str, object], str]] = {
    "one": ({"colour": CANARY}, f"{EVENT} `colour`;"),
    "beside known ones": ({"provider": "figma", "Force": True}, f"{EVENT} `Force`;"),
    "in the body": ({**BARE, "refreshTokenBody": {"token": CANARY, "x": 1}}, f"{BODY} `x`;"),
    "another source": ({"source": "aws.s3", "id": CANARY}, f"{EVENT} `source`, `id`;"),
    "a source that is no text": ({"source": ["aws.events"]}, f"{EVENT} `source`;"),
    "the body alone": ({"token": CANARY}, f"{EVENT} `token`;"),
    "seven": (dict.fromkeys("abcdefg", CANARY), f"{EVENT} `a`, `b`, `c`, `d`, `e` and 2 more;"),
    "with a hyphen": ({"detail-type": 1}, f"{EVENT} `detail-type`;"),
    "32 characters": ({"x" * 32: 1}, f"{EVENT} `{'x' * 32}`;"),
    "33 characters": ({"x" * 33: 1}, f"{EVENT} {NOT_A_NAME}"),
    "with a blank": ({"a b": CANARY}, f"{EVENT} {NOT_A_NAME}"),
    "empty": ({"": CANARY}, f"{EVENT} {NOT_A_NAME}"),
    "unprintable": ({"\ud800": CANARY}, f"{EVENT} {NOT_A_NAME}"),
    "like a client id": ({"Q7mX2bVt9LpZ4sRk8WcN1d": 1}, f"{EVENT} {NOT_A_NAME}"),
    "12 characters with digits": ({"abcdefghij12": 1}, f"{EVENT} `abcdefghij12`;"),
    "13 characters with digits": ({"abcdefghijk12": 1}, f"{EVENT} {NOT_A_NAME}"),
}
KINDS: dict[str, object] = {"failedVersionId": CANARY, "force": True, "refreshTokenBody": {"token": CANARY}}


def refused(event: object) -> str:
    with pytest.raises(InvalidParameterException) as caught:
        parse_event(event)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    message = str(caught.value)
    message.encode()
    assert CANARY not in message
    return message


class TestRequest:
    @pytest.mark.parametrize(("event", "request_"), REQUESTS.values(), ids=REQUESTS)
    def test_is_parsed(self, event: dict[str, object], request_: Request) -> None:
        assert parse_event(event) == request_

    def test_may_name_another_functions_provider(self) -> None:
        assert parse_event({"provider": "acme"}, "acme") == parse_event({}, "acme") == AskToken()
        with pytest.raises(InvalidParameterException, match="`provider` must be `acme`, the provider of this"):
            parse_event({"provider": "figma"}, "acme")

    @pytest.mark.parametrize("event", [None, True, 7, CANARY, [CANARY]], ids=str)
    def test_must_be_an_object(self, event: object) -> None:
        assert refused(event) == "The event must be a JSON object."

    @pytest.mark.parametrize(("provider", "rule"), PROVIDERS.items(), ids=repr)
    def test_must_name_the_provider(self, provider: object, rule: str) -> None:
        assert refused({"provider": provider}) == rule
        assert refused({**SCHEDULER_EVENT, "provider": provider}) == rule

    @pytest.mark.parametrize(
        ("key", "value", "rule"),
        [(key, value, rule) for key, _, value, rule in WRONG],
        ids=[f"{key}-{kind}" for key, kind, _, _ in WRONG],
    )
    def test_wrong_value_gets_the_rule(self, key: str, value: object, rule: str) -> None:
        name, _, inner = key.partition(".")
        assert refused({"provider": "figma", name: {"token": "t", inner: value} if inner else value}) == rule

    def test_bare_operation_needs_provider_and_token(self) -> None:
        assert refused({"refreshTokenBody": {"token": CANARY}}) == "`provider` is required with `refreshTokenBody`."
        without_token = {"provider": "figma", "refreshTokenBody": {"clientId": CANARY}}
        assert refused(without_token) == "`refreshTokenBody.token` is required."

    @pytest.mark.parametrize(("event", "message"), UNKNOWN.values(), ids=UNKNOWN)
    def test_unknown_keys_are_named(self, event: dict[str, object], message: str) -> None:
        assert refused(event).startswith(message)

    @pytest.mark.parametrize("count", [2, 3])
    def test_two_kinds_cannot_be_combined(self, count: int) -> None:
        for keys in combinations(KINDS, count):
            message = refused({"provider": "figma", **{key: KINDS[key] for key in keys}})
            assert message == ", ".join(f"`{key}`" for key in keys) + " cannot be combined: send one of them."


class TestEnvelope:
    @pytest.mark.parametrize("key", [*KINDS, "novelty"])
    @pytest.mark.parametrize("envelope", [SCHEDULER_EVENT, RULE_EVENT], ids=["scheduler", "rule"])
    def test_hides_no_request(self, envelope: dict[str, object], key: str) -> None:
        assert refused({**envelope, key: CANARY}).startswith(f"The EventBridge event has unknown keys `{key}`;")

    @pytest.mark.parametrize("key", [*(key for key in SCHEDULER_EVENT if key != "source"), "replay-name"])
    @pytest.mark.parametrize("value", [7, None, True], ids=repr)
    def test_value_of_the_wrong_type(self, key: str, value: object) -> None:
        assert refused({**RULE_EVENT, key: value}) == f"`{key}` has the wrong type for an EventBridge event."
