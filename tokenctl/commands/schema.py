"""`tokenctl schema`: prints the JSON Schema of what a command prints with `--output json`."""

from importlib.resources import files
from typing import Final

import click

from tokenctl.aws_style.parser import AwsCommand

FOLDER: Final = files("tokenctl") / "schemas"
NAMES: Final = sorted(file.name.removesuffix(".json") for file in FOLDER.iterdir())

EXAMPLES: Final = """\b
Examples:
  tokenctl schema status > status.schema.json
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.argument("command", type=click.Choice(NAMES), metavar="COMMAND")
def schema(command: str) -> None:
    """Print the JSON Schema (2020-12) of what a command prints with --output json.

    Later versions may add keys, so allow for keys that the schema does not name.
    """
    click.echo((FOLDER / f"{command}.json").read_text(encoding="utf-8"), nl=False)
