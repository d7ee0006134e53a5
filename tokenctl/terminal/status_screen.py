"""The report of `tokenctl status`, drawn with Rich."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from refresh_token.environment import STATIC
from tokenctl.stack.deployed_stack import short_alarm_name
from tokenctl.stack.token_life import duration, meaning, relative, relative_to
from tokenctl.stack.verdict import Health, Verdict
from tokenctl.terminal.fleet_screen import draw_fleet

BAR_LENGTH: Final = 36
MAX_VERSIONS: Final = 5
MAX_VERSIONS_WATCHED: Final = 2
"""With `--watch`, the screen must fit into a terminal of 24 lines, which cannot scroll back."""
VERSION_ID_LENGTH: Final = 13
"""Characters of a version id that are shown."""

Row = tuple[str, Any, Callable[[Any, datetime], RenderableType]]
"""The label of a part, the part of the report, and what draws it."""

COLOURS: Final[dict[str, str]] = {
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
    Health.HEALTHY: "bold green",
    Health.DEGRADED: "bold yellow",
    Health.DEAD: "bold red",
}


def render(report: dict[str, Any], *, interval: float | None = None) -> RenderableType:
    """Return the screen; `interval` is the number of seconds until it is drawn again."""
    now = datetime.fromisoformat(report["readAt"])
    repeated = "" if interval is None else f", every {interval:g} s; Ctrl-C ends"
    title = Text.assemble(
        (report["stack"], "bold"), f" in {report['region']}", (f"  {report['readAt']}{repeated}", "dim")
    )
    verdict = Verdict(health=Health(report["verdict"]["health"]), text=report["verdict"]["text"])
    watched = interval is not None
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for label, part, render_part in (
        *((("connections", report["fleet"], draw_fleet),) if "fleet" in report else ()),
        *_of_pair(report, watched=watched),
        ("alarms", report["alarms"], lambda part, now: _alarms(part, now, short=watched)),
        ("dead letters", report["deadLetterQueue"], _dead_letters),
    ):
        unreadable = isinstance(part, dict) and "error" in part
        rows.add_row(label, Text(part["error"], style="red") if unreadable else render_part(part, now))
    return Group(title, Text(str(verdict), style=COLOURS[verdict.health]), rows)


def _of_pair(report: dict[str, Any], *, watched: bool) -> Iterator[Row]:
    """Return the rows about the pair and its schedule: fewer beside connections, of which one may be the pair."""
    token, beside = report["token"], "fleet" in report
    if beside and (token.get("notSeeded") or token.get("movedTo")):
        return iter([("token", {"of": token.get("movedTo")}, _unused)])
    failed = bool(token.get("failure"))
    rows: tuple[Row, ...] = (
        ("issuer", report["issuerTitle"], lambda name, _now: Text(name)),
        ("token", report["token"], lambda part, now: _token(part, now, report["issuer"])),
        ("versions", report["versions"], lambda part, now: _versions(part, now, short=watched)),
        ("last outcome", report["lastOutcome"], lambda part, now: _outcome(part, now, current=failed)),
        ("failures", report["failures"], _failures),
        ("schedule", report["schedule"], _schedule),
    )
    return (row for row in rows if not (watched and beside and row[0] in {"issuer", "versions"}))


def _unused(token: dict[str, Any], _now: datetime) -> Text:
    text = f"it is the connection {token['of']}" if token["of"] else "none: this stack keeps connections only"
    return Text(text, "dim")


def _token(token: dict[str, Any], now: datetime, issuer: object) -> Text:
    window = token["window"]
    says = meaning(token, static=issuer == STATIC, on_demand=token["onDemand"], failure=token["failure"])
    if token["mismatch"]:
        says = "it cannot be refreshed: sign in again"
    text = Text.assemble((window, COLOURS[window]), f": {says}\n")
    if token["mismatch"]:
        text.append(f"{token['mismatch']}\n", COLOURS["failed"])
    if token["lifeUsed"] is not None:
        left = 1 - token["lifeUsed"]
        filled = round(left * BAR_LENGTH)
        text.append("━" * filled, COLOURS[window]).append("─" * (BAR_LENGTH - filled), "dim")
        text.append(f" life left: {left:.0%} of {duration(token['lifetimeSeconds'])}\n")
    if token["expiresAt"] is not None:
        word = "expires" if token["secondsLeft"] > 0 else "expired"
        text.append(f"{word} {token['expiresAt']} ({relative(token['secondsLeft'])})\n")
    if token["refreshedAt"] is not None:
        text.append(f"issued {token['refreshedAt']} ({relative_to(now, token['refreshedAt'])})\n")
    if token["issuedBy"] is not None:
        text.append(f"belongs to {token['issuedBy']['issuer']} ({token['issuedBy']['host']})\n")
    if token["grantEndsAt"] is not None:
        left = datetime.fromisoformat(token["grantEndsAt"]) - now
        urgency = COLOURS["advisory"] if token["grantEnding"] else ""
        text.append(f"the grant ends {token['grantEndsAt']} ({relative(left.total_seconds())})\n", urgency)
    text.rstrip()
    return text


def _versions(versions: list[dict[str, Any]], now: datetime, *, short: bool) -> Text:
    shown = MAX_VERSIONS_WATCHED if short else MAX_VERSIONS
    lines = [
        Text.assemble(
            f"{version['versionId'][:VERSION_ID_LENGTH]} ",
            (" ".join(version["stages"]), "bold" if "AWSCURRENT" in version["stages"] else "dim"),
            f" stored {relative_to(now, version['createdAt'])}",
        )
        for version in versions[:shown]
    ]
    if len(versions) > shown and not short:
        lines.append(Text(f"and {len(versions) - shown} more; see --output json", style="dim"))
    return Text("\n").join(lines) if lines else Text("none")


def _outcome(outcome: dict[str, Any] | None, now: datetime, *, current: bool) -> Text:
    if outcome is None:
        return Text("no refresh in the log yet")
    word = outcome["outcome"]
    earlier = word == "failed" and not current
    text = Text.assemble((word, "dim" if earlier else COLOURS[word]), f" {outcome['at']}")
    text.append(f" ({relative_to(now, outcome['at'])}{', for an earlier version' if earlier else ''})")
    if outcome["reason"]:
        text.append(f"\n{outcome['reason']}: {outcome['detail']}")
    return text


def _failures(failures: dict[str, Any], now: datetime) -> Text:
    span = f"in the last {duration((now - datetime.fromisoformat(failures['since'])).total_seconds())}"
    found = ", ".join(f"{count} {reason}" for reason, count in sorted(failures["byReason"].items()))
    return Text.assemble((found or "none", COLOURS["failed"] if found else ""), f" {span}")


def _schedule(schedule: dict[str, Any], now: datetime) -> Text:
    text = Text.assemble((schedule["state"], COLOURS.get(schedule["state"], "")), f" {schedule['expression']}")
    if schedule["stopped"] and schedule["state"] == "ENABLED":
        return text.append(f"\n{schedule['stopped']}", COLOURS["failed"])
    if schedule["nextRun"]:
        text.append(f"\nnext run about {schedule['nextRun']} ({relative_to(now, schedule['nextRun'])})")
    elif schedule["state"] == "ENABLED":
        text.append(f" {schedule['timezone']}")
    return text


def _alarms(alarms: list[dict[str, Any]], now: datetime, *, short: bool) -> Text:
    """Return the alarms in the state ALARM one by one, and the names of the others by state; if short, a line each."""
    lines = []
    by_state: dict[str, dict[str, None]] = {}  # a fleet's composite alarms have the names of the stack's
    for alarm in alarms:
        name = short_alarm_name(alarm["name"])
        if short or alarm["state"] != "ALARM":
            by_state.setdefault(alarm["state"], {})[name] = None
            continue
        line = Text.assemble((alarm["state"], COLOURS["ALARM"]), f" {name}")
        line.append(f" {relative_to(now, alarm['since']) if alarm['since'] else ''}\n  {alarm['description'] or ''}")
        lines.append(line)
    for state in sorted(by_state):
        names = str(len(by_state[state])) if short and state != "ALARM" else ", ".join(by_state[state])
        lines.append(Text.assemble((state, COLOURS.get(state, "")), f" {names}"))
    return Text("\n").join(lines) if lines else Text("none")


def _dead_letters(queue: dict[str, Any], _now: datetime) -> Text:
    count = queue["messages"]
    return Text("empty") if count == 0 else Text(f"{count} waiting", style="bold red")
