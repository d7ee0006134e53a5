"""The question before a live pair is replaced."""

import sys
from datetime import UTC, datetime

import click

from cli.errors import TokenctlError, UsageError
from cli.target import Target, explained
from refresh_token.errors import RefreshTokenError
from refresh_token.token_pair import TokenPair, parse_pair


def ask_before_replacing(target: Target) -> None:
    """Ask whether a pair that is stored may be replaced; where there is none, there is nothing to ask.

    Raises:
        TokenctlError: the answer is no.
        UsageError: there is nobody to ask.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses.

    """
    pair = _stored_pair(target)
    if pair is None:
        return
    click.echo(
        f"The secret of {target.stack_name} holds a token pair already (until {moment(pair.expires_at)}).\n"
        "Signing in again replaces it, and every access token handed out so far dies.",
        err=True,
    )
    try:
        agreed = click.confirm("Go on?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError("There is nobody to ask. Say --yes to replace the stored pair.") from None
    if not agreed:
        raise TokenctlError("The stored pair stays. Nothing was changed.")


def moment(at: datetime | None) -> str:
    """Return when a token expires, for people: UTC, to the minute."""
    return "unknown" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _stored_pair(target: Target) -> TokenPair | None:
    """Return what is stored, None for nothing or nothing of use."""
    from botocore.exceptions import ClientError

    client = target.connection.client("secretsmanager")
    with explained():
        try:
            answer = client.get_secret_value(SecretId=target.secret_arn)
        except ClientError as error:
            # So it is, too, when the secret itself is gone; storing will say so.
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
            return None
    try:
        return parse_pair(answer.get("SecretString", ""), created=answer["CreatedDate"])
    except RefreshTokenError:
        return None
