"""What goes wrong, with the exit codes of the AWS CLI v2 (its user guide, "Return codes").

0 success, 130 interrupted, and the classes below. A message is one line that says what happened and what to do, and
holds no token, client id or client secret.
"""

import re
from collections.abc import Iterable
from typing import ClassVar, Final

_NAME: Final = re.compile(r"-{0,2}[A-Za-z][A-Za-z-]{0,31}")
_SHORTEST_SECRET: Final = 4


class TokenctlError(Exception):
    """A failure that tokenctl explains."""

    exit_code: ClassVar[int] = 255


class UsageError(TokenctlError):
    """The command line is wrong: unknown, missing or mistyped parameters."""

    exit_code = 252


class ConfigurationError(TokenctlError):
    """The environment is wrong: no credentials, no region, no such profile, no such stack."""

    exit_code = 253


class ServiceError(TokenctlError):
    """A service, or the function, answered with an error."""

    exit_code = 254

    @classmethod
    def of(cls, code: str, operation: str, message: str, hint: str = "") -> "ServiceError":
        """Say it as the AWS CLI does, and what to do."""
        said = f": {one_line(message).rstrip('.')}." if message else "."
        return cls(f"An error occurred ({code}) when calling the {operation} operation{said}{hint and f' {hint}'}")


def name(text: object) -> str:
    """Return a name for a message. What cannot be a name is not shown: it may be a value, misplaced."""
    return f"`{text}`" if isinstance(text, str) and _NAME.fullmatch(text) else "(not a name)"


def without(secrets: Iterable[str], message: str) -> str:
    """Return the message with the secrets blotted out. One that is shorter than any real one would blot out words."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, "***")
    return message


def one_line(text: str) -> str:
    """Return the text on one line."""
    return " ".join(text.split())
