"""The token store on one secret of Secrets Manager."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.secrets_manager import CURRENT, NOT_FOUND, PENDING, PREVIOUS, answer
from refresh_token.core.ports import StoredPair
from refresh_token.core.secret_format import parse_pair_or_token
from refresh_token.core.secret_keys import HOW_TO_SEED
from refresh_token.core.successors import is_successor
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import (
    ReauthorizationRequiredException,
    RefreshTokenError,
    SecretMalformedException,
    SecretNotSeededException,
    SecretUnavailableException,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_secretsmanager.client import SecretsManagerClient

    from refresh_token.adapters.compare_and_swap import CompareAndSwap
    from refresh_token.core.secret_format import Parse
    from refresh_token.core.unreadable_pair import UnreadablePair

NO_VERSION: Final = ""
"""The version id of a secret that never had a value. Only pairs that may be empty are read from one."""

SERVER_ERROR: Final = 500
"""The lowest HTTP status that says that the service fails."""


class SecretsManagerStore:
    """The TokenStore port on one secret.

    ``writer`` makes the writing client when it is first needed. ``parse`` reads the secret's text.
    """

    def __init__(
        self,
        secret_arn: str,
        client: "SecretsManagerClient",
        writer: Callable[[], "SecretsManagerClient"],
        parse: "Parse" = parse_pair_or_token,
    ) -> None:
        self._secret = secret_arn
        self._client = client
        self._writer = writer
        self._parse = parse

    def read(self) -> StoredPair:
        """Return the current pair; see the port for what it raises."""
        value = answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=CURRENT))
        if not isinstance(value, Fault):
            return self._stored(value)
        if value.code == NOT_FOUND:
            return self._without_value()
        raise _unavailable(value)

    def has_room_for(self, pair: TokenPair) -> bool:
        """Tell whether a pair fits into a secret."""
        return self._swap.fits(pair.to_json())

    def replace(self, pair: TokenPair, *, expected: str, version_id: str, seconds: float) -> None:
        """Store ``pair`` if ``expected`` is still current; see the port for what it raises."""
        self._swap.replace(pair.to_json(), expected=expected, version_id=version_id, seconds=seconds)

    def pending(self, version_id: str) -> StoredPair | None:
        """Return the successor of a version that was written but not promoted; see the port for what it raises."""
        value = self._labelled(PENDING)
        return self._stored(value) if value and is_successor(value["VersionId"], version_id) else None

    def promote(self, successor: str, *, expected: str, seconds: float) -> None:
        """Make ``successor`` current if ``expected`` still is; see the port for what it raises."""
        self._swap.promote(successor, expected=expected, seconds=seconds)

    def unreadable(self) -> "UnreadablePair":
        """Return what the current version holds although it is no pair; see the port for what it raises."""
        from refresh_token.core.unreadable_pair import UnreadablePair  # noqa: PLC0415 - hardly any invocation needs it

        value = self._labelled(CURRENT) or {}
        return UnreadablePair(value.get("SecretString") or value.get("SecretBinary", b"").decode(errors="replace"))

    def previous(self) -> StoredPair | None:
        """Return the pair that was current before; see the port for what it raises."""
        value = self._labelled(PREVIOUS)
        try:
            return self._stored(value) if value else None
        except (SecretNotSeededException, SecretMalformedException, ReauthorizationRequiredException):
            return None

    @cached_property
    def _swap(self) -> "CompareAndSwap":
        from refresh_token.adapters.compare_and_swap import CompareAndSwap  # noqa: PLC0415 - most invocations only read

        return CompareAndSwap(self._secret, self._writer)

    def _stored(self, value: Mapping[str, Any]) -> StoredPair:
        if value.get("SecretString") == "":  # an emulator makes a version for a secret that never had a value
            return self._empty(value["VersionId"], value["CreatedDate"])
        if "SecretString" in value:
            return StoredPair(value["VersionId"], self._parse(value["SecretString"], created=value["CreatedDate"]))
        if "SecretBinary" in value:
            raise SecretMalformedException(
                f"The secret is not a token pair: it is binary. Nothing was changed. {HOW_TO_SEED}"
            )
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")

    def _labelled(self, label: str) -> Mapping[str, Any] | None:
        """Return the version with a label, None if there is none."""
        value = answer(lambda: self._client.get_secret_value(SecretId=self._secret, VersionStage=label))
        if not isinstance(value, Fault):
            return value
        if value.code == NOT_FOUND:
            return None
        raise _unavailable(value)

    def _without_value(self) -> StoredPair:
        """Return the pair of a secret without a value, if it may be empty.

        GetSecretValue does not tell unseeded from missing.
        """
        value = answer(lambda: self._client.describe_secret(SecretId=self._secret))
        if isinstance(value, Fault):
            raise _unavailable(value)
        return self._empty(NO_VERSION, value["CreatedDate"])

    def _empty(self, version_id: str, created: "datetime") -> StoredPair:
        """Return the pair of a secret that never had a value, if it may be empty."""
        try:
            return StoredPair(version_id, self._parse("", created=created))
        except SecretNotSeededException as error:
            error.never = True
            raise


def _unavailable(fault: Fault) -> RefreshTokenError:
    error = SecretUnavailableException(
        f"The secret cannot be read ({fault.code}). Check that it exists, is not scheduled for deletion, and that the "
        "function's role may read it and use its key."
    )
    error.passing = fault.kind == "connection" or fault.status >= SERVER_ERROR or "Throttling" in fault.code
    return error
