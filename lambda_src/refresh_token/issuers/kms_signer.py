"""Signing with the deployment's KMS key, which holds the app's private key. The key never leaves KMS."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from refresh_token.adapters.aws_clients import Fault, punctual_client
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers.aws_call import is_transient, repeated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refresh_token.adapters.deadline import Deadline

MAX_CALL_TIME: Final = 3.0
"""Seconds that one call takes at most. The client does not retry."""

MAX_MESSAGE: Final = 4096
"""Bytes that kms:Sign takes (its API reference)."""

_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
_NO_KEY: Final = ("KMSInvalidStateException", "UnsupportedOperationException")
"""What KMS says before a key is imported, and the local cloud."""


class KmsSigner:
    """Signs with one asymmetric key."""

    def __init__(self, key_arn: str) -> None:
        self._key = key_arn

    def sign(self, message: bytes, algorithm: str, deadline: "Deadline") -> bytes:
        """Return the signature by an algorithm of KMS. At least one attempt is made.

        Raises:
            ConfigurationException: there is no such key, no private key was imported, the function may not use it, or
                the message is too long.
            IssuerUnavailableException: KMS does not answer, so the issuer cannot be called.

        """
        if len(message) > MAX_MESSAGE:
            raise ConfigurationException(
                f"The profile's JWT is longer than the {MAX_MESSAGE} bytes that KMS signs. Nothing was sent. Shorten "
                "its claims.",
                unsent=True,
            )
        value: Mapping[str, Any] | Fault = repeated(
            lambda: _client().sign(KeyId=self._key, Message=message, MessageType="RAW", SigningAlgorithm=algorithm),
            deadline,
            max_call_time=MAX_CALL_TIME,
        )
        signature = value if isinstance(value, Fault) else value.get("Signature")
        if isinstance(signature, bytes):
            return signature
        raise _meaning(signature if isinstance(signature, Fault) else Fault("other", "no signature"))


@lru_cache(maxsize=1)
def _client() -> Any:  # noqa: ANN401 - no type stubs of KMS are installed
    return punctual_client("kms", _CONFIG)


def _meaning(fault: Fault) -> RefreshTokenError:
    if fault.code in _NO_KEY:
        return ConfigurationException(
            "The key that signs requests holds no private key yet, or it is disabled. Nothing was sent. Import the "
            "app's key with `tokenctl import-key --stage <stage>`, or enable the key.",
            unsent=True,
        )
    if is_transient(fault) or fault.kind == "other":
        return IssuerUnavailableException(
            f"The request cannot be signed ({fault.code}), so the issuer was not called. Try again later; if this "
            "persists, see the AWS Health Dashboard for KMS."
        )
    return ConfigurationException(
        f"The request cannot be signed ({fault.code}). Nothing was sent. Check that the key of ISSUER_SIGNING_KEY "
        "exists, that it has the kind that the profile's jwt.alg needs, and that the function's role may use it.",
        unsent=True,
    )
