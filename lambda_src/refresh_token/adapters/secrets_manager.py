"""The token store on Secrets Manager.

A write has two steps. The first puts the pair as a new version that nobody reads yet. The second makes it current by
moving the label AWSCURRENT *from the version that was read*: Secrets Manager refuses the move if the label is no longer
there. So a write never overwrites a pair that someone else stored meanwhile.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, attempt, aws_client, punctual_client
from refresh_token.core.ports import StoredPair, VersionSupersededError
from refresh_token.core.secret_format import HOW_TO_SEED, parse_pair
from refresh_token.core.successors import is_successor
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
    TokenNotStoredException,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_secretsmanager.client import SecretsManagerClient

    from refresh_token.adapters.deadline import Deadline

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
"""Label of a version that is written but not current yet; Secrets Manager's own name for that state."""

PREVIOUS: Final = "AWSPREVIOUS"
"""Label that Secrets Manager itself moves to the version that loses AWSCURRENT."""

_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_WRITE_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
MAX_BYTES: Final = 65_536
"""The largest value of a secret (AWS Secrets Manager quotas, "Secret value size")."""

MAX_CALL_TIME: Final = 3.0
"""Seconds that one call of the writing client takes at most. The client does not retry. Its caller does, and watches
the deadline."""

_NOT_FOUND: Final = "ResourceNotFoundException"
_NO_TIME: Final = Fault("other", "no time left")
_NO_SENSE: Final = Fault("other", "the answer did not come from Secrets Manager")

Call = Callable[[], Mapping[str, Any]]


class Parse(Protocol):
    """`parse_pair` or `parse_static_token`."""

    def __call__(self, text: str, *, created: "datetime") -> TokenPair:
        """Parse the text of the secret."""
        ...


@lru_cache(maxsize=1)
def secrets_manager_client() -> "SecretsManagerClient":
    """Return the client for reading, made once. botocore retries its calls."""
    client: SecretsManagerClient = aws_client("secretsmanager", _CONFIG)
    return client


@lru_cache(maxsize=1)
def secrets_manager_writer() -> "SecretsManagerClient":
    """Return the client for writing, made once. It makes one short attempt."""
    client: SecretsManagerClient = punctual_client("secretsmanager", _WRITE_CONFIG)
    return client


class SecretsManagerStore:
    """The TokenStore port on one secret.

    ``writer`` makes the writing client when it is first needed. ``parse`` reads the secret's text.
    """

    def __init__(
        self,
        secret_arn: str,
        client: "SecretsManagerClient",
        writer: Callable[[], "SecretsManagerClient"],
        parse: Parse = parse_pair,
    ) -> None:
        self._secret = secret_arn
        self._client = client
        self._writer = writer
        self._parse = parse
        self._unsure: str | None = None
        """A version whose write was not answered: it may or may not be current."""

    def read(self) -> StoredPair:
        """Return the current pair; see the port for what it raises."""
        value = _answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        if isinstance(value, Fault):
            raise self._without_value() if value.code == _NOT_FOUND else _unavailable(value.code)
        return self._stored(value)

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Store ``pair`` if ``expected`` is still current; see the port for what it raises."""
        deadline = _deadline_after(seconds)
        if self._is_stored_already(version_id, expected, deadline):
            return
        text = pair.to_json()
        if len(text.encode()) > MAX_BYTES:
            raise _too_large(len(text.encode()))
        fault = self._put(text, version_id, deadline) or self._move(version_id, expected, deadline)
        if fault and not self._is_current(version_id, expected, deadline):
            raise _not_stored(fault.code)

    def pending(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that was written but not promoted; see the port for what it raises."""
        value = self._labelled(PENDING)
        return self._stored(value) if value and is_successor(value["VersionId"], version_id) else None

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make ``successor`` current if ``expected`` still is; see the port for what it raises."""
        deadline = _deadline_after(seconds)
        if self._is_stored_already(successor, expected, deadline):
            return
        fault = self._move(successor, expected, deadline)
        if fault and not self._is_current(successor, expected, deadline):
            raise _not_stored(fault.code)

    def previous(self) -> StoredPair | None:
        """Return the pair that was current before; see the port for what it raises."""
        value = self._labelled(PREVIOUS)
        try:
            return self._stored(value) if value else None
        except (SecretNotSeededException, SecretMalformedException):
            return None

    def _stored(self, value: Mapping[str, Any]) -> StoredPair:
        if "SecretString" in value:
            return StoredPair(value["VersionId"], self._parse(value["SecretString"], created=value["CreatedDate"]))
        if "SecretBinary" in value:
            raise SecretMalformedException(
                f"The secret is not a token pair: it is binary. Nothing was changed. {HOW_TO_SEED}"
            )
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")

    def _labelled(self, label: str) -> Mapping[str, Any] | None:
        """Return the version with a label, None if there is none."""
        value = _answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=label))
        if not isinstance(value, Fault):
            return value
        if value.code == _NOT_FOUND:
            return None
        raise _unavailable(value.code)

    def _put(self, text: str, version_id: str, deadline: "Deadline") -> Fault | None:
        """Write a pair's text as a version that is not current; return what went wrong."""
        return _fault_of(
            lambda: self._writer().put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version_id,
                SecretString=text,
                VersionStages=[PENDING],
            ),
            deadline,
        )

    def _move(self, version_id: str, expected: str, deadline: "Deadline") -> Fault | None:
        """Make a version current if ``expected`` still is; return what went wrong."""
        return _fault_of(
            lambda: self._writer().update_secret_version_stage(
                SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=version_id, RemoveFromVersionId=expected
            ),
            deadline,
        )

    def _is_stored_already(self, version_id: str, expected: str, deadline: "Deadline") -> bool:
        """Tell whether an earlier write of this version, whose answer was lost, succeeded. Raises if unknown."""
        if self._unsure != version_id:
            return False
        if self._is_current(version_id, expected, deadline):
            return True
        if self._unsure:
            raise _not_stored("no answer")
        return False

    def _is_current(self, version_id: str, expected: str, deadline: "Deadline") -> bool:
        """Tell whether a version is current although its write failed. Raises if neither it nor ``expected`` is.

        If that cannot be read, the version stays `_unsure`, and the next write reads again before it writes.
        """
        current = self._current_version() if deadline.allows(MAX_CALL_TIME) else None
        self._unsure = version_id if current is None else None
        if current not in (None, version_id, expected):
            raise VersionSupersededError
        return current == version_id

    def _without_value(self) -> RefreshTokenError:
        """Return the error for a secret without a value: GetSecretValue does not tell unseeded from missing."""
        answer = _answer(lambda: self._client.describe_secret(SecretId=self._secret))
        if isinstance(answer, Fault):
            return _unavailable(answer.code)
        return SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")

    def _current_version(self) -> str | None:
        """Return the VersionId that is current, None if it cannot be read."""
        value = _answer(lambda: self._writer().get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        return None if isinstance(value, Fault) else value["VersionId"]


def _deadline_after(seconds: float) -> "Deadline":
    from refresh_token.adapters.deadline import Deadline  # noqa: PLC0415 - most invocations do not write

    return Deadline.after(seconds)


def _fault_of(call: Call, deadline: "Deadline") -> Fault | None:
    """Make a call of the writing client, if there is time for one; return what went wrong."""
    answer = _answer(call) if deadline.allows(MAX_CALL_TIME) else _NO_TIME
    return answer if isinstance(answer, Fault) else None


def _answer(call: Call) -> Mapping[str, Any] | Fault:
    """Make a call. A genuine answer always has an ARN. botocore turns a 200 with an HTML page into an empty answer."""
    answer = attempt(call)
    return answer if isinstance(answer, Fault) or "ARN" in answer else _NO_SENSE


def _too_large(size: int) -> RefreshTokenError:
    return TokenNotStoredException(
        f"The token was refreshed but could not be stored: the pair takes {size} bytes, and Secrets Manager stores at "
        f"most {MAX_BYTES}. The stored access token is dead. Remove keys from the secret that do not belong to "
        "the pair, or have the issuer issue shorter tokens; then a person must sign in again.",
        final=True,
    )


def _not_stored(what: str) -> RefreshTokenError:
    if what == "LimitExceededException":
        return TokenNotStoredException(
            "The token was refreshed but could not be stored: the secret has 100 versions, and Secrets Manager removes "
            "none that is younger than 24 hours (LimitExceededException). So the stored access token is dead. "
            "The function refreshes too often: make the schedule less frequent, or have the issuer issue tokens that "
            "live longer. Until old versions are removed, this process keeps a new refresh token in its memory and "
            "tries again.",
            final=True,
        )
    return TokenNotStoredException(
        f"The token was refreshed but could not be stored ({what}), so the stored access token is dead. The next tick, "
        "report of the dead token or forced refresh fixes that. Check the function's permissions on the secret and its "
        "key."
    )


def _unavailable(what: str) -> RefreshTokenError:
    return SecretUnavailableException(
        f"The secret cannot be read ({what}). Check that it exists, is not scheduled for deletion, and that the "
        "function's role may read it and use its key."
    )
