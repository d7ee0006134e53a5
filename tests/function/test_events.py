"""Contract 1, the requests: each row, and everything that is none of them."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

ROWS: list[tuple[str, dict[str, object], Request]] = [
    ("nothing", {}, AskToken()),
    ("the provider alone", {"provider": "figma"}, AskToken()),
    ("a failed version", {"provider": "figma", "failedVersionId": "v-1"}, ReportFailure("v-1")),
    ("a failed version without provider", {"failedVersionId": "v-1"}, ReportFailure("v-1")),
    ("force", {"provider": "figma", "force": True}, Force()),
    ("force without provider", {"force": True}, Force()),
    ("the operation", {"provider": "figma", "refreshTokenBody": {"token": "t"}}, Exchange("t")),
    (
        "the operation with a client id",
        {"provider": "figma", "refreshTokenBody": {"token": "t", "clientId": "c"}},
        Exchange("t", "c"),
    ),
    ("EventBridge Scheduler", SCHEDULER_EVENT, Tick("d32c5kddcf5bb8c3")),
    ("an EventBridge rule", RULE_EVENT, Tick("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa")),
    ("a schedule whose input is just the source", {"source": "aws.scheduler"}, Tick()),
    ("an envelope whose detail is text", {"source": "aws.scheduler", "detail": "{}"}, Tick()),
    ("an envelope with an id of 36 characters", {"source": "aws.events", "id": "x" * 36}, Tick("x" * 36)),
    ("an envelope with an empty id", {"source": "aws.events", "id": ""}, Tick()),
    (
        "an envelope with an id that may be a client id",
        {"source": "aws.events", "id": "Q7mX2bVt9LpZ4sRk8WcN1d"},
        Tick(),
    ),
    ("an envelope with an id that is too long for one", {"source": "aws.events", "id": "0" * 37}, Tick()),
    ("an envelope with an id that cannot be printed", {"source": "aws.events", "id": "\ud800"}, Tick()),
]


@pytest.mark.parametrize(("event", "request_"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_row_of_the_contract_is_understood(event: dict[str, object], request_: Request) -> None:
    assert parse_event(event) == request_


CANARY = "canary-7f3a"
KINDS: dict[str, object] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "number": 7,
    "float": 0.5,
    "empty text": "",
    "text": CANARY,
    "lone surrogate": f"{CANARY}\ud800",
    "empty list": [],
    "list": [CANARY],
    "empty object": {},
    "object": {"x": CANARY},
}
TAKEN = {
    ("failedVersionId", "text"),
    ("force", "true"),
    ("refreshTokenBody.token", "text"),
    ("refreshTokenBody.clientId", "text"),
}
"""What is no fault: everything else of every JSON type is one, at every key."""


def wrong_at(key: str) -> Iterator[tuple[str, str, object]]:
    yield from ((key, kind, value) for kind, value in KINDS.items() if (key, kind) not in TAKEN)


def event_with(key: str, value: object) -> dict[str, object]:
    if not key.startswith("refreshTokenBody."):
        return {"provider": "figma", key: value}
    body = {"token": "t", key.partition(".")[2]: value}
    return {"provider": "figma", "refreshTokenBody": body}


WRONG = [
    wrong
    for key in (
        "provider",
        "failedVersionId",
        "force",
        "refreshTokenBody",
        "refreshTokenBody.token",
        "refreshTokenBody.clientId",
    )
    for wrong in wrong_at(key)
]


def refused(event: object) -> str:
    """Return the message with which the event is refused."""
    with pytest.raises(InvalidParameterException) as caught:
        parse_event(event)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    message = str(caught.value)
    message.encode()
    assert CANARY not in message
    return message


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, _, value in WRONG], ids=[f"{key}-{kind}" for key, kind, _ in WRONG]
)
def test_a_value_of_the_wrong_kind_is_refused_by_the_name_of_its_key(key: str, value: object) -> None:
    assert key.partition(".")[0] in refused(event_with(key, value))


@pytest.mark.parametrize("provider", ["Figma", "FIGMA", "figma ", "github", "fig\u200bma"])
def test_another_provider_is_refused(provider: str) -> None:
    assert refused({"provider": provider}) == "`provider` must be `figma`, the only supported provider."


@pytest.mark.parametrize("event", [value for kind, value in KINDS.items() if "object" not in kind])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    assert refused(event) == "The event must be a JSON object."


def test_the_operation_needs_a_provider_and_a_token() -> None:
    assert refused({"refreshTokenBody": {"token": CANARY}}) == "`provider` is required with `refreshTokenBody`."
    without_token = {"provider": "figma", "refreshTokenBody": {"clientId": CANARY}}
    assert refused(without_token) == "`refreshTokenBody.token` is required."


RULES = {
    "provider": "`provider` must be a string.",
    "failedVersionId": (
        "`failedVersionId` must be a non-empty string: the `versionId` that came with the rejected token."
    ),
    "force": "`force` must be true; leave it out to get a token without a refresh.",
    "refreshTokenBody": "`refreshTokenBody` must be an object.",
    "refreshTokenBody.token": "`refreshTokenBody.token` must be a non-empty string.",
    "refreshTokenBody.clientId": "`refreshTokenBody.clientId` must be a non-empty string.",
}


@pytest.mark.parametrize(("key", "rule"), RULES.items(), ids=RULES)
def test_a_refusal_says_what_is_right(key: str, rule: str) -> None:
    assert refused(event_with(key, 7)) == rule


UNKNOWN: list[tuple[str, dict[str, object], str]] = [
    ("one", {"colour": CANARY}, "The event has unknown keys `colour`;"),
    ("beside known ones", {"provider": "figma", "Force": True}, "The event has unknown keys `Force`;"),
    (
        "in the body",
        {"provider": "figma", "refreshTokenBody": {"token": CANARY, "x": 1}},
        "`refreshTokenBody` has unknown keys `x`;",
    ),
    (
        "a source that is not EventBridge's",
        {"source": "aws.s3", "id": CANARY},
        "The event has unknown keys `source`, `id`;",
    ),
    ("a source that is no text", {"source": ["aws.events"]}, "The event has unknown keys `source`;"),
    ("the wire form of the operation", {"token": CANARY}, "The event has unknown keys `token`;"),
    ("seven", dict.fromkeys("abcdefg", CANARY), "The event has unknown keys `a`, `b`, `c`, `d`, `e` and 2 more;"),
    ("one with a hyphen", {"detail-type": 1}, "The event has unknown keys `detail-type`;"),
    ("one of 32 characters", {"x" * 32: 1}, f"The event has unknown keys `{'x' * 32}`;"),
    ("one of 33 characters", {"x" * 33: 1}, "The event has unknown keys (not a name);"),
    ("one that is no name", {"a b": CANARY}, "The event has unknown keys (not a name);"),
    ("one that is empty", {"": CANARY}, "The event has unknown keys (not a name);"),
    ("a long one, maybe a token", {CANARY + "x" * 40: 1}, "The event has unknown keys (not a name);"),
    ("one that cannot be printed", {"\ud800": CANARY}, "The event has unknown keys (not a name);"),
    ("one that may be a client id", {"Q7mX2bVt9LpZ4sRk8WcN1d": 1}, "The event has unknown keys (not a name);"),
    ("one of 12 characters with digits", {"abcdefghij12": 1}, "The event has unknown keys `abcdefghij12`;"),
    ("one of 13 characters with digits", {"abcdefghijk12": 1}, "The event has unknown keys (not a name);"),
    ("one with a number", {"address2": CANARY}, "The event has unknown keys `address2`;"),
]


@pytest.mark.parametrize(("event", "message"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_unknown_keys_are_named_without_their_values(event: dict[str, object], message: str) -> None:
    assert refused(event).startswith(message)


@pytest.mark.parametrize(
    "keys",
    [
        ("failedVersionId", "force"),
        ("failedVersionId", "refreshTokenBody"),
        ("force", "refreshTokenBody"),
        ("failedVersionId", "force", "refreshTokenBody"),
    ],
)
def test_wishes_exclude_each_other(keys: tuple[str, ...]) -> None:
    wishes = {"failedVersionId": CANARY, "force": True, "refreshTokenBody": {"token": CANARY}}
    message = refused({"provider": "figma", **{key: wishes[key] for key in keys}})
    assert message == ", ".join(f"`{key}`" for key in keys) + " cannot be combined: send one of them."


@pytest.mark.parametrize("key", ["failedVersionId", "force", "refreshTokenBody"])
@pytest.mark.parametrize("envelope", [SCHEDULER_EVENT, RULE_EVENT], ids=["scheduler", "rule"])
def test_a_request_cannot_hide_in_an_eventbridge_event(envelope: dict[str, object], key: str) -> None:
    assert refused({**envelope, key: CANARY}).startswith(f"The EventBridge event has unknown keys `{key}`;")


@pytest.mark.parametrize("envelope", [SCHEDULER_EVENT, RULE_EVENT], ids=["scheduler", "rule"])
def test_a_tick_may_name_the_provider_but_only_the_one_there_is(envelope: dict[str, object]) -> None:
    assert parse_event({**envelope, "provider": "figma"}) == parse_event(envelope)
    assert refused({**envelope, "provider": CANARY}) == "`provider` must be `figma`, the only supported provider."


@pytest.mark.parametrize(
    "key", ["version", "id", "detail-type", "account", "time", "region", "resources", "detail", "replay-name"]
)
@pytest.mark.parametrize("value", [7, None, True], ids=repr)
def test_an_envelope_with_a_value_of_the_wrong_type_is_refused(key: str, value: object) -> None:
    assert refused({**RULE_EVENT, key: value}) == f"`{key}` has the wrong type for an EventBridge event."


def test_an_envelope_with_an_unknown_key_is_refused() -> None:
    assert refused({**RULE_EVENT, "novelty": CANARY}).startswith("The EventBridge event has unknown keys `novelty`;")


@pytest.mark.parametrize("request_", [ReportFailure(CANARY), Exchange(CANARY, CANARY)], ids=repr)
def test_the_repr_of_a_request_shows_no_value(request_: Request) -> None:
    assert CANARY not in repr(request_)


canaries = st.integers(min_value=0).map(lambda number: f"{CANARY}-{number}")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | canaries | st.sampled_from(["figma", "aws.events", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["token", "clientId", "x"]) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
our_keys = st.sampled_from(["provider", "failedVersionId", "force", "refreshTokenBody", "source", "id", "token"])
events = values | st.dictionaries(our_keys | st.text(max_size=8), values, max_size=5)


@given(event=events)
def test_any_json_is_a_request_or_refused_without_showing_a_value(event: object) -> None:
    event = json.loads(json.dumps(event))
    try:
        request = parse_event(event)
    except InvalidParameterException as error:
        assert CANARY not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(request, Request)
        assert CANARY not in repr(request) or isinstance(request, Tick)
