"""The steps of the demo, its checks, and the tables that it prints."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.cloud import LocalCloud
from local.demo_step import can_move, check, progress_of, say, step
from local.deployment import Deployment, deploy, deploy_consumer, pair_of

ABOUT_TO_EXPIRE = timedelta(hours=1)
"""Less than the mandatory window, which is one day."""

TICK_SECONDS = 180.0
"""The schedule of the stage `local` ticks every minute, and MiniStack checks for due schedules every ten seconds."""

SHOWN = 12


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
        say(
            self._console,
            "A token is about to expire, and the stack's schedule keeps it alive.\nThis takes about two minutes.",
        )
        say(
            self._console,
            f"Local AWS (MiniStack): {cloud.url}\nStand-in for Figma and UI Builder: {cloud.standin.url}",
        )
        with step(self._console, "cdk bootstrap"):
            cloud.cdk().bootstrap()
        with step(self._console, "cdk deploy -c stage=local") as running:
            deployment = deploy(cloud, on_line=progress_of(running))
        with step(self._console, f"tokenctl seed, with a pair that expires in {ABOUT_TO_EXPIRE}"):
            old = cloud.standin.grant()
            deployment.tokenctl("seed", "--yes", stdin=pair_of(old, expires_in=ABOUT_TO_EXPIRE))
            before, seeded = deployment.current()
        accepted_before = cloud.standin.accepts(old.access_token)
        with step(self._console, "Deploy a consumer while the schedule waits for its first tick") as running:
            consumer = deploy_consumer(deployment, on_line=progress_of(running))
        with step(self._console, "Wait for the schedule's own tick, which comes once a minute"):
            after = deployment.wait_for_another_version(before, seconds=TICK_SECONDS)
        with step(self._console, "Invoke the function in three ways"):
            _, pair = deployment.current()
            tables = self._use(deployment, consumer, before, after, seeded, accepted_before=accepted_before)
        with step(self._console, "tokenctl status"):
            colours = "on" if can_move(self._console) and not self._console.no_color else "off"
            status_shown = deployment.tokenctl("status", "--color", colours, width=self._console.width)
        check("tokenctl shows no token", pair["accessToken"] not in status_shown)
        for table in tables:
            self._console.print(table)
        self._console.print("Output of `tokenctl status`")
        self._console.print(Text.from_ansi(status_shown), soft_wrap=True)
        self._console.print(
            f"The schedule refreshed the token at {pair['refreshedAt']}. The old token is dead, and the new one works. "
            "All checks of the demo passed.",
            soft_wrap=True,
        )
        return deployment, consumer

    def _use(  # noqa: PLR0913 - what the demo has seen so far
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
        stored = pair["accessToken"]
        for row in (
            ("version of the pair in the secret", before[:SHOWN], after[:SHOWN]),
            ("Figma accepts the first token", _yes(accepted_before), _yes(standin.accepts(old_token))),
            ("Figma accepts the stored token", _yes(accepted_before), _yes(standin.accepts(stored))),
            ("life left of the stored token", _left(seeded["expiresAt"]), _left(pair["expiresAt"])),
        ):
            table.add_row(*row)
        answers = Table(title="What callers got", title_justify="left", show_lines=True)
        answers.add_column("caller")
        answers.add_column("answer")
        answers.add_row("consumer Lambda in another stack", _consumer_row(used.payload))
        answers.add_row(
            "bare operation, with another user's refresh token",
            f"keys {', '.join(sorted(stateless.payload))}; expiresIn {stateless.payload.get('expiresIn')}",
        )
        answers.add_row("wrong provider", str(wrong.payload.get("errorMessage")))
        check("the tick refreshed the token", standin.accepts(pair["accessToken"]) and not standin.accepts(old_token))
        check("the old token worked before", accepted_before)
        check("the consumer got the live token", not used.failed and used.payload["versionId"] == after)
        check("Figma accepted the consumer's token", used.payload.get("status") == 200)  # noqa: PLR2004 - HTTP
        check(
            "the bare operation returns only the access token and its expiry",
            set(stateless.payload) == {"accessToken", "expiresIn"},
        )
        check("a wrong provider is refused", wrong.failed)
        return table, answers


def _consumer_row(payload: dict[str, object]) -> str:
    if "user" not in payload:
        return str(payload)
    return f"Figma says hello to {payload['user']}; version {str(payload['versionId'])[:SHOWN]}, {payload['state']}"


def _left(expires_at: str) -> str:
    """Return the time until then in days, hours and minutes."""
    minutes = round((datetime.fromisoformat(expires_at) - datetime.now(UTC)).total_seconds() / 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than a minute"


def _yes(answer: bool) -> str:  # noqa: FBT001 - the value itself
    return "yes" if answer else "no"
