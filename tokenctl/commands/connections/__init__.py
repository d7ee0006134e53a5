"""`tokenctl connections`: operates the many connections of a fleet."""

from typing import Final

from tokenctl.aws_style.lazy_group import lazy_group

COMMANDS: Final[dict[str, str]] = {
    "list": "List the connections, by state, provider or tenant.",
    "show": "Show one connection, and what to do about it.",
    "seed": "Store an existing token pair for one connection.",
    "import": "Store the token pairs of many connections, from JSON Lines or secrets.",
    "export": "Write connections with their tokens as JSON Lines.",
    "authorize": "Sign in at the provider and store the pair as a connection.",
    "refresh": "Refresh connections now; every token of them that was handed out dies.",
    "pause": "Take connections out of the refreshes.",
    "resume": "Make connections active again.",
    "revoke": "End the grants of connections at the provider.",
    "remove": "Delete connections.",
}

EXAMPLES: Final = """\b
Examples:
  tokenctl connections list --stage prod --state refused
  tokenctl connections list help
"""


def _connections(**_options: object) -> None:
    """Operate the connections of a fleet: the grants of many users or tenants, in a stack with connections=true.

    The options below go before or after the command. A connection's name is an id, such as acme or acme/u1, never an
    e-mail address.
    """


connections: Final = lazy_group(
    "connections", _connections, commands=COMMANDS, package="tokenctl.commands.connections", epilog=EXAMPLES
)
