"""`tokenctl doctor`: checks the account, the stack and the token, before and after a deployment."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import click

from refresh_token.errors import ReauthorizationRequiredException
from refresh_token.oauth import catalogue
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.issuers import NAMES
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import watched_target_options
from tokenctl.checks.check import Check, Finding, Level, Subject, perform_checks
from tokenctl.checks.probe import provider_host
from tokenctl.checks.table import AFTER_DEPLOYMENT, BEFORE_DEPLOYMENT, FLEET, FLEET_ALONE, PROBE, SERVING, SERVING_FLEET
from tokenctl.commands.refresh import WARNING, force_refresh
from tokenctl.connections.fleet import has_fleet
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.sign_in.options import validate_address
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import sign_in_command
from tokenctl.stack.status_report import is_unused, judge, token_report
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative
from tokenctl.stack.verdict import Health, Verdict
from tokenctl.terminal.columns import in_column
from tokenctl.terminal.confirm import confirm

EXIT_CODES: Final = {Level.OK: 0, Level.SKIP: 0, Level.WARN: 1, Level.FAIL: 2}
COLOURS: Final = {Level.OK: "green", Level.SKIP: "bright_black", Level.WARN: "yellow", Level.FAIL: "red"}
VERDICT_LEVELS: Final = {Health.HEALTHY: Level.OK, Health.DEGRADED: Level.WARN, Health.DEAD: Level.FAIL}
MENDED_BY_CALL: Final = frozenset({"window", "grant", PROBE.name})
INDENT: Final = 20
"""Characters of a line before its text."""

EXAMPLES: Final = """\b
Examples:
  tokenctl doctor --stage prod --before-deployment --issuer figma
  tokenctl doctor --stage prod
  tokenctl doctor --stage prod --probe
  tokenctl doctor --stage prod --call

\b
Exit codes, whatever --output is:
  0    HEALTHY, and no check found anything that needs attention now
  1    DEGRADED, or a check found a WARN
  2    DEAD, or a check found a FAIL
  252  the command line is wrong
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.option("--before-deployment", is_flag=True, help="Check only what a deployment needs.")
@click.option(
    "--issuer",
    type=click.Choice((*NAMES, *catalogue.names())),
    metavar="NAME",
    help="With --before-deployment: the issuer that you will deploy.",
)
@click.option("--probe", is_flag=True, help="Ask the provider whether it accepts the stored token. Refreshes nothing.")
@click.option("--probe-url", metavar="URL", help="The same, at this address of the provider's API.")
@click.option("--call", is_flag=True, help="Make one real refresh as well, after a question.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@watched_target_options
@output_options
def doctor(  # noqa: PLR0913 - one for each option
    *,
    target: Target,
    before_deployment: bool,
    issuer: str | None,
    probe: bool,
    probe_url: str | None,
    call: bool,
    yes: bool,
    output: Output,
) -> int:
    """Check account, stack, token pair and schedule: one line for each check, with how to fix what is wrong.

    Changes nothing, except with --call. Skips a check if one that it needs has failed.
    """
    probe = probe or probe_url is not None
    _check_options(before_deployment=before_deployment, issuer=issuer, tries_token=probe or call)
    deployed = DeployedStack(target)
    if probe_url is not None:
        _confirm_address(deployed, probe_url, yes=yes)
    if call:
        output.check("doctor", [{"check": "call", "level": "OK", "text": "text", "fix": ""}])
        confirm(WARNING, yes=yes)
    checks = (*BEFORE_DEPLOYMENT, *(() if before_deployment else _after_deployment(target)))
    checks += (PROBE,) if probe else ()
    subject = Subject(
        target=target, deployed=deployed, now=datetime.now(UTC), planned_issuer=issuer, probe_url=probe_url
    )
    found: dict[str, Finding] = {}

    def tell(name: str, finding: Finding) -> None:
        found[name] = finding
        if not output.is_structured:
            click.echo(_line(name, finding), color=output.colored)

    for name, finding in perform_checks(checks, subject):
        tell(name, finding)
    if call:  # only now: it changes what the other checks look at
        subject = _call(checks, subject, found, tell)
    findings = [(name, found[name]) for name in (*(check.name for check in checks), "call") if name in found]
    verdict = None if before_deployment else _verdict(subject, findings)
    if verdict is not None:
        findings.append(("verdict", Finding(VERDICT_LEVELS[verdict.health], str(verdict))))
    if output.is_structured:
        output.print("doctor", [finding.to_document(name) for name, finding in findings])
    elif verdict is not None:
        _print_verdict(verdict, output)
    return max(EXIT_CODES[finding.level] for _, finding in findings if finding.urgent)


def _call(
    checks: tuple[Check, ...], subject: Subject, found: dict[str, Finding], tell: Callable[[str, Finding], None]
) -> Subject:
    """Make a refresh and, if it succeeds, perform the checks again that it may have mended; return their subject."""
    missing = [need for need in ("stack", "secret") if found[need].blocks]
    tell("call", Finding(Level.SKIP, f"needs `{missing[0]}`") if missing else _check_call(subject))
    if found["call"].level is not Level.OK:
        return subject
    target = replace(subject.target)  # a copy remembers nothing of what was there before
    after = replace(subject, target=target, deployed=DeployedStack(target))
    red = [check for check in checks if check.name in MENDED_BY_CALL and EXIT_CODES[found[check.name].level]]
    for name, finding in perform_checks([replace(check, needs=()) for check in red], after):
        tell(name, finding)
    return after


def _after_deployment(target: Target) -> tuple[Check, ...]:
    """Return the checks of what is deployed: a pair, and connections if there are any."""
    try:
        if target.fleet_function is not None:
            return FLEET_ALONE
        return (*AFTER_DEPLOYMENT, *(FLEET if has_fleet(target) else ()))
    except TokenctlError:
        return AFTER_DEPLOYMENT  # the first of them says why nothing can be read


def print_what_is_left(target: Target, output: Output) -> Verdict:
    """Print what the checks still find, and the verdict: to standard error if that is not what was asked for."""
    subject = Subject(target=target, deployed=DeployedStack(target), now=datetime.now(UTC))
    findings = list(perform_checks((*BEFORE_DEPLOYMENT, *_after_deployment(target)), subject))
    for name, finding in findings:
        if EXIT_CODES[finding.level]:
            click.echo(_line(name, finding), color=output.colored, err=output.is_structured)
    verdict = _verdict(subject, findings)
    _print_verdict(verdict, output)
    return verdict


def _print_verdict(verdict: Verdict, output: Output) -> None:
    colour = COLOURS[VERDICT_LEVELS[verdict.health]]
    line = click.style(str(verdict), fg=colour, bold=True)
    click.echo(line, color=output.colored, err=output.is_structured)


def _verdict(subject: Subject, findings: list[tuple[str, Finding]]) -> Verdict:
    """Return the verdict of `tokenctl status`, with the names of the checks that found something."""
    rejected = any(name == PROBE.name and finding.level is Level.FAIL for name, finding in findings)
    failure = subject.failure
    token = token_report(subject.deployed, subject.now, lambda: subject.stored, failure)
    names = [name for name, finding in findings if finding.urgent and EXIT_CODES[finding.level]]
    vital = {check.name for check in (*SERVING, *SERVING_FLEET)}
    failed = {name: finding.to_document(name) for name, finding in findings if finding.level is Level.FAIL}
    stopped = [document for name, document in failed.items() if name in vital]
    failing = [document for name, document in failed.items() if name in {"errors", "connections"}]
    troubles = [f"see {', '.join(names)}"] if names else []
    unused = is_unused(token) and any(check.name in {name for name, _ in findings} for check in FLEET)
    return judge(subject.deployed, {**token, "rejected": rejected, "unused": unused}, troubles, stopped, failing)


def _check_options(*, before_deployment: bool, issuer: str | None, tries_token: bool) -> None:
    if issuer and not before_deployment:
        raise UsageError("--issuer needs --before-deployment. A deployed stack says which issuer it has.")
    if before_deployment and tries_token:
        raise UsageError("--before-deployment goes with neither --probe nor --call: there is no token to try yet.")


def _confirm_address(deployed: DeployedStack, url: str, *, yes: bool) -> None:
    """Ask whether the token may go to an address whose host is not known as its provider's."""
    validate_address(url, "--probe-url")
    known, host = provider_host(deployed), authority(url)
    if known != host:
        but = f", but its issuer is {known}" if known else ""
        confirm(f"The access token goes to {host}{but}. Go on only if that is the token's provider.", yes=yes)


def _check_call(subject: Subject) -> Finding:
    try:
        report = force_refresh(subject.target)
    except TokenctlError as error:
        refused = f"({ReauthorizationRequiredException.__name__})" in str(error)
        fix = f"`{sign_in_command(subject.deployed)}`" if refused else f"see `tokenctl errors {subject.target.option}`"
        return Finding(Level.FAIL, str(error), fix)
    return Finding(Level.OK, f"refreshed: version {report['versionId']}, expires {relative(report['expiresIn'])}")


def _line(name: str, finding: Finding) -> str:
    """Return one line. On a narrow terminal, the text is wrapped into a column of its own."""
    level = click.style(f"{finding.level.value:<4}", fg=COLOURS[finding.level], bold=finding.level is Level.FAIL)
    fix = f" Fix: {finding.fix.rstrip('.')}." if finding.fix else ""
    text = in_column(f"{finding.text.rstrip('.')}.{fix}", indent=INDENT)
    return f"{level}  {name:<13} {text}"
