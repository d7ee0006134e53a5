"""`tokenctl import-key`: imports the private key of your own app."""

from pathlib import Path
from typing import Final

import click

from refresh_token.oauth.variables import SIGNING_KEY
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import target_options
from tokenctl.errors import ConfigurationError, UsageError
from tokenctl.stack.target import Target
from tokenctl.terminal.secret_input import prompt_hidden
from tokenctl.terminal.standard_input import is_terminal

EXAMPLES: Final = """\b
Examples:
  tokenctl import-key app.pem --stage prod
"""


@click.command("import-key", cls=AwsCommand, epilog=EXAMPLES)
@click.argument("file", type=click.Path())
@target_options
@output_options
def import_key(*, file: str, target: Target, output: Output) -> None:
    """Import the private key of your own app, from a PEM file, into the stack's KMS key.

    For providers that want signed JWTs. The key is encrypted for KMS on this machine, and nobody can get it out of KMS
    again. Asks for the passphrase of an encrypted file.
    """
    from tokenctl.stack.import_key import import_key as import_into
    from tokenctl.stack.import_key import kind_of, read_private_key

    arn = target.function_variables.get(SIGNING_KEY)
    if not arn:
        raise ConfigurationError(f"The {target.label} has no key to import into: its issuer signs nothing with one.")
    output.check("import-key", {"keyArn": arn, "kind": "RSA_2048"})
    try:
        pem = Path(file).read_bytes()
    except OSError as error:
        fault = error.strerror
    else:
        key = read_private_key(pem, _passphrase)
        import_into(target.aws, arn, key)
        if output.is_structured:
            output.print("import-key", {"keyArn": arn, "kind": kind_of(key)})
        else:
            click.echo(f"Imported the private key ({kind_of(key)}) into {arn}.")
        click.echo(f"{file} still holds the private key: store it safely, or delete it.", err=True)
        return
    raise UsageError(f"The file with the private key cannot be read ({fault}).")


def _passphrase() -> str:
    if not is_terminal():
        raise UsageError("The private key is encrypted, and nobody can type its passphrase here. Use a terminal.")
    return prompt_hidden("Passphrase of the private key")
