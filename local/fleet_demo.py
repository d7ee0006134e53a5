"""The fleet's demo: many connections at a provider that limits its rate, fails and refuses, and a worker that dies."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.cloud import LocalCloud
from local.demo_step import check, step
from local.deployment import Deployment, deploy
from local.fleet_fates import Connection, by_fate, check_all
from local.fleet_watch import Watch
from local.process_by_port import process_with_port
from local.standin import Counts, Grant
from local.standin.rate_limit import REFRESHES

MIN_SIZE: Final = 20
MAX_SIZE: Final = 10_000

PROVIDER: Final = "figma"
ABOUT_TO_EXPIRE: Final = timedelta(minutes=10)
RATE_LIMIT: Final = 9
"""Refreshes a second that the provider allows. The fleet may make 10."""
FAILING: Final = 0.05
"""The share of calls that the provider answers with 503."""
REFUSED: Final = 0.04
"""The share of users who revoke the access."""
LOST_ANSWER_SECONDS: Final = 10.0
"""How long the answer takes whose worker is killed."""

PATIENCE: Final = timedelta(minutes=20)
"""For what does not depend on the size: the first tick, the lease of the killed worker, and some retries."""
LINE_SECONDS: Final = 10.0
"""How often it prints a line if there is no terminal."""


class FleetDemo:
    """One run."""

    def __init__(self, console: Console, cloud: LocalCloud) -> None:
        self._console = console
        self._cloud = cloud

    def run(self, size: int) -> None:
        """Deploy, then `play`. Raises `DemoFailedError` if a result is not what it should be."""
        cloud = self._cloud
        self._console.print(
            f"Local AWS (MiniStack): {cloud.url}. Stand-in for the provider: {cloud.standin.url}.", soft_wrap=True
        )
        with step(self._console, "cdk bootstrap"):
            cloud.cdk().bootstrap()
        with step(self._console, "cdk deploy -c stage=local -c connections=true"):
            deployment = deploy(cloud, context={"connections": "true"})
        self.play(deployment, size)

    def play(self, deployment: Deployment, size: int, *, between: Callable[[Watch], None] = lambda _: None) -> None:
        """Import connections, let the provider misbehave, and watch until all is settled; then check everything.

        `between` is called between two looks. Raises `DemoFailedError` and `TimeoutError`.
        """
        standin, names = self._cloud.standin, [f"team{number % 9}/user{number}" for number in range(size)]
        refused, victim = names[:: round(1 / REFUSED)], names[1]
        with step(self._console, f"{size} users sign in, and their tokens expire in {ABOUT_TO_EXPIRE}"):
            grants = standin.grant_many(names, expires_in=int(ABOUT_TO_EXPIRE.total_seconds()))
        with step(self._console, f"tokenctl connections import --from grants.jsonl ({size} lines)"):
            _import(deployment, grants)
        self._console.print(
            f"     The provider now allows {RATE_LIMIT} refreshes a second and answers every {round(1 / FAILING)}th "
            f"call with 503. {len(refused)} users revoke the access.\n     The answer for {victim} takes "
            f"{LOST_ANSWER_SECONDS:.0f} seconds, in which its worker is killed. What this worker held comes again when "
            "its lease ends, after five minutes.",
            soft_wrap=True,
        )
        for operation in REFRESHES:
            standin.fail(operation, user=victim, after=True, delay=LOST_ANSWER_SECONDS)
            standin.fail(operation, status=503, share=FAILING, times=None)
        standin.set_rate_limit(RATE_LIMIT)
        for name in refused:
            standin.revoke(user=name)
        watch = Watch(deployment, names, {one.user: one.access_token for one in grants}, refused)
        self._watch(watch, victim, between)
        counted = standin.counts()
        live = {grant.user: grant for grant in standin.grants()}
        connections = [
            Connection(
                name=name,
                state=str(item["state"]),
                access_token=str(item.get("accessToken", "")),
                counts=counted.get(name, Counts()),
                grant=live.get(name),
                was_killed=name == victim,
            )
            for name, item in watch.items.items()
        ]
        self._console.print(_table(connections))
        check("no connection is lost", len(connections) == size)
        check_all(connections, refused, counted)
        calls = sum(one.counts.calls for one in connections)
        self._console.print(
            f"The provider counted {calls} calls, and says of each of the {size} connections what the fleet says. All "
            "checks of the demo passed.",
            soft_wrap=True,
        )

    def _watch(self, watch: Watch, victim: str, between: Callable[[Watch], None]) -> None:
        """Show the fleet until every connection is refreshed or refused, and kill the worker meanwhile."""
        deadline = time.monotonic() + PATIENCE.total_seconds() + watch.size
        printed, line, killed = 0.0, "", False
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            while not (look := watch.look()).is_settled:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{look.waiting} of {watch.size} connections are not settled yet.")
                if self._console.is_terminal:
                    live.update(look.screen(), refresh=True)
                elif time.monotonic() - printed >= LINE_SECONDS and look.line() != line:
                    printed, line = time.monotonic(), look.line()
                    self._console.print(f"     {line}", soft_wrap=True)
                if not killed and (killed := self._kill_worker(victim)):
                    self._console.print(f"     Killed the worker that was refreshing {victim}.")
                between(watch)
                time.sleep(0.5)
        self._console.print(f"[green]done[/] {look.line()}", soft_wrap=True)
        check("a worker was killed", killed)

    def _kill_worker(self, victim: str) -> bool:
        """Kill the process that waits for the victim's answer. Return whether there was one."""
        for call in self._cloud.standin.calls():
            if call.user == victim and call.status is None and call.port and (pid := process_with_port(call.port)):
                os.kill(pid, signal.SIGKILL)
                return True
        return False


def _import(deployment: Deployment, grants: Sequence[Grant]) -> None:
    expires_at = (datetime.now(UTC) + ABOUT_TO_EXPIRE).isoformat()
    lines = [
        json.dumps(
            {
                "connection": grant.user,
                "provider": PROVIDER,
                "accessToken": grant.access_token,
                "refreshToken": grant.refresh_token,
                "expiresAt": expires_at,
            }
        )
        for grant in grants
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "grants.jsonl"
        file.write_text("\n".join(lines), encoding="utf-8")
        deployment.tokenctl("connections", "import", "--from", str(file))


def _table(connections: Sequence[Connection]) -> Table:
    table = Table(title="What happened to every connection, as the provider counted it", title_justify="left")
    for column in ("fate", "number", "calls", "429", "503", "issued", "live"):
        table.add_column(column, justify="left" if column == "fate" else "right")
    rows: list[tuple[str, Sequence[Connection]]] = [(fate, one) for fate, one in by_fate(connections).items() if one]
    for fate, found in [*rows, ("all", connections)]:
        counts = [one.counts for one in found]
        table.add_row(
            fate,
            str(len(found)),
            *(str(sum(getattr(one, field) for one in counts)) for field in ("calls", "limited", "failed", "refreshed")),
            str(sum(one.is_live for one in found)),
            end_section=fate != "all" and fate == rows[-1][0],
        )
    return table
