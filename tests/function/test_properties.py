"""Any event and any content of the secret get a documented answer or error."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from refresh_token import errors
from refresh_token.answers import Answer, answer_of
from refresh_token.core.issued_token import IssuedToken
from refresh_token.core.secret_format import parse_pair
from refresh_token.events import parse_event
from refresh_token.handler import _serve
from refresh_token.oauth.answer_members import in_standard_form
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.bound_profile import BoundProfile
from refresh_token.oauth.issued import issued_token
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_addresses import Param
from refresh_token.oauth.profile_answers import UNITS, Api
from refresh_token.oauth.profile_answers import Answer as Places
from refresh_token.oauth.responses import TokenResponse
from tests.support.faked_core import World
from tests.support.fakes import NOW
from tests.support.windows import LEFT

CANARY = "canary-7f3a"
EPOCH = int(NOW.timestamp())


def serve(event: object, world: World) -> Answer:
    """Do with an event what the handler does, between fakes."""
    return answer_of(_serve(parse_event(event), world.refresher))


numbers = st.integers() | st.sampled_from([0, 1, 10**9, 10**9 + 1, EPOCH - 1, EPOCH, EPOCH + 1, 10**12, 10**12 + 1])
scalars = st.none() | st.booleans() | numbers | st.floats() | st.text(max_size=4) | st.sampled_from(["\ud800", CANARY])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def mostly(*right: object) -> st.SearchStrategy[object]:
    return st.sampled_from(right) | st.sampled_from(right) | values


bodies = st.fixed_dictionaries(
    {"token": mostly("refresh-1", "somebody else's")}, optional={"clientId": mostly("client-1"), "x": values}
)
optional: dict[str, st.SearchStrategy[object]] = {
    "failedVersionId": mostly("V1", "V0"),
    "force": st.sampled_from([True]) | values,
    "refreshTokenBody": bodies | values,
    "source": mostly("aws.scheduler", "aws.events"),
}
requests = st.sampled_from([*optional, ""]).flatmap(
    lambda key: st.fixed_dictionaries(
        {"provider": mostly("figma")}, optional={key: optional[key], "X": values} if key else {}
    )
)
events = requests | st.builds(lambda one, two: {**one, **two}, requests, requests) | values


def check_answer(event: dict[str, object], answer: Answer, world: World) -> None:
    json.dumps(answer)
    if event.get("source"):
        assert set(answer) == {"outcome", "versionId", "expiresAt"}
        assert answer["outcome"] in {"fresh", "refreshed", "degraded"}
    elif "refreshTokenBody" in event:
        assert set(answer) == {"accessToken", "expiresIn"}
        assert answer["accessToken"] == world.issuer.live
    else:
        assert set(answer) - {"refreshedAt"} == {"accessToken", "expiresIn", "expiresAt", "versionId", "state"}
        assert answer["state"] in {"fresh", "due", "degraded"}
        assert answer["versionId"] == world.store.current
    expires_in = answer.get("expiresIn", 1)
    assert type(expires_in) is int
    assert expires_in > 0


faults = st.none() | st.sampled_from([error(f"a fault: {error.__name__}") for error in errors.ALL[6:]])


@settings(max_examples=400)
@given(event=events, window=st.sampled_from(list(LEFT)), fault=faults)
def test_any_event_gets_an_answer_or_error(event: object, window: str, fault: errors.RefreshTokenError | None) -> None:
    world = World.with_token(window)
    world.issuer.fault = fault
    try:
        answer = serve(event, world)
    except errors.InvalidParameterException as error:
        assert CANARY not in str(error)  # noqa: PT017
        assert (world.issuer.calls, world.store.steps) == ([], []) or fault
    except errors.RefreshTokenError as error:
        assert fault
        assert type(error) in errors.ALL  # noqa: PT017
    else:
        assert isinstance(event, dict)
        check_answer(event, answer, world)


# The secret


PAIR: dict[str, object] = {
    "provider": "figma",
    "accessToken": "access-0",
    "refreshToken": "refresh-1",
    "clientId": "client-1",
    "expiresAt": "2027-02-21T12:00:00Z",
    "refreshedAt": "2026-11-23T12:00:00Z",
    "note": ["keep me"],
}
RAW: dict[str, object] = {"access_token": "access-0", "refresh_token": "refresh-1", "expires_in": 7_776_000}
moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
keys = st.sampled_from(sorted({*PAIR, *RAW, "expiresIn"}))
mutated = st.builds(
    lambda whole, without, other: {**{key: value for key, value in whole.items() if key not in without}, **other},
    st.sampled_from([PAIR, RAW]),
    st.sets(keys, max_size=2),
    st.dictionaries(keys | st.text(max_size=4), values | moments, max_size=2),
).map(json.dumps)
torn = st.builds(
    lambda text, at, what: text[: at % len(text)] + what + text[1 + at % len(text) :],
    mutated,
    st.integers(min_value=0),
    st.text(max_size=2),
)
contents = st.text() | values.map(json.dumps) | mutated | torn


@settings(max_examples=400)
@given(text=contents)
def test_any_secret_is_a_pair_or_an_error(text: str) -> None:
    world = World()
    world.store.put_text("V1", text)
    try:
        assert serve({"force": True}, world)
    except (errors.SecretNotSeededException, errors.SecretMalformedException, errors.ReauthorizationRequiredException):
        assert (world.store.current, world.issuer.calls) == ("V1", [])
        return
    before, after = parse_pair(text, created=NOW), world.store.read().pair
    assert after.access_token == world.issuer.live
    assert (after.refresh_token, after.unknown) == (before.refresh_token, before.unknown)
    assert after.client_id == before.client_id


# The answer of a provider


MEMBERS = ("access_token", "refresh_token", "token", "data", "expires_in", "expires_at", "scope", "url", "0")
paths = st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=3).map(".".join)
odd = values | moments | st.sampled_from(["a.e30.c", f"a.{'[' * 99}.c", "9" * 5000, "https://eu.acme.example"])
documents = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=8,
)
places = st.builds(
    Places,
    access_token=paths | st.just(""),
    refresh_token=paths,
    expires_in=paths,
    expires_unit=st.sampled_from(UNITS),
    refresh_expires_in=paths,
    scope=paths,
    inside=paths | st.just(""),
    values=st.dictionaries(st.sampled_from(["url", "x"]), paths),
)
CONSUMERS = Api(base="{url}/v1", headers={"X": "{x}", "Y": "{base64(x:)}"})
HOST = Param(answer="url", hosts=("*.acme.example",), pattern=".+")
ACME = Profile(name="acme", title="Acme", grant="refresh_token", api=CONSUMERS, params={"url": HOST})


@settings(max_examples=200)
@given(
    document=st.dictionaries(st.sampled_from(MEMBERS), documents, max_size=6),
    places=places,
    status=st.sampled_from([200, 400, 503]),
    text=st.text(),
)
@example(document={"url": "\ud800"}, places=Places(values={"x": "url"}), status=200, text="")
def test_no_odd_member_loses_a_token(document: dict[str, Any], places: Places, status: int, text: str) -> None:
    bound = BoundProfile(profile=replace(ACME, answer=places))
    whole = {**document, "access_token": "A", "refresh_token": "R"}
    for sent in (document, whole):
        response = in_standard_form(TokenResponse(status, sent, "", text), places)
        try:
            token = issued_token(response, bound, AppCredentials("i", "s"))
        except errors.IssuerProtocolException:
            assert sent is document
        else:
            json.dumps([token.access_token, token.values, token.api] if isinstance(token, IssuedToken) else "")
            assert token.refresh_expires_at(now=NOW) is None or isinstance(token.refresh_expires_at(now=NOW), datetime)
            assert not isinstance(token, IssuedToken) or token.expiry(now=NOW).at > NOW
