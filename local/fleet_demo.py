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

from local.cloud import LocalCloud
from local.demo_step import LINE_SECONDS, can_move, check, progress_of, say, step
from local.deployment import Deployment, deploy
from local.fleet_fates import Connection, check_all, table
from local.fleet_screen import clock, line, screen
from local.fleet_watch import Watch
from local.process_by_port import process_with_port
from local.standin import CLIENT_ID, CLIENT_SECRET, Counts, Grant
from local.standin.rate_limit import REFRESHES

MIN_SIZE: Final = 20
MAX_SIZE: Final = 10_000
MINUTES: Final = 5
"""Of a small fleet's demo on a machine that does nothing else."""

PROVIDER: Final = "oauth2"
"""It replaces the refresh token at each refresh, and takes a spent one for theft. So a worker takes one message at a
time, and a killed one leaves no others behind."""
ABOUT_TO_EXPIRE: Final = timedelta(minutes=10)
RATE_LIMIT: Final = 9
"""Refreshes a second that the provider allows. The fleet may make 10."""
FAILING: Final = 0.06
"""The share of the calls that the provider answers with 503, until as large a share of the connections has met one.
What is tried again then works."""
REFUSED: Final = 0.04
"""The share of users who revoke the access."""
HELD_SECONDS: Final = 30.0
"""How long the provider keeps the worker waiting that is killed."""
WORKERS: Final = 4
"""Few, because each starts with a second of work for the processor."""

PATIENCE: Final = timedelta(minutes=15)
"""How long nothing may change. A slow machine takes longer for everything, but does not stand still."""
LOOK_SECONDS: Final = 0.5


class FleetDemo:
    """One run."""

    def __init__(self, console: Console, cloud: LocalCloud) -> None:
        self._console = console
        self._cloud = cloud
        self._deployed_at = time.time()

    def run(self, size: int) -> None:
        """Deploy, then `play`. Raises `DemoFailedError` if a result is not what it should be."""
        cloud = self._cloud
        say(
            self._console,
            f"{size} connections are about to expire, and a fleet keeps them alive.\nThis takes about "
            f"{MINUTES + size // 600} minutes. The fleet waits for most of that: its dispatcher looks once a minute.",
        )
        say(self._console, f"Local AWS (MiniStack): {cloud.url}\nStand-in for the provider: {cloud.standin.url}")
        with step(self._console, "cdk bootstrap"):
            cloud.cdk().bootstrap()
        with step(self._console, "cdk deploy -c stage=local -c connections=true -c issuer=oauth2") as running:
            deployment = deploy(cloud, context=self._context(), on_line=progress_of(running))
        self._deployed_at = time.time()
        with step(self._console, "tokenctl app-credentials"):
            credentials = json.dumps({"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET})
            deployment.tokenctl("app-credentials", "--yes", stdin=credentials)
        self.play(deployment, size)

    def _context(self) -> dict[str, str]:
        return {
            "connections": "true",
            "issuer": PROVIDER,
            "oauth2_token_url": f"{self._cloud.standin.url}/oauth2/token",
            "max_workers": str(WORKERS),
            "schedule": "rate(6 hours)",  # of the secret, which stays empty
        }

    def play(self, deployment: Deployment, size: int, *, between: Callable[[Watch], None] = lambda _: None) -> None:
        """Import connections, let the provider misbehave, and watch until all is settled; then check everything.

        `between` is called between two looks. Raises `DemoFailedError` and `TimeoutError`.
        """
        standin, names = self._cloud.standin, [f"team{number % 9}/user{number}" for number in range(size)]
        refused = names[:: round(1 / REFUSED)]
        standin.set_rotation(on=True)
        grants = standin.grant_many(names, expires_in=int(ABOUT_TO_EXPIRE.total_seconds()))
        with step(self._console, f"tokenctl connections import --from grants.jsonl ({size} lines)"):
            _import(deployment, grants)
        for name in refused:
            standin.revoke(user=name)
        standin.set_rate_limit(RATE_LIMIT)
        watch = Watch(
            deployment, names, {one.user: one.access_token for one in grants}, refused, since=self._deployed_at
        )
        watch.look()
        victim = watch.first()
        for text in (
            f"The provider allows {RATE_LIMIT} refreshes a second, and answers 429 to the rest.",
            f"It will answer 503 to every {round(1 / FAILING)}th call. {len(refused)} users have revoked the access.",
            f"The worker that refreshes {victim} will be killed.",
        ):
            say(self._console, f"     {text}")
        for operation in REFRESHES:
            standin.fail(operation, user=victim, times=None, delay=HELD_SECONDS, drop=True)
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
        self._console.print(table(connections))
        check("no connection is lost", len(connections) == size)
        check_all(connections, refused, counted)
        calls = sum(one.counts.calls for one in connections)
        say(
            self._console,
            f"The provider counted {calls} calls, and says of each of the {size} connections what the fleet says. All "
            "checks of the demo passed.",
        )

    def _watch(self, watch: Watch, victim: str, between: Callable[[Watch], None]) -> None:
        """Show the fleet until every connection is refreshed or refused, and kill the worker meanwhile."""
        start = changed = time.monotonic()
        printed, moved, killed = 0.0, None, False
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            while not (look := watch.look()).is_settled:
                now = time.monotonic()
                if look.moved != moved:
                    moved, changed = look.moved, now
                if now - changed > PATIENCE.total_seconds():
                    raise TimeoutError(
                        f"Nothing has changed for {PATIENCE}, and {len(look.left)} of {watch.size} connections are "
                        "neither refreshed nor refused."
                    )
                if can_move(self._console):
                    live.update(screen(look, now - start), refresh=True)
                elif now - printed >= LINE_SECONDS:
                    printed = now
                    say(self._console, f"     {line(look, now - start)}")
                if not killed and (killed := self._kill_worker(victim)):
                    self._fail_some(watch.size)
                    say(self._console, f"     {clock(now - start)}  Killed the worker that was refreshing {victim}.")
                    say(
                        self._console,
                        "           Another one tries when its claim has ended and a minute has passed.",
                    )
                between(watch)
                time.sleep(LOOK_SECONDS)
        say(
            self._console,
            f"[green]done[/] {look.refreshed} of {look.size} refreshed [dim]({clock(time.monotonic() - start)})[/]",
        )
        check("a worker was killed", killed)

    def _kill_worker(self, victim: str) -> bool:
        """Kill the process that waits for the victim's answer. Return whether there was one."""
        for call in self._cloud.standin.calls():
            if call.user == victim and call.status is None and call.port and (pid := process_with_port(call.port)):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def _fail_some(self, size: int) -> None:
        """Let the provider keep nobody waiting any more, and answer 503 to some."""
        self._cloud.standin.clear_faults()
        for operation in REFRESHES:
            self._cloud.standin.fail(operation, status=503, share=FAILING, times=int((size - 1) * FAILING))


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
