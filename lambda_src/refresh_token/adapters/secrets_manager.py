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
from refresh_token.token_pair import HOW_TO_SEED, TokenPair, parse_pair

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
"""Label of a version that is written and not yet current; Secrets Manager's own name for that state."""

_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_WRITE_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
LONGEST_CALL: Final = 3.0
"""Seconds that one call of the writing client takes at most. Its caller repeats what fails, and knows the time."""

_NOT_FOUND: Final = "ResourceNotFoundException"
_NO_TIME: Final = Fault("other", "no time left")
_NO_SENSE: Final = Fault("other", "an answer that is not Secrets Manager's")


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
        ends = monotonic() + seconds
        if self._unsure == version_id:
            if self._is_current(version_id, expected, ends):
                return
            if self._unsure:
                raise _not_stored("no answer")
        fault = self._put_and_move(pair, expected, version_id, ends)
        if fault is None or self._is_current(version_id, expected, ends):
            return
        raise _not_stored(fault.code)

    def _put_and_move(self, pair: TokenPair, expected: str, version_id: str, ends: float) -> Fault | None:
        """Write a version and make it current; return what went wrong."""
        writer = self._writer()
        calls: tuple[Callable[[], Mapping[str, Any]], ...] = (
            lambda: writer.put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version_id,
                SecretString=pair.to_json(),
                VersionStages=[PENDING],
            ),
            lambda: writer.update_secret_version_stage(
                SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=version_id, RemoveFromVersionId=expected
            ),
        )
        for call in calls:
            answer = _answer(call) if monotonic() + LONGEST_CALL <= ends else _NO_TIME
            if isinstance(answer, Fault):
                return answer
        return None

    def _is_current(self, version_id: str, expected: str, ends: float) -> bool:
        """Tell whether the version is current although an answer was lost on the way; raises if another one is.

        What cannot be found out is looked up again before anything is written again.
        """
        current = self._current_version() if monotonic() + LONGEST_CALL <= ends else None
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


def _answer(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | Fault:
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
