"""`tokenctl completion`: prints the script that lets a shell complete tokenctl's commands and options."""

from typing import Final

import click
from click.shell_completion import get_completion_class

from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import TokenctlError

EXAMPLES: Final = """\b
Examples:
  eval "$(tokenctl completion bash)"        # in ~/.bashrc
  eval "$(tokenctl completion zsh)"         # in ~/.zshrc
  tokenctl completion fish > ~/.config/fish/completions/tokenctl.fish
"""


@click.command("completion", cls=AwsCommand, epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover - click has all three
        raise TokenctlError(f"There is no completion for {shell}.")
    click.echo(kind(ctx.find_root().command, {}, "tokenctl", "_TOKENCTL_COMPLETE").source())
