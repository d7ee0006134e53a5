"""`make demo`: deploys to the local cloud, and shows how the schedule keeps a Figma token alive."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from rich.console import Console
from rich.status import Status
from rich.table import Table

from local.cdk_cli import CdkFailedError
from local.child import LogInUseError
from local.cloud import FOLDER, LocalCloud, StandinError
from local.deployment import Deployment, TokenctlFailedError, deploy, deploy_consumer, pair_of
from local.ministack import MiniStackError
from local.standin.grants import CLIENT_ID

ABOUT_TO_EXPIRE = timedelta(hours=1)
"""Less than the mandatory window, which is one day."""

TICK_SECONDS = 180.0
"""The schedule of the stage `local` ticks every minute, and MiniStack checks for due schedules every ten seconds."""

SHOWN = 12


class DemoFailedError(RuntimeError):
    """The demo did not see what it should have seen."""


FAILURES = (
    CdkFailedError,
    DemoFailedError,
    LogInUseError,
    MiniStackError,
    StandinError,
    TimeoutError,
    TokenctlFailedError,
)
"""What can fail through no fault of the demo's own code. The user gets the message without a traceback."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the local cloud running and print how to use it")
    parser.add_argument("--stop", action="store_true", help="stop a local cloud that was left running")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder for logs and state (default: %(default)s)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)  # a shell makes background commands ignore SIGINT
    if options.stop:
        console.print("Stopped." if LocalCloud.stop_kept(options.folder) else "Nothing is running.")
        return 0
    if LocalCloud.kept(options.folder):
        console.print("Stopping the local cloud that an earlier demo left running ...")
    try:
        with LocalCloud.start(options.folder, keep=options.keep) as cloud:
            Demo(console, cloud).run()
            if options.keep:
                _print_exports(console, cloud)
    except KeyboardInterrupt:
        LocalCloud.stop_kept(options.folder)
        console.print("\nInterrupted. The local cloud is stopped.")
        return 130
    except FAILURES as error:
        LocalCloud.stop_kept(options.folder)
        console.print(f"\n[bold red]The demo failed:[/] {error}", soft_wrap=True)
        console.print(f"The logs are in {options.folder}. The local cloud is stopped.", soft_wrap=True)
        return 1
    return 0


class Demo:
    """One run. Each step shows what it does and how long it took."""

    def __init__(self, console: Console, cloud: LocalCloud) -> None:
        self._console = console
        self._cloud = cloud

    def run(self) -> tuple[Deployment, str]:
        """Run all steps and print the results. Return the deployment of our stack, and the consumer's function name.

        Raises `DemoFailedError` if a result is not what it should be.
        """
        cloud = self._cloud
        self._console.print(
            f"Local AWS (MiniStack): {cloud.url}. Stand-in for Figma and UI Builder: {cloud.standin.url}."
        )
        with self._step("cdk bootstrap"):
            cloud.cdk().bootstrap()
        with self._step("cdk deploy -c stage=local"):
            deployment = deploy(cloud)
        with self._step(f"tokenctl seed, with a pair that expires in {ABOUT_TO_EXPIRE}"):
            old = cloud.standin.grant()
            deployment.tokenctl("seed", "--yes", stdin=pair_of(old, expires_in=ABOUT_TO_EXPIRE))
            before, seeded = deployment.current()
        accepted_before = cloud.standin.accepts(old.access_token)
        with self._step("Deploy a consumer stack while the schedule waits for its first tick"):
            consumer = deploy_consumer(deployment)
        with self._step("Wait for the schedule's own tick") as status:
            after = deployment.wait_for_another_version(
                before,
                seconds=TICK_SECONDS,
                on_wait=lambda waited: status.update(f"Wait for the schedule's own tick ... {waited:.0f} s"),
            )
        with self._step("Invoke the function: as a consumer, with the bare operation, and with a wrong provider"):
            _, pair = deployment.current()
            tables = self._ask(deployment, consumer, before, after, seeded, accepted_before=accepted_before)
        with self._step("tokenctl status"):
            status_shown = deployment.tokenctl("status", width=self._console.width)
        _check("tokenctl shows no token", pair["accessToken"] not in status_shown)
        for table in tables:
            self._console.print(table)
        self._console.print("Output of `tokenctl status`")
        self._console.print(status_shown, markup=False, soft_wrap=True)
        self._console.print(
            f"The schedule refreshed the token at {pair['refreshedAt']}. The old token is dead, and the new one works. "
            "All checks of the demo passed.",
            soft_wrap=True,
        )
        return deployment, consumer

    def _ask(  # noqa: PLR0913 - what the demo has seen so far
        self,
        deployment: Deployment,
        consumer: str,
        before: str,
        after: str,
        seeded: dict[str, Any],
        *,
        accepted_before: bool,
    ) -> tuple[Table, Table]:
        standin = self._cloud.standin
        _, pair = deployment.current()
        old_token = seeded["accessToken"]
        used = deployment.invoke({}, function_name=consumer)
        other = standin.grant(user="somebody-else")
        stateless = deployment.invoke({"provider": "figma", "refreshTokenBody": {"token": other.refresh_token}})
        wrong = deployment.invoke({"provider": "sketch"})

        table = Table(title="What happened", title_justify="left", show_lines=True)
        table.add_column("observed")
        table.add_column("before the tick")
        table.add_column("after the tick")
        table.add_row("the secret's current version", before[:SHOWN], after[:SHOWN])
        table.add_row("Figma's /v1/me accepts the old token", _yes(accepted_before), _yes(standin.accepts(old_token)))
        table.add_row(
            "Figma's /v1/me accepts the stored token", _yes(accepted_before), _yes(standin.accepts(pair["accessToken"]))
        )
        table.add_row("the stored token expires in", _left(seeded["expiresAt"]), _left(pair["expiresAt"]))
        answers = Table(title="What callers got", title_justify="left", show_lines=True)
        answers.add_column("caller")
        answers.add_column("answer")
        answers.add_row("consumer Lambda in another stack", _consumer_row(used.payload))
        answers.add_row(
            "bare operation, with another user's refresh token",
            f"keys {', '.join(sorted(stateless.payload))}; expiresIn {stateless.payload.get('expiresIn')}",
        )
        answers.add_row("wrong provider", str(wrong.payload.get("errorMessage")))
        _check("the tick refreshed the token", standin.accepts(pair["accessToken"]) and not standin.accepts(old_token))
        _check("the old token worked before", accepted_before)
        _check("the consumer got the live token", not used.failed and used.payload["versionId"] == after)
        _check("Figma accepted the consumer's token", used.payload.get("status") == 200)  # noqa: PLR2004 - HTTP
        _check("the stateless answer is the bare one", set(stateless.payload) == {"accessToken", "expiresIn"})
        _check("a wrong provider is refused", wrong.failed)
        return table, answers

    @contextmanager
    def _step(self, what: str) -> Iterator[Status]:
        """Show that a step is running, and then how long it took."""
        start = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(f"     {what} ...")
        with self._console.status(f"{what} ...") as status:
            yield status
        self._console.print(f"[green]done[/] {what} [dim]({time.monotonic() - start:.0f} s)[/]")


def _consumer_row(payload: dict[str, object]) -> str:
    if "user" not in payload:
        return str(payload)
    return f"Figma says hello to {payload['user']}; version {str(payload['versionId'])[:SHOWN]}, {payload['state']}"


def _left(expires_at: str) -> str:
    """Return the time until then in days, hours and minutes."""
    minutes = round((datetime.fromisoformat(expires_at) - datetime.now(UTC)).total_seconds() / 60)
    return f"{minutes // 1440} d {minutes // 60 % 24} h {minutes % 60} min"


def _yes(answer: bool) -> str:  # noqa: FBT001 - the value itself
    return "yes" if answer else "no"


def _check(what: str, seen: bool) -> None:  # noqa: FBT001 - the value itself
    if not seen:
        raise DemoFailedError(f"A check failed: {what}. See the logs.")


def _print_exports(console: Console, cloud: LocalCloud) -> None:
    console.print("\nThe local cloud keeps running. To use it, paste these lines into your shell:\n")
    for name, value in cloud.exports.items():
        console.print(f"export {name}={value}", soft_wrap=True)
    console.print("\nThen try:\n")
    console.print(".venv/bin/tokenctl status --stage local")
    authorize_url = '--authorize-url "$AWS_ENDPOINT_URL_AMPLIFYUIBUILDER/oauth"'
    console.print(
        f".venv/bin/tokenctl authorize --stage local --client-id {CLIENT_ID} {authorize_url}\n", soft_wrap=True
    )
    console.print("To stop it: make stop")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Handle every request to end like Ctrl-C, which stops everything."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
