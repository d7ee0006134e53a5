"""The credentials of the team's own app, in a secret of their own: JSON with ``clientId`` and ``clientSecret``.

They are read anew for each refresh, which is rare, so that nobody has to deploy after storing others.
"""

import json
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.secrets_manager import CURRENT, MAX_CALL_TIME, secrets_manager_writer
from refresh_token.aws_clients import THROTTLING_CODES, Fault, attempt
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from refresh_token.token_pair import is_text

if TYPE_CHECKING:
    from collections.abc import Mapping

HOW_TO_FILL: Final = "Store them with `tokenctl app-credentials --stage <stage>`."
MOST_ATTEMPTS: Final = 3

_PASSING: Final = THROTTLING_CODES | {"InternalFailure", "InternalServiceError", "ServiceUnavailable"}
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What tells the issuer which app asks (RFC 6749, 2.3.1). Its repr shows neither."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


class AppCredentialsSecret:
    """The secret that an operator fills."""

    def __init__(self, secret_arn: str) -> None:
        self._secret = secret_arn

    def read(self, *, seconds: float) -> AppCredentials:
        """Return the credentials that are current, within ``seconds``, or MAX_CALL_TIME if that is more.

        Raises:
            ConfigurationException: there are none, they are no credentials, or they may not be read.
            IssuerUnavailableException: Secrets Manager does not answer, so that the issuer cannot be asked.

        """
        ends = monotonic() + seconds
        for _ in range(MOST_ATTEMPTS):
            value: Mapping[str, Any] | Fault = attempt(
                # The client for writing: it tries once, and not for long.
                lambda: secrets_manager_writer().get_secret_value(SecretId=self._secret, VersionStage=CURRENT)
            )
            if not isinstance(value, Fault) or not _passes(value) or monotonic() + MAX_CALL_TIME > ends:
                break
        if isinstance(value, Fault):
            raise _unreadable(value)
        return _credentials(value.get("SecretString"))


def _passes(fault: Fault) -> bool:
    return fault.kind == "connection" or fault.code in _PASSING or fault.status >= _SERVER_ERROR


def _credentials(text: object) -> AppCredentials:
    """Read the text of the secret. Messages name keys, never values."""
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _wrong("it is not a JSON object")
    found = {}
    for key in ("clientId", "clientSecret"):
        value = document.get(key)
        # What is pasted may end with a line break, which no issuer would take.
        if not isinstance(value, str) or not is_text(value) or value != value.strip():
            raise _wrong(f"`{key}` must be a string, not blank, without blanks around it")
        found[key] = value
    return AppCredentials(found["clientId"], found["clientSecret"])


def _wrong(why: str) -> RefreshTokenError:
    return ConfigurationException(f"The secret of the app's credentials does not hold them: {why}. {HOW_TO_FILL}")


def _unreadable(fault: Fault) -> RefreshTokenError:
    if fault.code == "ResourceNotFoundException":
        return ConfigurationException(f"There are no app credentials: their secret is empty or missing. {HOW_TO_FILL}")
    if _passes(fault) or fault.kind == "other":
        return IssuerUnavailableException(
            f"The app's credentials cannot be read ({fault.code}), so the issuer was not asked. Ask again later; if it "
            "stays, see the AWS Health Dashboard for Secrets Manager."
        )
    return ConfigurationException(
        f"The secret of the app's credentials cannot be read ({fault.code}). Check that it exists, is not scheduled "
        "for deletion, and that the function's role may read it and use its key."
    )
