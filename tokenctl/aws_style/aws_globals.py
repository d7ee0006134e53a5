"""The AWS CLI's global parameters: which tokenctl supports, ignores and refuses."""

from typing import Final, NoReturn

from tokenctl.errors import UsageError

WITHOUT_EFFECT: Final = ("--no-paginate", "--no-cli-pager", "--no-cli-auto-prompt")
"""These ask for what tokenctl does anyway."""

UNSUPPORTED: Final = {
    "--no-verify-ssl": "it would send a token to whoever answers; name the certificate to trust with --ca-bundle",
    "--cli-auto-prompt": "tokenctl does not prompt for parameters; see --help",
    "--cli-binary-format": "no parameter is binary; leave it out",
    "--cli-error-format": "an error is always one line and an exit code; leave it out",
}
"""These are refused, for the reason given."""

AWS_GLOBALS: Final = (
    *("--region", "--profile", "--endpoint-url", "--output", "--query", "--color", "--debug", "--version"),
    *("--ca-bundle", "--cli-connect-timeout", "--cli-read-timeout", "--no-sign-request"),
    *WITHOUT_EFFECT,
    *UNSUPPORTED,
)


def refuse_option(option: str, reason: str) -> NoReturn:
    """Raise a UsageError about an AWS CLI option that tokenctl does not support."""
    raise UsageError(f"{option} is not supported by tokenctl: {reason}.")
