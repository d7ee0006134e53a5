"""The refresh lock on the DynamoDB records of Powertools Idempotency.

A record's key is the secret's ARN and a VersionId. It is INPROGRESS while an invocation refreshes that version, at most
until that invocation would time out. Then it is COMPLETED, and says either that the version has a successor or how the
refresh failed. Powertools' decorator would delete the record of a failure. Kept, it is the cooldown that all processes
see, so this module uses the persistence layer directly.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord
from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, punctual_client
from refresh_token.core.claims import Claim, CoolingDown, Done, Failure, Held, HeldClaim
from refresh_token.core.failure_record import UNREADABLE, read_failure, to_data
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    RefreshTokenError,
    TokenNotStoredException,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

DONE: Final[dict[str, object]] = {"done": True}
"""The data of a record whose version has a successor."""

KEEP_CLAIM: Final = 30 * 24 * 3600
"""Seconds for which a record shows that its holder died without closing the claim. The claim itself expires with the
holder's invocation; the record is for the next tick, which may be weeks away."""

KEEP_DONE: Final = 120
"""Seconds for which a record shows that its version has a successor. Longer than an invocation; but short, because an
operator may make an old version current again, and that version must then be refreshable."""

KEEP_FAILURE: Final = 30 * 24 * 3600
"""Seconds for which a failure is remembered, so that a refused grant is counted once and the recovery is noticed."""

COMPLETED: Final = STATUS_CONSTANTS["COMPLETED"]
_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
_OUR_FAULT: Final = ("AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException")
_MAX_RACES: Final = 3
"""How often a claim is tried while others clear the same failure."""

_VANISHED: Final = DataRecord(idempotency_key="", status=STATUS_CONSTANTS["EXPIRED"])
"""Stands for a conflicting record that DynamoDB did not return: it existed a moment ago, so the claim is not ours."""

T = TypeVar("T")


@lru_cache(maxsize=1)
def dynamodb_client() -> "DynamoDBClient":
    """Return the client, made once. botocore retries its calls."""
    client: DynamoDBClient = punctual_client("dynamodb", _CONFIG)
    return client


class IdempotencyLock:
    """The RefreshLock port on one DynamoDB table."""

    def __init__(self, table_name: str, secret_arn: str, client: "DynamoDBClient") -> None:
        self._table = table_name
        self._secret = secret_arn
        self._client = client
        self._layers = {keep: self._layer(keep) for keep in (KEEP_CLAIM, KEEP_DONE, KEEP_FAILURE)}

    def claim(self, version_id: str, *, seconds: float, now: datetime, ignore_cooldown: bool) -> Claim:
        """Try to claim the refresh of a version for at most ``seconds``; see the port."""
        previous: Failure | None = None
        for _ in range(_MAX_RACES):
            record = _guarded(lambda: self._put_claim(version_id, seconds))
            if record is None:
                return HeldClaim(version_id, self, previous)
            failure = _failure_of(record)
            if failure is None:
                return Done() if record.status == COMPLETED else Held()
            if now < failure.retry_at and not ignore_cooldown:
                return CoolingDown(failure)
            _guarded(lambda: self._forget(record))  # noqa: B023 - called right here
            previous = failure
        return Held()

    def failure(self, version_id: str, *, now: datetime) -> Failure | None:
        """Return how the last refresh of a version failed; see the port."""
        return _guarded(lambda: self._failure(version_id, now))

    def record_success(self, version_id: str) -> None:
        """Close the claim: the version has a successor."""
        self._save(version_id, DONE, KEEP_DONE)

    def record_failure(self, version_id: str, failure: Failure) -> None:
        """Close the claim and remember the failure."""
        self._save(version_id, {"failure": to_data(failure)}, KEEP_FAILURE)

    def delete_claim(self, version_id: str) -> None:
        """Close the claim and remember nothing."""
        _guarded(lambda: self._layers[KEEP_CLAIM].delete_record(self._key(version_id), exception=Exception()))

    def note(self, what: str) -> bool:
        """Note that something was told, for 30 days; return whether it was not noted yet. Raises as the port does."""
        layer, key = self._layers[KEEP_FAILURE], {"secret": self._secret, "told": what}

        def save() -> bool:
            try:
                layer.save_inprogress(key, remaining_time_in_millis=KEEP_FAILURE * 1000)
            except IdempotencyItemAlreadyExistsError:
                return False
            return True

        return _guarded(save)

    def _failure(self, version_id: str, now: datetime) -> Failure | None:
        try:
            record = self._layers[KEEP_FAILURE].get_record(self._key(version_id))
        except IdempotencyItemNotFoundError:
            return None
        if record is None or record.is_expired:
            return None
        if record.status == COMPLETED:
            return _read_data(record.response_data)
        ended = not _has_end(record) or int(record.in_progress_expiry_timestamp or 0) <= now.timestamp() * 1000
        return Failure(TokenNotStoredException.__name__, now, lost=True) if ended else None

    def _put_claim(self, version_id: str, seconds: float) -> DataRecord | None:
        """Write the claim; return the record that conflicts with it, None if the claim is ours."""
        layer, key = self._layers[KEEP_CLAIM], self._key(version_id)
        try:
            layer.save_inprogress(key, remaining_time_in_millis=int(seconds * 1000))
        except IdempotencyItemAlreadyExistsError as exists:
            record = exists.old_data_record
        else:
            return None
        return record or _VANISHED

    def _forget(self, record: DataRecord) -> None:
        """Delete the record of a failure, or one that is damaged, unless someone has claimed the version since.

        tick A   claim: failed ---- delete ---- claim
        tick B   claim: failed ----------------------- delete (refused: INPROGRESS now) -- claim: held
        """
        field = "data" if record.status == COMPLETED else "in_progress_expiration"
        text = record.response_data if record.status == COMPLETED and isinstance(record.response_data, str) else None
        condition = "#field = :value" if text is not None else "NOT attribute_type(#field, :value)"
        right_type = "S" if field == "data" else "N"
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"id": {"S": record.idempotency_key}},
                ConditionExpression=f"#status = :status AND {condition}",
                ExpressionAttributeNames={"#status": "status", "#field": field},
                ExpressionAttributeValues={
                    ":status": {"S": record.status},
                    ":value": {"S": right_type if text is None else text},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _save(self, version_id: str, result: dict[str, object], keep: int) -> None:
        _guarded(lambda: self._layers[keep].save_success(self._key(version_id), result))

    def _key(self, version_id: str) -> dict[str, Any]:
        return {"secret": self._secret, "version": version_id}

    def _layer(self, keep: int) -> DynamoDBPersistenceLayer:
        layer = DynamoDBPersistenceLayer(table_name=self._table, boto3_client=self._client)
        config = IdempotencyConfig(expires_after_seconds=keep, hash_function="sha256")
        layer.configure(config, key_prefix="refresh")
        return layer


def _failure_of(record: DataRecord) -> Failure | None:
    """Return the failure that a record holds, None if it holds none. A claim without an end was damaged: it is one."""
    if record.status == COMPLETED:
        return _read_data(record.response_data)
    damaged = record.status == STATUS_CONSTANTS["INPROGRESS"] and not _has_end(record)
    return UNREADABLE if damaged else None


def _read_data(text: object) -> Failure | None:
    """Return the failure in the data of a record that is COMPLETED, None if it is a success."""
    try:
        data = json.loads(str(text))
    except ValueError:
        return UNREADABLE
    return None if data == DONE else read_failure(data.get("failure") if isinstance(data, dict) else data)


def _has_end(record: DataRecord) -> bool:
    return isinstance(record.in_progress_expiry_timestamp, int | float | Decimal)


def _guarded(call: Callable[[], T]) -> T:
    """Make a call to the table and return its answer.

    Raises:
        ConfigurationException: the table is missing, or the function is not allowed to use it.
        IssuerUnavailableException: the table cannot be used right now, so nobody may call the issuer.

    """
    answer = attempt(call)
    if not isinstance(answer, Fault):
        return answer
    if answer.kind == "other":
        raise ConfigurationException(
            f"The lock table holds a record that the function did not write ({answer.code}), so the issuer was not "
            "called. Delete the items of the table: they say only which refreshes run, and how the last ones failed."
        )
    raise _misconfigured(answer.code) if answer.code in _OUR_FAULT else _unavailable(answer.code)


def _misconfigured(what: str) -> RefreshTokenError:
    return ConfigurationException(
        f"The lock table cannot be used ({what}), so the issuer was not called. Check that the table exists and that "
        "the function's role may use it: `tokenctl doctor` finds what somebody has changed."
    )


def _unavailable(what: str) -> RefreshTokenError:
    return IssuerUnavailableException(
        f"The lock table does not answer ({what}), so the issuer was not called. Try again later; if this persists, "
        "see the AWS Health Dashboard for DynamoDB."
    )
