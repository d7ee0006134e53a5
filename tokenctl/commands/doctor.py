"""`tokenctl doctor`: what is right and what is not, before and after a deployment."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import click

from tokenctl.aws_style.options import target_options
from tokenctl.aws_style.output import Output, output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.commands.refresh import WARNING, forced
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.stack.checks import AFTER_DEPLOYMENT, BEFORE_DEPLOYMENT, Check, Examined, Finding, Level
from tokenctl.stack.deployed import Deployed
from tokenctl.stack.issuer import NAMES
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative
from tokenctl.terminal.confirm import ask

EXIT_CODES: Final = {Level.OK: 0, Level.SKIP: 0, Level.WARN: 1, Level.FAIL: 2}
COLOURS: Final = {Level.OK: "green", Level.SKIP: "bright_black", Level.WARN: "yellow", Level.FAIL: "red"}
INDENT: Final = 20
LEAST_ROOM: Final = 30
"""Characters before and for the text of a line."""

EXAMPLES: Final = """\b
Examples:
  tokenctl doctor --stage prod --before-deployment --issuer figma
  tokenctl doctor --stage prod
  tokenctl doctor --stage prod --call

\b
Exit codes: 0 all is well, 1 the worst is a WARN, 2 the worst is a FAIL.
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--before-deployment", is_flag=True, help="Only what a deployment needs.")
@click.option("--issuer", type=click.Choice(NAMES), help="With --before-deployment: the issuer that you will deploy.")
@click.option("--call", is_flag=True, help="Make one real refresh, too; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@output_options
def doctor(  # noqa: PLR0913 - one for each option
    *, target: Target, before_deployment: bool, issuer: str | None, call: bool, yes: bool, output: Output
) -> int:
    """Check account, stack, token pair and schedule: one line a check, and how to mend what is wrong.

    Changes nothing, but for --call. A check that needs another one which failed is skipped.
    """
    if issuer and not before_deployment:
        raise UsageError("--issuer goes with --before-deployment. A stack says itself what its issuer is.")
    if call:
        ask(WARNING, yes=yes)
    checks = [*BEFORE_DEPLOYMENT, *(() if before_deployment else AFTER_DEPLOYMENT)]
    if call:
        checks.append(Check("call", ("stack", "secret"), _call))
    examined = Examined(target=target, deployed=Deployed(target), now=datetime.now(UTC), issuer=issuer)
    found = []
    for name, finding in findings(checks, examined):
        found.append((name, finding))
        if not output.asked_for:
            click.echo(_line(name, finding), color=output.colored)
    if output.asked_for:
        answer = [
            {"check": name, "level": finding.level.value, "text": finding.text, "fix": finding.fix}
            for name, finding in found
        ]
        output.print("doctor", answer)
    return max(EXIT_CODES[finding.level] for _, finding in found)


def findings(checks: Iterable[Check], examined: Examined) -> Iterator[tuple[str, Finding]]:
    """Look at one thing after the other."""
    useless: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in useless]
        if missing:
            finding = Finding(Level.SKIP, f"needs `{missing[0]}`")
        else:
            try:
                finding = check.look(examined)
            except TokenctlError as error:
                finding = Finding(Level.WARN, f"cannot be read: {error}", "check your permissions")
        if finding.level in {Level.FAIL, Level.SKIP}:
            useless.add(check.name)
        yield check.name, finding


def _call(examined: Examined) -> Finding:
    try:
        report = forced(examined.target)
    except TokenctlError as error:
        return Finding(Level.FAIL, str(error), "docs/runbook.md has an entry for each error")
    return Finding(Level.OK, f"refreshed: version {report['versionId']}, expires {relative(report['expiresIn'])}")


def _line(name: str, finding: Finding) -> str:
    """Return one line; on a terminal that is too narrow for it, several, with the text in a column of its own."""
    level = click.style(f"{finding.level.value:<4}", fg=COLOURS[finding.level], bold=finding.level is Level.FAIL)
    fix = f" Fix: {finding.fix.rstrip('.')}." if finding.fix else ""
    text = f"{finding.text.rstrip('.')}.{fix}"
    if sys.stdout.isatty():
        room = max(shutil.get_terminal_size().columns - INDENT, LEAST_ROOM)
        text = f"\n{' ' * INDENT}".join(textwrap.wrap(text, room, break_on_hyphens=False))
    return f"{level}  {name:<13} {text}"
