"""`tokenctl providers`: the catalogue of providers, and a check of a profile in a file."""

import json
from collections.abc import Mapping
from typing import Any, Final

import click

from refresh_token.oauth import catalogue
from refresh_token.oauth.profile import Profile
from refresh_token.oauth.profile_file import ProfileError
from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.errors import UsageError
from tokenctl.profiles.description import describe, lines, row
from tokenctl.profiles.reading import find_profile, read_file
from tokenctl.profiles.sample_requests import sample_jwt, sample_requests

ACTIONS: Final = ("list", "show", "check")

EXAMPLES: Final = """\b
Examples:
  tokenctl providers list
  tokenctl providers list --query "[?grant=='client_credentials'].name" --output text
  tokenctl providers show zendesk
  tokenctl providers check ./acme.toml
"""


@click.command(cls=AwsCommand, epilog=EXAMPLES)
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("profile", required=False)
@output_options
def providers(*, action: str, profile: str | None, output: Output) -> None:
    """List the providers of the catalogue, show one, or check the profile in a file.

    `show` takes the name of a profile or a file and tells what an operator needs. `check` takes a file: it prints a
    line for each fault, or every request that the profile would send, with {names} instead of values and secrets.
    Needs no AWS access.
    """
    if (profile is None) is not (action == "list"):
        raise UsageError("`show` and `check` take a profile, `list` takes none. See `tokenctl providers help`.")
    if action == "list":
        _list(output)
    elif action == "show":
        _show(str(profile), output)
    else:
        _check(str(profile), output)


def _list(output: Output) -> None:
    rows = [row(catalogue.load(name)) for name in catalogue.names()]
    if output.is_structured:
        output.print("providers", rows)
        return
    widths = {key: max(len(each[key]) for each in rows) for key in rows[0]}
    for each in rows:
        click.echo("  ".join(f"{text:<{widths[key]}}" for key, text in each.items()).rstrip())


def _show(named: str, output: Output) -> None:
    try:
        found = find_profile(named)
    except ProfileError as error:
        fault = UsageError(f"The profile has {_count(error.faults)}. `tokenctl providers check` lists them.")
        raise fault from None
    if output.is_structured:
        output.print("providers", describe(found))
        return
    click.secho(found.title, bold=True, color=output.colored)
    for heading, text in lines(found):
        click.echo(f"  {heading:<19}{text}")


def _check(path: str, output: Output) -> None:
    found, faults = _read(path)
    requests = sample_requests(found) if found else []
    jwt = sample_jwt(found) if found else None
    if output.is_structured:
        output.print("providers", {"valid": found is not None, "faults": faults, "requests": requests, "jwt": jwt})
    elif found:
        click.echo(f"The profile {found.name} has no faults. It sends:")
        for request in requests:
            _show_request(request)
        if jwt:
            click.echo(f"JWT signed with {jwt['alg']}")
            _show_table({"header": jwt["header"], "claims": jwt["claims"]})
    else:
        for fault in faults:
            click.echo(fault)
    if faults:
        raise UsageError(f"The profile has {_count(faults)}. Nothing can be deployed with it.")


def _read(path: str) -> tuple[Profile | None, list[str]]:
    try:
        return read_file(path), []
    except ProfileError as error:
        return None, [*error.faults]


def _show_request(request: Mapping[str, Any]) -> None:
    click.echo(f"{request['request']}: {request['method']} {request['address']} ({request['format']})")
    _show_table({f"{name}:": text for name, text in request["headers"].items()})
    _show_table({f"{name} =": text for name, text in request["parameters"].items()})


def _show_table(table: Mapping[str, Any]) -> None:
    for name, value in table.items():
        click.echo(f"    {name} {value if isinstance(value, str) else json.dumps(value)}")


def _count(faults: list[str] | tuple[str, ...]) -> str:
    return f"{len(faults)} fault{'s' * (len(faults) > 1)}"
