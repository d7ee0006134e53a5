"""The token store on Secrets Manager.

A pair is written as a new version that is current for nobody, and then made current by moving the label AWSCURRENT
*from the version that was read*: Secrets Manager refuses the move if the label is elsewhere by now. So a pair that
somebody else stored meanwhile is never overwritten.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from refresh_token.aws_clients import aws_client
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
_NOT_FOUND: Final = "ResourceNotFoundException"


@lru_cache(maxsize=1)
def secrets_manager_client() -> "SecretsManagerClient":
    """Return the client, made once; retries are botocore's."""
    client: SecretsManagerClient = aws_client("secretsmanager", _CONFIG)
    return client


class SecretsManagerStore:
    """The TokenStore port on one secret."""

    def __init__(self, secret_arn: str, client: "SecretsManagerClient") -> None:
        self._secret = secret_arn
        self._client = client

    def read(self) -> StoredPair:
        """Return the current pair; see the port for what it raises."""
        fault: RefreshTokenError
        try:
            value = self._client.get_secret_value(SecretId=self._secret, VersionStage=CURRENT)
        except ClientError as error:
            code = _code(error)
            fault = self._without_value() if code == _NOT_FOUND else _unavailable(code)
        except BotoCoreError as error:
            fault = _unavailable(type(error).__name__)
        else:
            return _stored(value)
        raise fault

    def replace(self, pair: TokenPair, *, expected: str, version_id: str) -> None:
        """Store ``pair`` if ``expected`` is still current; see the port for what it raises. Safe to repeat."""
        try:
            self._client.put_secret_value(
                SecretId=self._secret,
                ClientRequestToken=version_id,
                SecretString=pair.to_json(),
                VersionStages=[PENDING],
            )
            self._client.update_secret_version_stage(
                SecretId=self._secret, VersionStage=CURRENT, MoveToVersionId=version_id, RemoveFromVersionId=expected
            )
        except ClientError as error:
            code = _code(error)
        except BotoCoreError as error:
            code = type(error).__name__
        else:
            return
        current = self._current_version()
        if current == version_id:
            return  # an answer was lost on the way, the move was not
        if current is not None and current != expected:
            raise VersionSupersededError
        raise TokenNotStoredException(
            f"The token was refreshed but could not be stored ({code}), and the stored one is dead now. The next "
            "consumer that reports the dead token, or a forced refresh, heals it. Check the function's "
            "permissions on the secret and its key."
        )

    def _without_value(self) -> RefreshTokenError:
        """Tell a secret that was never seeded from one that is missing; GetSecretValue says the same of both."""
        try:
            self._client.describe_secret(SecretId=self._secret)
        except ClientError as error:
            return _unavailable(_code(error))
        except BotoCoreError as error:
            return _unavailable(type(error).__name__)
        return SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")

    def _current_version(self) -> str | None:
        """Return the VersionId that is current, None if that cannot be found out."""
        try:
            return self._client.get_secret_value(SecretId=self._secret, VersionStage=CURRENT)["VersionId"]
        except (ClientError, BotoCoreError):
            return None


def _stored(value: Mapping[str, Any]) -> StoredPair:
    if "SecretString" not in value:
        if "SecretBinary" in value:
            raise SecretMalformedException(
                f"The secret is not a token pair: it is binary. Nothing was changed. {HOW_TO_SEED}"
            )
        raise SecretNotSeededException(f"The secret holds no token pair yet. {HOW_TO_SEED}")
    return StoredPair(value["VersionId"], parse_pair(value["SecretString"], created=value["CreatedDate"]))


def _code(error: ClientError) -> str:
    """Return the error code; only what can be one is shown."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if re.fullmatch(r"[A-Za-z.]{1,64}", code) else "unknown error"


def _unavailable(what: str) -> RefreshTokenError:
    return SecretUnavailableException(
        f"The secret cannot be read ({what}). Check that it exists, is not scheduled for deletion, and that the "
        "function's role may read it and use its key."
    )
