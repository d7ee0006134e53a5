"""Takes the pictures of the docs from real commands on the local cloud: `make pictures`."""

import io
import json
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from local.cdk_cli import ROOT
from local.cloud import LocalCloud
from local.deployment import Deployment, TokenctlFailedError, deploy, pair_of
from local.standin.grants import CLIENT_ID, CLIENT_SECRET

FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 84
TENANTS: Final = ("acme", "blue", "cobalt")
CONNECTIONS: Final = 12
"""How many connections each tenant has."""
CONTEXT: Final = {"issuer": "figma", "schedule": "rate(6 hours)"}


def take(name: str, command: str, shown: str, *, folder: Path = FOLDER, width: int = WIDTH) -> Path:
    """Draw what a command printed, in colour, as a terminal that is wide enough. Return the picture's path."""
    text = Text.from_ansi(shown.rstrip())
    width = max(width, *map(len, text.plain.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(text)
    drawn = console.export_svg(title=command, unique_id=name)
    # The typeface would come from a CDN; every machine has another one of fixed width.
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    drawn = "\n".join(line.rstrip() for line in drawn.splitlines() if line.strip())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    path.write_text(f"{drawn}\n", encoding="utf-8")
    return path


def healthy(cloud: LocalCloud) -> Deployment:
    """Return a deployment that has just refreshed its pair and has nothing to complain about."""
    cloud.cdk().bootstrap()
    deployment = deploy(cloud, context=CONTEXT)
    credentials = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
    deployment.tokenctl("app-credentials", "--yes", stdin=credentials)
    deployment.tokenctl("seed", "--yes", stdin=pair_of(cloud.standin.grant(), expires_in=timedelta(hours=1)))
    deployment.tokenctl("tick")
    _calm(cloud)
    return deployment


def fleet(cloud: LocalCloud) -> Deployment:
    """Return the same deployment with a fleet: some connections are not due, one is paused, and one was refused."""
    deployment = deploy(cloud, context={**CONTEXT, "connections": "true"})
    lines = [_line(cloud, f"{tenant}/u{number}") for tenant in TENANTS for number in range(1, CONNECTIONS + 1)]
    deployment.tokenctl("connections", "import", "--from", "-", stdin="\n".join(lines))
    cloud.standin.revoke(user=f"{TENANTS[0]}/u1")
    for change, name in (
        ("refresh", f"{TENANTS[0]}/u1"),
        ("refresh", f"{TENANTS[1]}/u2"),
        ("pause", f"{TENANTS[2]}/u3"),
    ):
        with suppress(TokenctlFailedError):  # the refused one
            deployment.tokenctl("connections", change, name, "--yes")
    _calm(cloud)
    return deployment


def _calm(cloud: LocalCloud) -> None:
    """Give each alarm the state that it has after some minutes on AWS. The local AWS leaves it without one."""
    alarms = cloud.client("cloudwatch")
    for alarm in alarms.describe_alarms()["MetricAlarms"]:
        alarms.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="as after some minutes")


def _line(cloud: LocalCloud, name: str) -> str:
    pair = json.loads(pair_of(cloud.standin.grant(user=name), expires_in=timedelta(days=60)))
    return json.dumps({"connection": name, **pair})


def main() -> None:
    """Take every picture."""
    with LocalCloud.start(ROOT / ".local-cloud" / "pictures") as cloud:
        for prepared, pictures in (
            (healthy, {"status": ("status",)}),
            (fleet, {"fleet": ("status",), "connections": ("connections", "list", "--tenant", TENANTS[0])}),
        ):
            deployment = prepared(cloud)
            for name, words in pictures.items():
                shown = deployment.tokenctl(*words, "--color", "on", width=WIDTH)
                path = take(name, " ".join(("tokenctl", *words)), shown)
                print(path.relative_to(ROOT))  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
