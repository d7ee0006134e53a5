"""The app's credentials, in a secret of their own that an operator fills.

The issuer reads them for each refresh, which is rare, so new credentials are used without a deployment.
"""

from typing import TYPE_CHECKING, Any, Final

from refresh_token.adapters.aws_clients import Fault
from refresh_token.adapters.secrets_manager import CURRENT, MAX_CALL_TIME, secrets_manager_writer
from refresh_token.core.issued_by import IssuedBy, refuse_other_issuer
from refresh_token.errors import ConfigurationException, IssuerUnavailableException, RefreshTokenError
from refresh_token.issuers.aws_call import is_transient, repeated
from refresh_token.oauth.app_credentials import KEYS, AppCredentials, parse_app_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refresh_token.adapters.deadline import Deadline

HOW_TO_FILL: Final = "Store them with `tokenctl app-credentials --stage <stage>`."
_REPLACE: Final = "Store those of an app of this issuer with `tokenctl app-credentials --stage <stage>`"


class AppCredentialsSecret:
    """The secret with the credentials of an app of the issuer `issued_by`."""

    def __init__(self, secret_arn: str, issued_by: IssuedBy, keys: tuple[str, ...] = KEYS) -> None:
        """Take the secret, whose credentials it must hold, and the keys that it must have."""
        self._secret = secret_arn
        self._issued_by = issued_by
        self._keys = keys

    def read(self, deadline: "Deadline", *, owner: IssuedBy | None = None) -> AppCredentials:
        """Return the current credentials, which are ``owner``'s if they do not say whose they are.

        At least one attempt is made; it may outlast the deadline by MAX_CALL_TIME.

        Raises:
            ConfigurationException: the secret is empty, holds no credentials or those of another issuer, or may not be
                read.
            IssuerUnavailableException: Secrets Manager does not answer, so the issuer cannot be called.

        """
        value: Mapping[str, Any] | Fault = repeated(
            # The writing client tries once, briefly, so the deadline counts between the attempts.
            lambda: secrets_manager_writer().get_secret_value(SecretId=self._secret, VersionStage=CURRENT),
            deadline,
            max_call_time=MAX_CALL_TIME,
        )
        if isinstance(value, Fault):
            raise _unreadable(value)
        app = _credentials(value.get("SecretString"), self._keys)
        refuse_other_issuer(
            app.issued_by or owner, self._issued_by, what="The stored app credentials belong", how_to_fix=_REPLACE
        )
        return app


def _credentials(text: object, keys: tuple[str, ...]) -> AppCredentials:
    try:
        return parse_app_credentials(text, needs=keys)
    except ValueError as error:
        fault = str(error)
    raise _misconfigured(f"The secret for the app's credentials does not hold them: {fault}. {HOW_TO_FILL}")


def _unreadable(fault: Fault) -> RefreshTokenError:
    if fault.code == "ResourceNotFoundException":
        return _misconfigured(f"There are no app credentials: their secret is empty or missing. {HOW_TO_FILL}")
    if is_transient(fault) or fault.kind == "other":
        return IssuerUnavailableException(
            f"The app's credentials cannot be read ({fault.code}), so the issuer was not called. Try again later; if "
            "this persists, see the AWS Health Dashboard for Secrets Manager."
        )
    return _misconfigured(
        f"The secret with the app's credentials cannot be read ({fault.code}). Check that it exists, that it is not "
        "scheduled for deletion, and that the function's role may read it and use its key."
    )


def _misconfigured(message: str) -> ConfigurationException:
    return ConfigurationException(message, unsent=True)
