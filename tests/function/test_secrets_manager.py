"""The token store's calls and errors: what Secrets Manager answers, and what the store makes of it."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from refresh_token.adapters.secrets_manager import MAX_CALL_TIME, secrets_manager_client, secrets_manager_writer
from refresh_token.adapters.token_store import SecretsManagerStore as Store
from refresh_token.core.ports import StoredPair, VersionSupersededError
from refresh_token.core.successors import successor_id
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)
from tests.support.canaries import assert_clean

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pair-AbCdEf"
CREATED = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in "123")
SUCCESSOR = successor_id(V1, "1e718130cf4446cc9ad47d4e5e18d70c")
PAIR = TokenPair(access_token="canary-access", refresh_token="canary-refresh", client_id="canary-client")

PUT: dict[str, object] = {
    "SecretId": ARN,
    "ClientRequestToken": V2,
    "SecretString": PAIR.to_json(),
    "VersionStages": ["AWSPENDING"],
}
MOVE: dict[str, object] = {
    "SecretId": ARN,
    "VersionStage": "AWSCURRENT",
    "MoveToVersionId": V2,
    "RemoveFromVersionId": V1,
}
CALLS: dict[str, tuple[str, dict[str, object]]] = {
    "read": ("get_secret_value", {"SecretId": ARN, "VersionStage": "AWSCURRENT"}),
    "read pending": ("get_secret_value", {"SecretId": ARN, "VersionStage": "AWSPENDING"}),
    "read previous": ("get_secret_value", {"SecretId": ARN, "VersionStage": "AWSPREVIOUS"}),
    "describe": ("describe_secret", {"SecretId": ARN}),
    "put": ("put_secret_value", PUT),
    "move": ("update_secret_version_stage", MOVE),
    "promote": ("update_secret_version_stage", {**MOVE, "MoveToVersionId": SUCCESSOR}),
    "put V3": ("put_secret_value", {**PUT, "ClientRequestToken": V3}),
    "move V3": ("update_secret_version_stage", {**MOVE, "MoveToVersionId": V3}),
}
Step = tuple[str, Any]
Steps = Sequence[Step]
OK: dict[str, object] = {"ARN": ARN}
FAULT = "InternalServiceError"


def value(version_id: str = V1, **changes: object) -> dict[str, object]:
    return {"ARN": ARN, "VersionId": version_id, "SecretString": PAIR.to_json(), "CreatedDate": CREATED, **changes}


def without_text(**changes: object) -> dict[str, object]:
    return {"ARN": ARN, "VersionId": V1, "CreatedDate": CREATED, **changes}


@pytest.fixture
def client() -> "SecretsManagerClient":
    return boto3.client("secretsmanager")


@pytest.fixture
def store(client: "SecretsManagerClient") -> Store:
    return Store(ARN, client, lambda: client)


Expect = Callable[..., None]


@pytest.fixture
def expect(client: "SecretsManagerClient") -> Iterator[Expect]:
    """Return a function that scripts the next calls: (name, answer or error code). They must all be made."""
    with Stubber(client) as stubber:

        def script(*steps: Step) -> None:
            for name, result in steps:
                operation, params = CALLS[name]
                if isinstance(result, str):
                    stubber.add_client_error(operation, result, PAIR.to_json(), expected_params=params)
                else:
                    stubber.add_response(operation, dict(result), params)

        yield script
        stubber.assert_no_pending_responses()


def raises(error: type[RefreshTokenError], call: Callable[[], object], words: str = "") -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert_clean(caught.value)


def write(store: Store, *, version_id: str = V2, seconds: float = 30) -> None:
    store.replace(PAIR, expected=V1, version_id=version_id, seconds=seconds)


NOT_FOUND = "ResourceNotFoundException"
NO_CODES = ["canary/1", "x" * 65, "", "kanarie canary", "ünicode"]

# The fault matrix in tests/system has every other error of each call.
READS: Sequence[tuple[type[RefreshTokenError], str, Steps]] = [
    *[(SecretUnavailableException, "unknown error", [("read", code)]) for code in NO_CODES],
    (SecretUnavailableException, "did not come from", [("read", {})]),  # botocore's reading of a 200 with HTML
    (SecretNotSeededException, "tokenctl seed", [("read", NOT_FOUND), ("describe", {**OK, "CreatedDate": CREATED})]),
    (SecretNotSeededException, "tokenctl seed", [("read", without_text())]),
    (SecretMalformedException, "binary", [("read", without_text(SecretBinary=b"canary"))]),
    (SecretMalformedException, "not a JSON object", [("read", value(SecretString="canary"))]),
]


class TestRead:
    @pytest.mark.parametrize(("error", "words", "steps"), READS)
    def test_error(
        self, error: type[RefreshTokenError], words: str, steps: Steps, expect: Expect, store: Store
    ) -> None:
        expect(*steps)
        raises(error, store.read, words)

    @pytest.mark.parametrize(
        ("code", "status", "passing"),
        [("ThrottlingException", 400, True), (FAULT, 500, True), ("AccessDeniedException", 400, False)],
    )
    def test_error_tells_whether_it_may_pass(
        self, code: str, status: int, client: "SecretsManagerClient", store: Store, *, passing: bool
    ) -> None:
        with Stubber(client) as stubber:
            stubber.add_client_error("get_secret_value", code, http_status_code=status)
            with pytest.raises(SecretUnavailableException) as caught:
                store.read()
        assert caught.value.passing is passing

    def test_counts_expires_in_from_the_versions_creation(self, expect: Expect, store: Store) -> None:
        text = '{"accessToken": "a", "refreshToken": "r", "expiresIn": 60}'
        expect(("read", value(SecretString=text)))
        assert store.read().pair.expires_at == CREATED + timedelta(minutes=1)


UNKNOWN: Steps = [("put", OK), ("move", FAULT), ("read", FAULT)]
"""A write after which nobody knows which version is current."""


class TestReplace:
    def test_a_success_must_name_the_secret(self, expect: Expect, store: Store) -> None:
        expect(("put", {}), ("read", value(V1)))
        raises(TokenNotStoredException, lambda: write(store), "did not come from Secrets Manager")

    @pytest.mark.parametrize("note", ["x" * 65_536, "ü" * 11_000])
    def test_a_pair_that_never_fits_sends_nothing(self, note: str, store: Store) -> None:
        large = replace(PAIR, unknown={"note": note})
        assert (store.has_room_for(large), store.has_room_for(PAIR)) == (False, True)
        with pytest.raises(TokenNotStoredException, match="at most 65536") as caught:
            store.replace(large, expected=V1, version_id=V2, seconds=30)
        assert caught.value.final
        assert_clean(caught.value)

    @pytest.mark.parametrize("failed", ["put", "move"])
    def test_too_many_versions(self, failed: str, expect: Expect, store: Store) -> None:
        put = [("put", OK)] if failed == "move" else []
        expect(*put, (failed, "LimitExceededException"), ("read", value(V1)))
        raises(TokenNotStoredException, lambda: write(store), "make the schedule less frequent")

    def test_whose_answer_was_lost_succeeded(self, expect: Expect, store: Store) -> None:
        expect(("put", OK), ("move", "InvalidParameterException"), ("read", value(V2)))
        write(store)

    @pytest.mark.parametrize("fault", [[("put", "LimitExceededException")], [("put", OK), ("move", FAULT)]])
    def test_gives_way_to_another(self, fault: Steps, expect: Expect, store: Store) -> None:
        expect(*fault, ("read", value(V3)))
        with pytest.raises(VersionSupersededError):
            write(store)

    def test_reads_before_it_repeats_an_unanswered_write(self, expect: Expect, store: Store) -> None:
        expect(*UNKNOWN, ("read", FAULT), ("read", value(V2)))
        raises(TokenNotStoredException, lambda: write(store), f"({FAULT})")
        raises(TokenNotStoredException, lambda: write(store), "(no answer)")
        write(store)

    @pytest.mark.parametrize(
        ("again", "version_id"),
        [([("read", value(V1)), ("put", OK), ("move", OK)], V2), ([("put V3", OK), ("move V3", OK)], V3)],
        ids=["of the same version", "of another version"],
    )
    def test_after_an_unanswered_write(self, again: Steps, version_id: str, expect: Expect, store: Store) -> None:
        expect(*UNKNOWN, *again)
        raises(TokenNotStoredException, lambda: write(store), f"({FAULT})")
        write(store, version_id=version_id)

    @pytest.mark.parametrize("seconds", [2.9, -1.0])
    def test_makes_no_call_without_time(self, seconds: float, expect: Expect, store: Store) -> None:
        expect()
        raises(TokenNotStoredException, lambda: write(store, seconds=seconds), "(no time left)")

    def test_gives_up_a_hanging_call_in_time(self) -> None:
        """Secrets Manager takes the connection and says nothing: the put and the read after it take 2 s each."""
        began = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
            store = Store(ARN, secrets_manager_client(), secrets_manager_writer)
            raises(TokenNotStoredException, lambda: write(store, seconds=4), "(ReadTimeoutError)")
        assert time.monotonic() - began < 4 + MAX_CALL_TIME


class TestPendingAndPrevious:
    @pytest.mark.parametrize(("waits", "found"), [(SUCCESSOR, True), (V2, False), (V1, False)])
    def test_pending_was_made_from_this_one(self, waits: str, expect: Expect, store: Store, *, found: bool) -> None:
        expect(("read pending", value(waits)))
        assert store.pending(V1) == (StoredPair(SUCCESSOR, PAIR) if found else None)

    def test_without_the_label_there_is_none(self, expect: Expect, store: Store) -> None:
        expect(("read pending", NOT_FOUND), ("read previous", NOT_FOUND))
        assert store.pending(V1) is store.previous() is None

    def test_unreadable(self, expect: Expect, store: Store) -> None:
        expect(("read pending", FAULT), ("read previous", FAULT))
        raises(SecretUnavailableException, lambda: store.pending(V1), f"({FAULT})")
        raises(SecretUnavailableException, store.previous, f"({FAULT})")

    @pytest.mark.parametrize("text", [" ", "{}", "not JSON"])
    def test_previous_that_is_no_pair_is_none(self, text: str, expect: Expect, store: Store) -> None:
        expect(("read previous", value(SecretString=text)))
        assert store.previous() is None

    @pytest.mark.parametrize("held", [value(SecretString='["canary"]'), without_text(SecretBinary=b"\xff 'canary'")])
    def test_what_is_no_pair_is_searched(self, held: dict[str, object], expect: Expect, store: Store) -> None:
        expect(("read", held), ("read", "AccessDeniedException"))
        assert store.unreadable().holds("canary")
        raises(SecretUnavailableException, store.unreadable, "(AccessDeniedException)")

    def test_promoting_only_moves_the_label(self, expect: Expect, store: Store) -> None:
        expect(("promote", OK), ("promote", "AccessDeniedException"), ("read", value(V1)))
        promote = partial(store.promote, SUCCESSOR, expected=V1, seconds=30)
        promote()
        raises(TokenNotStoredException, promote, "(AccessDeniedException)")


def test_clients_are_made_once() -> None:
    assert secrets_manager_client() is secrets_manager_client()
    assert secrets_manager_writer() is secrets_manager_writer()
