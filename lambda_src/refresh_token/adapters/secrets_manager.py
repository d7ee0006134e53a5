"""The token store on Secrets Manager.

A pair is written as a new version that is current for nobody, and then made current by moving the label AWSCURRENT
*from the version that was read*: Secrets Manager refuses the move if the label is elsewhere by now. So a pair that
somebody else stored meanwhile is never overwritten.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from refresh_token.aws_clients import Fault, attempt, aws_client, punctual_client
from refresh_token.errors import (
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)
from refresh_token.ports import StoredPair, VersionSupersededError
from refresh_token.successors import is_successor
from refresh_token.token_pair import HOW_TO_SEED, TokenPair, parse_pair

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
"""Label of a version that is written and not yet current; Secrets Manager's own name for that state."""

PREVIOUS: Final = "AWSPREVIOUS"
"""Label that Secrets Manager itself moves to the version which AWSCURRENT leaves."""

_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_WRITE_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
MAX_CALL_TIME: Final = 3.0
"""Seconds that one call of the writing client takes at most. Its caller repeats what fails, and knows the time."""

_NOT_FOUND: Final = "ResourceNotFoundException"
_NO_TIME: Final = Fault("other", "no time left")
_NO_SENSE: Final = Fault("other", "an answer that is not Secrets Manager's")

Call = Callable[[], Mapping[str, Any]]


@lru_cache(maxsize=1)
def secrets_manager_client() -> "SecretsManagerClient":
    """Return the client for reading, made once; retries are botocore's."""
    client: SecretsManagerClient = aws_client("secretsmanager", _CONFIG)
    return client


@lru_cache(maxsize=1)
def secrets_manager_writer() -> "SecretsManagerClient":
    """Return the client for writing, made once; it tries once, and not for long."""
    client: SecretsManagerClient = punctual_client("secretsmanager", _WRITE_CONFIG)
    return client


class SecretsManagerStore:
    """The TokenStore port on one secret. ``writer`` makes the client for writing: most invocations need none."""

    def __init__(
        self, secret_arn: str, client: "SecretsManagerClient", writer: Callable[[], "SecretsManagerClient"]
    ) -> None:
        self._secret = secret_arn
        self._client = client
        self._writer = writer
        self._unsure: str | None = None
        """A version that was written, and may be current although no answer says so."""

    def read(self) -> StoredPair:
        """Return the current pair; see the port for what it raises."""
        value = _answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        if isinstance(value, Fault):
            raise self._without_value() if value.code == _NOT_FOUND else _unavailable(value.code)
        return _stored(value)

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Store ``pair`` if ``expected`` is still current; see the port for what it raises. Safe to repeat."""
        put = self._put(pair, version_id)
        self._carry_out((put, self._move(version_id, expected)), version_id, expected, seconds)

    def unfinished(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that waits to be made current; see the port for what it raises."""
        value = self._labelled(PENDING)
        return _stored(value) if value and is_successor(value["VersionId"], version_id) else None

    def previous(self) -> StoredPair | None:
        """Return the pair that was current before; see the port for what it raises."""
        value = self._labelled(PREVIOUS)
        try:
            return _stored(value) if value else None
        except (SecretNotSeededException, SecretMalformedException):
            return None

    def finish(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make ``successor`` current if ``expected`` still is; see the port for what it raises. Safe to repeat."""
        self._carry_out((self._move(successor, expected),), successor, expected, seconds)

    def _labelled(self, label: str) -> Mapping[str, Any] | None:
        """Return the version with a label, None if there is none."""
        value = _answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=label))
        if not isinstance(value, Fault):
            return value
        if value.code == _NOT_FOUND:
            return None
        raise _unavailable(value.code)

    def _put(self, pair: TokenPair, version_id: str) -> Call:
        return lambda: self._writer().put_secret_value(
            SecretId=self._secret,
            ClientRequestToken=version_id,
            SecretString=pair.to_json(),
            VersionStages=[PENDING],
        )

    def _move(self, version_id: str, expected: str) -> Call:
        return lambda: self._writer().update_secret_version_stage(
            SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=version_id, RemoveFromVersionId=expected
        )

    def _carry_out(self, calls: tuple[Call, ...], version_id: str, expected: str, seconds: float) -> None:
        """Make the calls of a write, and find out what came of them if one goes wrong."""
        ends = monotonic() + seconds
        if self._unsure == version_id:
            if self._is_current(version_id, expected, ends):
                return
            if self._unsure:
                raise _not_stored("no answer")
        fault = _made(calls, ends)
        if fault is None or self._is_current(version_id, expected, ends):
            return
        raise _not_stored(fault.code)

    def _is_current(self, version_id: str, expected: str, ends: float) -> bool:
        """Tell whether the version is current although an answer was lost on the way; raises if another one is.

        What cannot be found out is looked up again before anything is written again.
        """
        current = self._current_version() if monotonic() + MAX_CALL_TIME <= ends else None
        self._unsure = version_id if current is None else None
        if current not in (None, version_id, expected):
            raise VersionSupersededError
        return current == version_id

    def _without_value(self) -> RefreshTokenError:
        """Tell a secret that was never seeded from one that is missing; GetSecretValue says the same of both."""
        answer = _answer(lambda: self._client.describe_secret(SecretId=self._secret))
        if isinstance(answer, Fault):
            return _unavailable(answer.code)
        return SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")

    def _current_version(self) -> str | None:
        """Return the VersionId that is current, None if that cannot be found out."""
        value = _answer(lambda: self._writer().get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        return None if isinstance(value, Fault) else value["VersionId"]


def _made(calls: tuple[Call, ...], ends: float) -> Fault | None:
    """Make calls of the writing client one after the other; return what went wrong."""
    for call in calls:
        answer = _answer(call) if monotonic() + MAX_CALL_TIME <= ends else _NO_TIME
        if isinstance(answer, Fault):
            return answer
    return None


def _answer(call: Call) -> Mapping[str, Any] | Fault:
    """Make a call. An answer to any that are made here has an ARN, or it is somebody else's (200 and HTML)."""
    answer = attempt(call)
    return answer if isinstance(answer, Fault) or "ARN" in answer else _NO_SENSE


def _stored(value: Mapping[str, Any]) -> StoredPair:
    if "SecretString" not in value:
        if "SecretBinary" in value:
            raise SecretMalformedException(
                f"The secret is not a token pair: it is binary. Nothing was changed. {HOW_TO_SEED}"
            )
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")
    return StoredPair(value["VersionId"], parse_pair(value["SecretString"], created=value["CreatedDate"]))


def _not_stored(what: str) -> RefreshTokenError:
    return TokenNotStoredException(
        f"The token was refreshed but could not be stored ({what}), and the stored one is dead now. The next tick, "
        "report of the dead token, or forced refresh heals it. Check the function's permissions on the secret and its "
        "key."
    )


def _unavailable(what: str) -> RefreshTokenError:
    return SecretUnavailableException(
        f"The secret cannot be read ({what}). Check that it exists, is not scheduled for deletion, and that the "
        "function's role may read it and use its key."
    )
