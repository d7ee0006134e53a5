"""`tokenctl revoke`: ends the grant at the provider, and stops the refreshes."""

from datetime import UTC, datetime
from typing import Final

import click

from refresh_token.core.ports import StoredPair
from refresh_token.core.windows import iso_utc
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import ConfigurationError, TokenctlError
from tokenctl.sign_in.revocation import NOTHING_CHANGED, Revocation, plan_revocation
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import issuer_title, renewal_command
from tokenctl.stack.pair_secret import mark_revoked, mismatch, read_pair
from tokenctl.stack.target import Target
from tokenctl.terminal.confirm import confirm

MAX_PAIRS: Final = 3
"""How many pairs are revoked in a row, if the function refreshes meanwhile."""

SAMPLE: Final = {"stack": "stack", "secretArn": "arn", "versionId": "version", "revokedAt": "2030-01-01T00:00:00Z"}
"""The answer of the command, to test a query with."""

EXAMPLES: Final = """\b
Examples:
  tokenctl revoke --stage prod
  The user has ended the access on the provider's page:
    tokenctl revoke --stage prod --mark-only
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--mark-only", is_flag=True, help="Ask the provider for nothing: the grant has ended there already.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@output_options
def revoke(*, target: Target, mark_only: bool, yes: bool, output: Output) -> None:
    """End the grant at the provider, and stop the refreshes.

    Afterwards the secret holds no token. Consumers get ReauthorizationRequiredException until somebody signs in again.
    If the provider has no address for it (RFC 7009), says where to end the access by hand. If it refuses, nothing
    changes.
    """
    output.check("revoke", SAMPLE)
    deployed = DeployedStack(target)
    if deployed.settings.spends == "nothing" and not deployed.settings.static:
        raise ConfigurationError(
            f"The app itself gets the tokens of {target.stack_name}, so nobody has granted anything that could be "
            "revoked. Delete the app or its secret at the provider."
        )
    stored = read_pair(deployed)
    revocation = None if mark_only else _plan(deployed, stored)
    confirm(
        f"This ends the access of {target.stack_name} to {issuer_title(deployed)}. Its tokens stop working, and "
        "consumers get errors until somebody signs in again.",
        yes=yes,
    )
    if revocation:
        stored = _revoke(deployed, stored, revocation)
    at = datetime.now(UTC)
    try:
        version_id = mark_revoked(deployed, stored.pair, at)
    except TokenctlError as error:
        raise type(error)(
            f"The grant is revoked, but the secret still holds its tokens: {error} Fix that, then run `tokenctl revoke "
            f"--mark-only {target.option}`."
        ) from None
    if output.is_structured:
        names = {"stack": target.stack_name, "secretArn": target.secret_arn}
        output.print("revoke", {**names, "versionId": version_id, "revokedAt": iso_utc(at)})
        return
    done = "Marked the grant as revoked" if mark_only else "Revoked the grant"
    click.echo(f"{done}: version {version_id} of {target.secret_arn} holds no token.")
    click.echo(f"To start again: `{renewal_command(deployed)}`.")


def _plan(deployed: DeployedStack, stored: StoredPair) -> Revocation:
    if problem := mismatch(deployed, stored.pair):
        raise ConfigurationError(f"The grant cannot be revoked with these settings: {problem}. {NOTHING_CHANGED}")
    return plan_revocation(deployed, stored.pair, marks=f"tokenctl revoke --mark-only {deployed.target.option}")


def _revoke(deployed: DeployedStack, stored: StoredPair, revocation: Revocation) -> StoredPair:
    """Revoke the stored pair, and one that the function has stored meanwhile; return the last one."""
    for _ in range(MAX_PAIRS):
        revocation(stored.pair)
        current = read_pair(deployed)
        if current.version_id == stored.version_id:
            break
        stored = current
    return stored
