"""Takes the pictures of the docs from real commands on the local cloud: `make pictures`."""

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from local.cdk_cli import ROOT
from local.cloud import LocalCloud
from local.deployment import Deployment, deploy, pair_of
from local.standin.grants import CLIENT_ID, CLIENT_SECRET

FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 84
CONTEXT: Final = {"issuer": "figma", "schedule": "rate(6 hours)"}


def take(name: str, command: str, shown: str, *, folder: Path = FOLDER, width: int = WIDTH) -> Path:
    """Draw what a command printed, in colour, as a terminal. Return the picture's path."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown.rstrip()))
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
    alarms = cloud.client("cloudwatch")
    for alarm in alarms.describe_alarms()["MetricAlarms"]:  # the local AWS leaves them without a state
        alarms.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="as after some minutes")
    return deployment


def main() -> None:
    """Take every picture."""
    with LocalCloud.start(ROOT / ".local-cloud" / "pictures") as cloud:
        shown = healthy(cloud).tokenctl("status", "--color", "on", width=WIDTH)
    print(take("status", "tokenctl status", shown).relative_to(ROOT))  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
