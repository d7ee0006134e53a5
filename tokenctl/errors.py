"""tokenctl's errors, with the exit codes of the AWS CLI v2 (AWS CLI user guide, "Return codes").

0 means success and 130 an interruption; the classes below have the other codes. A message is one line that says what
happened and then what to do. It holds no token, client id or client secret.
"""

import re
from collections.abc import Iterable
from typing import ClassVar, Final

_NAME: Final = re.compile(r"-{0,2}[A-Za-z][A-Za-z-]{0,31}")
_MIN_SECRET_LENGTH: Final = 4


class TokenctlError(Exception):
    """A failure that tokenctl can explain."""

    exit_code: ClassVar[int] = 255


class GoneError(TokenctlError):
    """Somebody has deleted a part of the deployment."""

    def __init__(self, what: str, how: str = "") -> None:
        super().__init__(f"{what[0].upper()}{what[1:]} is gone.{how and f' {how}'}")
        self.what = what
        """The part, in the middle of a sentence."""


class UsageError(TokenctlError):
    """The command line is wrong: a parameter is unknown, missing or mistyped."""

    exit_code = 252


class ConfigurationError(TokenctlError):
    """The environment is wrong: no credentials, no region, no such profile, no such stack."""

    exit_code = 253


class ServiceError(TokenctlError):
    """A service, or the function, answered with an error."""

    exit_code = 254
    code = ""
    """AWS's name of the error."""

    @classmethod
    def in_aws_words(cls, code: str, operation: str, message: str, hint: str = "") -> "ServiceError":
        """Return the error in the AWS CLI's words, followed by what to do."""
        detail = f": {one_line(message).rstrip('.')}." if message else "."
        error = cls(f"An error occurred ({code}) when calling the {operation} operation{detail}{hint and f' {hint}'}")
        error.code = code
        return error


NONSENSE: Final = (LookupError, TypeError, ValueError)
"""What reading an answer raises that is not what AWS documents, such as that of a proxy."""


def no_sense(error: Exception) -> str:
    """Return the message about an answer that makes no sense. The error's own text may show a value."""
    return f"AWS's answer makes no sense ({type(error).__name__})."


def quoted_name(text: object) -> str:
    """Return a name in backticks, for a message. Text that cannot be a name may be a misplaced value: it is hidden."""
    return f"`{text}`" if isinstance(text, str) and _NAME.fullmatch(text) else "(not a name)"


def redact(message: str, secrets: Iterable[str]) -> str:
    """Replace the secrets in a message with asterisks, except those so short that ordinary words would match."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET_LENGTH:
            message = message.replace(secret, "***")
    return message


def one_line(text: str) -> str:
    """Return the text on one line."""
    return " ".join(text.split())
