"""The token store's errors: what Secrets Manager says, and what we make of it."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.stub import Stubber

from refresh_token.adapters.secrets_manager import (
    MAX_CALL_TIME,
    SecretsManagerStore,
    secrets_manager_client,
    secrets_manager_writer,
)
from refresh_token.errors import (
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)
from refresh_token.ports import StoredPair, VersionSupersededError
from refresh_token.successors import successor_id
from refresh_token.token_pair import TokenPair
from tests.support.canaries import assert_clean
from tests.support.function_environment import NOBODY_LISTENS
from tests.support.secret_by_hand import store_by_hand

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pair-AbCdEf"
CREATED = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
V1, V2, V3 = (f"{number}0000000-0000-4000-8000-000000000000" for number in "123")
PAIR = TokenPair(access_token="canary-access", refresh_token="canary-refresh", client_id="canary-client")
PUT = {"SecretId": ARN, "ClientRequestToken": V2, "SecretString": PAIR.to_json(), "VersionStages": ["AWSPENDING"]}
PUT_ANSWER = {"ARN": ARN, "VersionId": V2}
MOVE = {"SecretId": ARN, "VersionStage": "AWSCURRENT", "MoveToVersionId": V2, "RemoveFromVersionId": V1}
READ = {"SecretId": ARN, "VersionStage": "AWSCURRENT"}


def current(version_id: str) -> dict[str, object]:
    return {"ARN": ARN, "VersionId": version_id, "SecretString": PAIR.to_json(), "CreatedDate": CREATED}


@pytest.fixture
def client() -> "SecretsManagerClient":
    return boto3.client("secretsmanager")


@pytest.fixture
def stub(client: "SecretsManagerClient") -> Iterator[Stubber]:
    """Secrets Manager by script: the test says what comes next, and fails if it did not."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def store(client: "SecretsManagerClient") -> SecretsManagerStore:
    return SecretsManagerStore(ARN, client, lambda: client)


def modelled_errors(operation: str) -> list[str]:
    """Return the errors that the service's own model lists for an operation."""
    model = botocore.session.get_session().get_service_model("secretsmanager")
    return [shape.name for shape in model.operation_model(operation).error_shapes]


COMMON_ERRORS = ["AccessDeniedException", "ThrottlingException", "ExpiredTokenException", "ServiceUnavailable"]
"""What every AWS service may answer, modelled or not."""

READ_ERRORS = [*modelled_errors("GetSecretValue"), *COMMON_ERRORS]


def test_the_model_lists_the_errors_that_this_file_speaks_of() -> None:
    assert set(READ_ERRORS) >= {
        "ResourceNotFoundException",
        "InvalidRequestException",
        "DecryptionFailure",
        "InternalServiceError",
    }


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code in READ_ERRORS if code != "ResourceNotFoundException"])
def test_a_read_that_fails_is_unavailable_and_named_by_its_code(
    code: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_client_error("get_secret_value", code, "canary in the service's message", expected_params=READ)
    with pytest.raises(SecretUnavailableException, match=rf"\({code}\)") as caught:
        store.read()
    assert_clean(caught.value)


def test_a_secret_without_a_value_is_not_seeded(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("get_secret_value", "ResourceNotFoundException", expected_params=READ)
    stub.add_response("describe_secret", {"ARN": ARN}, {"SecretId": ARN})
    with pytest.raises(SecretNotSeededException, match="tokenctl seed") as caught:
        store.read()
    assert_clean(caught.value)


@pytest.mark.parametrize("code", [*modelled_errors("DescribeSecret"), *COMMON_ERRORS])
def test_a_secret_that_cannot_be_described_either_is_unavailable(
    code: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_client_error("get_secret_value", "ResourceNotFoundException", expected_params=READ)
    stub.add_client_error("describe_secret", code, expected_params={"SecretId": ARN})
    with pytest.raises(SecretUnavailableException, match=rf"\({code}\)"):
        store.read()


def test_a_binary_secret_is_malformed(stub: Stubber, store: SecretsManagerStore) -> None:
    answer = {"ARN": ARN, "VersionId": V1, "SecretBinary": b"canary", "CreatedDate": CREATED}
    stub.add_response("get_secret_value", answer, READ)
    with pytest.raises(SecretMalformedException, match="binary") as caught:
        store.read()
    assert_clean(caught.value)


def test_a_value_of_neither_kind_is_not_seeded(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("get_secret_value", {"ARN": ARN, "VersionId": V1, "CreatedDate": CREATED}, READ)
    with pytest.raises(SecretNotSeededException):
        store.read()


def test_a_value_that_is_no_pair_is_malformed(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("get_secret_value", {**current(V1), "SecretString": "canary"}, READ)
    with pytest.raises(SecretMalformedException) as caught:
        store.read()
    assert_clean(caught.value)


def test_expires_in_counts_from_the_creation_of_the_version(stub: Stubber, store: SecretsManagerStore) -> None:
    text = '{"accessToken": "a", "refreshToken": "r", "expiresIn": 60}'
    stub.add_response("get_secret_value", {**current(V1), "SecretString": text}, READ)
    assert store.read().pair.expires_at == CREATED + timedelta(minutes=1)


@pytest.mark.parametrize("code", ["canary/1", "x" * 65, "", "canary-1", "kanarie canary", "ünicode"])
def test_a_code_that_can_be_no_code_is_not_shown(code: str, stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("get_secret_value", code, expected_params=READ)
    with pytest.raises(SecretUnavailableException, match=r"\(unknown error\)"):
        store.read()


def unreachable() -> SecretsManagerStore:
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    client = boto3.client("secretsmanager", endpoint_url=NOBODY_LISTENS, config=config)
    return SecretsManagerStore(ARN, client, lambda: client)


def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    with pytest.raises(SecretUnavailableException, match="EndpointConnectionError") as caught:
        unreachable().read()
    assert_clean(caught.value)


def test_a_service_that_goes_away_between_read_and_describe_is_unavailable(
    stub: Stubber, client: "SecretsManagerClient", store: SecretsManagerStore
) -> None:
    stub.add_client_error("get_secret_value", "ResourceNotFoundException", expected_params=READ)

    def hang_up(**_: object) -> None:
        raise ConnectionClosedError(endpoint_url="https://canary")

    client.meta.events.register("provide-client-params.secretsmanager.DescribeSecret", hang_up)
    with pytest.raises(SecretUnavailableException, match=r"\(ConnectionClosedError\)"):
        store.read()


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_pair_is_put_aside_and_then_made_current_from_the_version_that_was_read(
    stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_response("update_secret_version_stage", {"ARN": ARN}, MOVE)
    store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


PUT_ERRORS = [*modelled_errors("PutSecretValue"), *COMMON_ERRORS]
MOVE_ERRORS = [*modelled_errors("UpdateSecretVersionStage"), *COMMON_ERRORS]


@pytest.mark.parametrize("code", PUT_ERRORS)
def test_a_put_that_is_refused_while_the_old_version_is_current_is_not_stored(
    code: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_client_error("put_secret_value", code, PAIR.to_json(), expected_params=PUT)
    stub.add_response("get_secret_value", current(V1), READ)
    with pytest.raises(TokenNotStoredException, match=rf"\({code}\)") as caught:
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)
    assert_clean(caught.value)


@pytest.mark.parametrize("code", MOVE_ERRORS)
def test_a_move_that_is_refused_while_the_old_version_is_current_is_not_stored(
    code: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_client_error("update_secret_version_stage", code, PAIR.to_json(), expected_params=MOVE)
    stub.add_response("get_secret_value", current(V1), READ)
    with pytest.raises(TokenNotStoredException, match=rf"\({code}\)") as caught:
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)
    assert_clean(caught.value)


def test_a_move_whose_answer_was_lost_is_a_success(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_client_error("update_secret_version_stage", "InvalidParameterException", expected_params=MOVE)
    stub.add_response("get_secret_value", current(V2), READ)
    store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


@pytest.mark.parametrize("step", ["put_secret_value", "update_secret_version_stage"])
def test_a_write_that_fails_because_another_version_is_current_is_superseded(
    step: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    if step == "put_secret_value":
        stub.add_client_error(step, "LimitExceededException", expected_params=PUT)
    else:
        stub.add_response("put_secret_value", PUT_ANSWER, PUT)
        stub.add_client_error(step, "InvalidParameterException", expected_params=MOVE)
    stub.add_response("get_secret_value", current(V3), READ)
    with pytest.raises(VersionSupersededError):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


@pytest.mark.parametrize("code", READ_ERRORS)
def test_a_write_of_which_nothing_can_be_found_out_counts_as_not_stored(
    code: str, stub: Stubber, store: SecretsManagerStore
) -> None:
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_client_error("update_secret_version_stage", "InternalServiceError", expected_params=MOVE)
    stub.add_client_error("get_secret_value", code, expected_params=READ)
    with pytest.raises(TokenNotStoredException, match=r"\(InternalServiceError\)"):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


def write_of_which_nothing_is_known(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_client_error("update_secret_version_stage", "InternalServiceError", expected_params=MOVE)
    stub.add_client_error("get_secret_value", "InternalServiceError", expected_params=READ)
    with pytest.raises(TokenNotStoredException, match=r"\(InternalServiceError\)"):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


def test_a_write_is_not_repeated_blindly_it_may_have_been_done(stub: Stubber, store: SecretsManagerStore) -> None:
    write_of_which_nothing_is_known(stub, store)
    stub.add_client_error("get_secret_value", "InternalServiceError", expected_params=READ)
    with pytest.raises(TokenNotStoredException, match=r"\(no answer\)"):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)
    stub.add_response("get_secret_value", current(V2), READ)
    store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


def test_a_write_is_repeated_once_it_is_known_not_to_have_been_done(stub: Stubber, store: SecretsManagerStore) -> None:
    write_of_which_nothing_is_known(stub, store)
    stub.add_response("get_secret_value", current(V1), READ)
    stub.add_response("put_secret_value", PUT_ANSWER, PUT)
    stub.add_response("update_secret_version_stage", {"ARN": ARN}, MOVE)
    store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


def test_what_is_not_known_of_one_version_is_no_matter_of_the_next(stub: Stubber, store: SecretsManagerStore) -> None:
    write_of_which_nothing_is_known(stub, store)
    stub.add_response("put_secret_value", {**PUT_ANSWER, "VersionId": V3}, {**PUT, "ClientRequestToken": V3})
    stub.add_response("update_secret_version_stage", {"ARN": ARN}, {**MOVE, "MoveToVersionId": V3})
    store.replace(PAIR, expected=V1, version_id=V3, seconds=30)


def test_a_write_to_a_service_that_cannot_be_reached_is_not_stored() -> None:
    with pytest.raises(TokenNotStoredException, match="EndpointConnectionError") as caught:
        unreachable().replace(PAIR, expected=V1, version_id=V2, seconds=30)
    assert_clean(caught.value)


@pytest.mark.parametrize("seconds", [2.9, 0.0, -1.0])
def test_a_write_without_the_time_for_a_call_makes_none(
    seconds: float, stub: Stubber, store: SecretsManagerStore
) -> None:
    del stub  # it expects no call
    with pytest.raises(TokenNotStoredException, match=r"\(no time left\)"):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=seconds)


def test_a_write_that_hangs_is_given_up_when_its_time_is_over() -> None:
    """Secrets Manager takes the connection and says nothing: the put and the look at what is current, 2 s each."""
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        store = SecretsManagerStore(ARN, secrets_manager_client(), secrets_manager_writer)
        with pytest.raises(TokenNotStoredException, match=r"\(ReadTimeoutError\)"):
            store.replace(PAIR, expected=V1, version_id=V2, seconds=4)
    assert time.monotonic() - began < 4 + MAX_CALL_TIME


def test_a_page_in_the_place_of_an_answer_is_no_answer(stub: Stubber, store: SecretsManagerStore) -> None:
    """What botocore makes of a 200 with HTML."""
    stub.add_response("get_secret_value", {}, READ)
    with pytest.raises(SecretUnavailableException, match="not Secrets Manager's"):
        store.read()
    stub.add_response("put_secret_value", {}, PUT)
    stub.add_response("get_secret_value", current(V1), READ)
    with pytest.raises(TokenNotStoredException, match="not Secrets Manager's"):
        store.replace(PAIR, expected=V1, version_id=V2, seconds=30)


# --- on moto --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("aws")
def test_a_secret_that_does_not_exist_is_unavailable() -> None:
    with pytest.raises(SecretUnavailableException, match=r"\(ResourceNotFoundException\)"):
        SecretsManagerStore("nowhere", secrets_manager_client(), secrets_manager_client).read()


@pytest.mark.usefixtures("aws")
def test_a_secret_that_is_marked_for_deletion_is_unavailable() -> None:
    client = secrets_manager_client()
    client.create_secret(Name="pair", SecretString=PAIR.to_json())
    client.delete_secret(SecretId="pair")
    with pytest.raises(SecretUnavailableException, match=r"\(InvalidRequestException\)"):
        SecretsManagerStore("pair", client, lambda: client).read()


@pytest.mark.usefixtures("aws")
def test_the_pair_of_an_operator_who_was_quicker_by_a_hair_stays() -> None:
    """They store theirs between our put and our move."""
    client = boto3.client("secretsmanager")
    client.create_secret(Name="pair")
    theirs = boto3.client("secretsmanager")
    first = store_by_hand(theirs, "pair", PAIR.to_json())
    won: list[str] = []

    def operator(**_: object) -> None:
        text = TokenPair(access_token="theirs", refresh_token="theirs").to_json()
        won.append(store_by_hand(theirs, "pair", text))

    client.meta.events.register("before-call.secretsmanager.UpdateSecretVersionStage", operator)
    store = SecretsManagerStore("pair", client, lambda: client)
    with pytest.raises(VersionSupersededError):
        store.replace(PAIR, expected=first, version_id=V2, seconds=30)
    assert store.read() == StoredPair(won[0], TokenPair(access_token="theirs", refresh_token="theirs"))


def test_the_client_is_made_once() -> None:
    assert secrets_manager_client() is secrets_manager_client()


# --- what was left unfinished ----------------------------------------------------------------------------------------

SUCCESSOR = successor_id(V1, "1e718130cf4446cc9ad47d4e5e18d70c")
LOOK = {"SecretId": ARN, "VersionStage": "AWSPENDING"}
FINISH = {**MOVE, "MoveToVersionId": SUCCESSOR}


@pytest.mark.parametrize(("waits", "found"), [(SUCCESSOR, True), (V2, False), (V1, False)])
def test_only_what_was_made_from_a_version_is_its_unfinished_successor(
    waits: str, stub: Stubber, store: SecretsManagerStore, *, found: bool
) -> None:
    stub.add_response("get_secret_value", current(waits), LOOK)
    unfinished = store.pending(V1)
    assert (unfinished is not None) is found
    if unfinished:
        assert (unfinished.version_id, unfinished.pair) == (SUCCESSOR, PAIR)


def test_a_secret_with_nothing_pending_has_nothing_unfinished(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("get_secret_value", "ResourceNotFoundException", expected_params=LOOK)
    assert store.pending(V1) is None


@pytest.mark.parametrize("code", [code for code in READ_ERRORS if code != "ResourceNotFoundException"])
def test_if_it_cannot_be_looked_up_that_is_said(code: str, stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("get_secret_value", code, "canary in the service's message", expected_params=LOOK)
    with pytest.raises(SecretUnavailableException, match=rf"\({code}\)") as caught:
        store.pending(V1)
    assert_clean(caught.value)


BEFORE = {"SecretId": ARN, "VersionStage": "AWSPREVIOUS"}


@pytest.mark.parametrize("text", [" ", "{}", "not JSON"])
def test_what_was_current_before_and_is_no_pair_is_none(text: str, stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("get_secret_value", {**current(V1), "SecretString": text}, BEFORE)
    assert store.previous() is None


def test_what_was_current_before_cannot_be_looked_up(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("get_secret_value", "InternalServiceError", expected_params=BEFORE)
    with pytest.raises(SecretUnavailableException):
        store.previous()


def test_to_finish_is_to_move_the_label_and_nothing_else(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_response("update_secret_version_stage", {"ARN": ARN, "Name": "pair"}, FINISH)
    store.promote(SUCCESSOR, expected=V1, seconds=30)


def test_what_cannot_be_finished_is_not_stored(stub: Stubber, store: SecretsManagerStore) -> None:
    stub.add_client_error("update_secret_version_stage", "AccessDeniedException", expected_params=FINISH)
    stub.add_response("get_secret_value", current(V1), READ)
    with pytest.raises(TokenNotStoredException, match="AccessDeniedException") as caught:
        store.promote(SUCCESSOR, expected=V1, seconds=30)
    assert_clean(caught.value)
