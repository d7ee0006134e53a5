"""`tokenctl rotate`: stores the next token of a stack whose token a person renews."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from refresh_token.core.issued_by import KEY as ISSUED_BY
from refresh_token.core.windows import iso_utc
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_issuer
from tokenctl.stack.pair_secret import NoPairError, read_pair, store_pair, validate_pair
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import SAMPLE_LIFE, life_of, sentence
from tokenctl.terminal.secret_input import prompt_hidden, read_text, should_prompt

EXAMPLES: Final = """\b
Examples:
  tokenctl rotate --stage prod                            # prompts; what you type is not shown
  tokenctl rotate --stage prod --expires-in-days 365
  your-vault | tokenctl rotate --stage prod --expires-at 2027-03-31
  tokenctl rotate --stage prod --from token.txt --expires-in-days 90

\b
Input: the token alone, or JSON with {"accessToken", "expiresAt"}.
"""


_KEYS: Final = frozenset(
    {"accessToken", "access_token", "expiresAt", "expiresIn", "expires_in", "refreshedAt", "provider"}
)
"""What counts of a JSON object."""

MAX_DAYS: Final = 3650
"""The longest life that a token may have: a later date is more likely a mistake."""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option(
    "--from", "source", metavar="FILE", type=click.Path(), help="File with the new token; - is standard input."
)
@click.option("--expires-at", metavar="DATE", help="When the token ends: an ISO 8601 date, or date and time (UTC).")
@click.option(
    "--expires-in-days", metavar="N", type=click.IntRange(1, MAX_DAYS), help="In how many days the token ends."
)
@target_options
@output_options
def rotate(
    *, target: Target, source: str | None, expires_at: str | None, expires_in_days: int | None, output: Output
) -> None:
    """Store the next token that a person created, for a stack with issuer=static.

    The end is required; for a token without an end, give the date on which you want to be reminded. Consumers get the
    new token with their next request; the old one works until the provider ends it. Prints no token.
    """
    if None not in {expires_at, expires_in_days}:
        raise UsageError("Give only one of --expires-at and --expires-in-days.")
    _check_date(expires_at)
    output.check("rotate", {"stack": target.stack_name, "versionId": "version", **SAMPLE_LIFE})
    deployed = DeployedStack(target)
    _require_static(deployed)
    document = _prompt() if should_prompt(source) else _read(source)
    if expires_in_days is not None:
        expires_at = iso_utc(datetime.now(UTC) + timedelta(days=expires_in_days))
    if expires_at is not None:
        document = {**document, "expiresAt": expires_at}
        document.pop("expiresIn", None)
    elif should_prompt(source):
        document["expiresAt"] = str(click.prompt("Expiry: an ISO 8601 date, or date and time", err=True)).strip()
    if not {"expiresAt", "expiresIn", "expires_in"} & document.keys():
        raise UsageError("Say when the token ends: give --expires-at or --expires-in-days. Nothing was stored.")
    document.setdefault("refreshedAt", iso_utc(datetime.now(UTC)))
    pair = validate_pair(json.dumps(document), deployed.settings)
    settings = deployed.settings
    life = life_of(pair, now=datetime.now(UTC), settings=settings.windows, spends=settings.spends)
    if life["secondsLeft"] <= 0:
        raise UsageError(
            "The new token has already ended. Nothing was stored. Check the date, or create another token."
        )
    if life["secondsLeft"] > MAX_DAYS * 86_400:
        raise UsageError(f"The new token would end in more than {MAX_DAYS} days. Nothing was stored. Check the date.")
    version_id = store_pair(deployed, {**_kept(deployed, pair.access_token), **document}, None)
    if output.is_structured:
        output.print("rotate", {"stack": target.stack_name, "versionId": version_id, **life})
    else:
        click.echo(f"Stored the new token for {target.stack_name}: version {version_id}, {sentence(life)}.")
    if source not in {None, "-"}:
        click.echo(f"{source} still holds the token: delete it.", err=True)


def _check_date(expires_at: str | None) -> None:
    try:
        if expires_at is not None:
            datetime.fromisoformat(expires_at)
    except ValueError:
        pass
    else:
        return
    raise UsageError("--expires-at must be an ISO 8601 date, such as 2027-03-31, or date and time. Nothing was stored.")


def _require_static(deployed: DeployedStack) -> None:
    """Raise ConfigurationError unless a person renews the token of this deployment."""
    if not deployed.settings.static:
        option, issuer = deployed.target.option, deployed_issuer(deployed)
        raise ConfigurationError(
            f"The issuer of {deployed.target.stack_name} is {issuer}, so the function refreshes the token itself. To "
            f"get a new one now, run `tokenctl refresh {option}`; to store another pair, `tokenctl seed {option}`."
        )


def _read(source: str | None) -> dict[str, Any]:
    """Return what the input says about the token: a text that is no JSON is the token, and so is a string or number.

    Of an object only the token and its life count. A refresh token that the secret keeps must not lose its owner.
    """
    text = read_text(source, "a token").strip()
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        document = text
    if isinstance(document, bool | list | None):
        raise UsageError("The input is JSON, but neither a token nor an object with `accessToken`. Nothing was stored.")
    if not isinstance(document, dict):
        return {"accessToken": document.strip() if isinstance(document, str) else text}
    counted: dict[str, Any] = {key: value for key, value in document.items() if key in _KEYS}
    if isinstance(token := counted.get("accessToken"), str):
        counted["accessToken"] = token.strip()
    return counted


def _prompt() -> dict[str, Any]:
    return {"accessToken": prompt_hidden("New access token")}


def _kept(deployed: DeployedStack, new_token: str) -> dict[str, object]:
    """Return the keys of the stored document that stay; raises UsageError if its token is the new one."""
    try:
        stored = read_pair(deployed).pair
    except NoPairError:
        return {}
    if stored.access_token == new_token:
        raise UsageError(
            "This token is stored already. Nothing was changed. To correct only its end, run `tokenctl seed "
            f"{deployed.target.option}` with the token and the right date."
        )
    said = {"scope": stored.scope, "values": stored.values, "api": stored.api}
    kept = {**stored.unknown, **{key: value for key, value in said.items() if value}}
    if stored.client_id is not None:
        kept["clientId"] = stored.client_id
    if stored.issued_by is not None:  # a refresh token that stays must not lose its owner: it would go anywhere
        kept[ISSUED_BY] = stored.issued_by.to_document()
    return kept
