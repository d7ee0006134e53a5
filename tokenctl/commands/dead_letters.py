"""`tokenctl dead-letters`: shows the ticks that could not be delivered, makes up for them, or drops them."""

from datetime import UTC, datetime
from typing import Any, Final

import click

from tokenctl.aws_style.output import Output
from tokenctl.aws_style.output_options import output_options
from tokenctl.aws_style.parser import AwsCommand
from tokenctl.aws_style.target_options import watched_target_options
from tokenctl.commands.tick import SAMPLE as TICK_SAMPLE
from tokenctl.commands.tick import perform_tick, sentence
from tokenctl.connections.fleet import Fleet
from tokenctl.connections.fleet_queues import queue_url
from tokenctl.errors import UsageError, one_line
from tokenctl.stack.dead_letters import HeldMessages
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.target import Target
from tokenctl.stack.token_life import relative_to
from tokenctl.terminal.confirm import confirm

SAMPLES: Final[dict[str, Any]] = {
    "show": [{"messageId": "id", "sentAt": "2030-01-01T00:00:00Z", "attributes": {"ERROR_CODE": "code"}}],
    "redrive": {"deleted": 1, **TICK_SAMPLE},
    "drop": {"deleted": 1},
}
"""The answer of each action, to test a query with."""

EXAMPLES: Final = """\b
Examples:
  tokenctl dead-letters --stage prod
  tokenctl dead-letters redrive --stage prod
  tokenctl dead-letters drop --stage prod --yes
  tokenctl dead-letters --connections --stage prod
"""


@click.command("dead-letters", cls=AwsCommand, epilog=EXAMPLES)
@click.argument("action", type=click.Choice(list(SAMPLES)), default="show")
@click.option("--connections", is_flag=True, help="Those of the fleet, which no worker could take; show or drop them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@watched_target_options
@output_options
def dead_letters(*, action: str, target: Target, connections: bool, yes: bool, output: Output) -> None:
    """Show the ticks that EventBridge Scheduler could not deliver, and why; or redrive or drop them.

    `redrive` ticks once, which does the work of all of them, and then deletes the messages. `drop` only deletes them.
    Both delete only the messages that were there when the command started.
    """
    connections = connections or target.fleet_function is not None
    if connections and action == "redrive":
        raise UsageError(
            "There is nothing to redrive: the dispatcher has sent these connections again since. Use `tokenctl "
            "dead-letters drop --connections`."
        )
    output.check("dead-letters", SAMPLES[action])
    url = queue_url(Fleet(target), "DeadLetterQueueUrl") if connections else None
    held = HeldMessages(DeployedStack(target), url)
    deleted = False
    try:
        answer = _perform(action, target, held, yes=yes)
        if action != "show" and len(held):
            held.delete()
            deleted = True
    finally:
        if not deleted:
            held.release()
    if output.is_structured:
        output.print("dead-letters", answer)
    elif not len(held):
        click.echo("The dead-letter queue is empty.")
    elif action == "show":
        _show(held)
    else:
        click.echo(f"Deleted {_count(held)}.{f' {sentence(answer)}' if 'outcome' in answer else ''}")


def _perform(action: str, target: Target, held: HeldMessages, *, yes: bool) -> Any:  # noqa: ANN401 - JSON
    if action == "show":
        return held.describe()
    if not len(held):
        return {"deleted": 0}
    first = "One tick makes up for all of them; then" if action == "redrive" else "With the reasons in them,"
    confirm(f"{_count(held)} in the dead-letter queue. {first} they are deleted.", yes=yes)
    return {"deleted": len(held), **(perform_tick(target) if action == "redrive" else {})}


def _count(held: HeldMessages) -> str:
    return f"{len(held)} message{'s' * (len(held) > 1)}"


def _show(held: HeldMessages) -> None:
    now = datetime.now(UTC)
    for message in held.describe():
        attributes = message["attributes"]
        why = one_line(": ".join(attributes[key] for key in ("ERROR_CODE", "ERROR_MESSAGE") if attributes.get(key)))
        what = message.get("connection") or why or "no reason given"
        click.echo(f"{message['sentAt']} ({relative_to(now, message['sentAt'])})  {what}")
