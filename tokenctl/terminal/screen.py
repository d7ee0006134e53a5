"""The report of `tokenctl status`, drawn with Rich."""

from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from refresh_token.windows import Window
from tokenctl.stack.deployed import short_name
from tokenctl.stack.token_life import MEANING, relative, since

BAR: Final = 40
MOST_VERSIONS: Final = 5
SHOWN: Final = 13
"""Characters of a version id."""

COLOURS: Final = {
    "fresh": "green",
    "advisory": "yellow",
    "mandatory": "red",
    "expired": "bold red",
    "unknown": "yellow",
    "OK": "green",
    "ALARM": "bold red",
    "INSUFFICIENT_DATA": "dim",
    "ENABLED": "green",
    "DISABLED": "bold red",
    "refreshed": "green",
    "failed": "bold red",
}


def drawn(report: dict[str, Any], *, every: float | None = None) -> RenderableType:
    """Return the screen; `every` says how often it is drawn."""
    now = datetime.fromisoformat(report["readAt"])
    rhythm = "" if every is None else f", every {every:g} s; Ctrl-C ends"
    title = Text.assemble(
        (report["stack"], "bold"), f" in {report['region']}", (f"  {report['readAt']}{rhythm}", "dim")
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for label, part, draw in (
        ("issuer", report["issuer"], lambda name, _now: Text(name)),
        ("token", report["token"], _token),
        ("versions", report["versions"], _versions),
        ("last outcome", report["lastOutcome"], _outcome),
        ("schedule", report["schedule"], _schedule),
        ("alarms", report["alarms"], _alarms),
        ("dead letters", report["deadLetterQueue"], _dead_letters),
    ):
        unreadable = isinstance(part, dict) and "error" in part
        rows.add_row(label, Text(part["error"], style="red") if unreadable else draw(part, now))
    return Group(title, rows)


def _token(token: dict[str, Any], now: datetime) -> Text:
    window = token["window"]
    text = Text.assemble((window, COLOURS[window]), f": {MEANING[Window(window)]}\n")
    if token["lifeUsed"] is not None:
        used = round(token["lifeUsed"] * BAR)
        text.append("━" * used, COLOURS[window]).append("─" * (BAR - used), "dim")
        text.append(f" {token['lifeUsed']:.0%} of {relative(token['lifetimeSeconds']).removeprefix('in ')}\n")
    if token["expiresAt"] is not None:
        word = "expires" if token["secondsLeft"] > 0 else "expired"
        text.append(f"{word} {token['expiresAt']} ({relative(token['secondsLeft'])})\n")
    if token["refreshedAt"] is not None:
        text.append(f"refreshed {token['refreshedAt']} ({since(token['refreshedAt'], now)})\n")
    text.rstrip()
    return text


def _versions(versions: list[dict[str, Any]], now: datetime) -> Text:
    lines = [
        Text.assemble(
            f"{version['versionId'][:SHOWN]} ",
            (" ".join(version["stages"]), "bold" if "AWSCURRENT" in version["stages"] else "dim"),
            f" stored {since(version['createdAt'], now)}",
        )
        for version in versions[:MOST_VERSIONS]
    ]
    if len(versions) > MOST_VERSIONS:
        lines.append(Text(f"and {len(versions) - MOST_VERSIONS} more; see --output json", style="dim"))
    return Text("\n").join(lines) if lines else Text("none")


def _outcome(outcome: dict[str, Any] | None, now: datetime) -> Text:
    if outcome is None:
        return Text("no refresh in the log yet")
    word = outcome["outcome"]
    text = Text.assemble((word, COLOURS[word]), f" {outcome['at']} ({since(outcome['at'], now)})")
    if outcome["reason"]:
        text.append(f"\n{outcome['reason']}: {outcome['detail']}")
    return text


def _schedule(schedule: dict[str, Any], now: datetime) -> Text:
    text = Text.assemble((schedule["state"], COLOURS.get(schedule["state"], "")), f" {schedule['expression']}")
    if schedule["nextRun"]:
        text.append(f"\nnext run about {schedule['nextRun']} ({since(schedule['nextRun'], now)})")
    elif schedule["state"] == "ENABLED":
        text.append(f" {schedule['timezone']}")
    return text


def _alarms(alarms: list[dict[str, Any]], now: datetime) -> Text:
    """Each that rings on its own lines, the others by state."""
    lines = []
    quiet: dict[str, list[str]] = {}
    for alarm in alarms:
        if alarm["state"] != "ALARM":
            quiet.setdefault(alarm["state"], []).append(short_name(alarm["name"]))
            continue
        line = Text.assemble((alarm["state"], COLOURS["ALARM"]), f" {short_name(alarm['name'])}")
        line.append(f" {since(alarm['since'], now) if alarm['since'] else ''}\n  {alarm['description'] or ''}")
        lines.append(line)
    lines += [Text.assemble((state, COLOURS.get(state, "")), f" {', '.join(quiet[state])}") for state in sorted(quiet)]
    return Text("\n").join(lines) if lines else Text("none")


def _dead_letters(queue: dict[str, Any], _now: datetime) -> Text:
    count = queue["messages"]
    return Text("empty") if count == 0 else Text(f"{count} waiting", style="bold red")
