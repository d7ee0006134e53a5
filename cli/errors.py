"""What goes wrong, with the exit codes of the AWS CLI v2 (its user guide, "Return codes").

0 success, 130 interrupted, and the classes below. A message is one line that says what happened and what to do, and
holds no token, client id or client secret.
"""

from typing import ClassVar


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
    """A service answered with an error."""

    exit_code = 254
