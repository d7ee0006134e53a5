"""Lets a refresher's function serve its pair after that has moved to the fleet (`refresh_token.beside_fleet`).

The function knows the connection's provider: it is its own issuer. So it gets the table and the key, and nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from refresh_token.environment import CONNECTIONS_TABLE
from refresh_token.fleet import settings as names
from token_refresher.constructs.refresh_function import RefreshFunction

_VARIABLES: Final = (
    *(CONNECTIONS_TABLE, names.CONNECTIONS_KEY),
    *(names.CONNECTION_POLICY, names.IDLE_REFRESH_DAYS, names.SEAL_ACCESS_TOKENS),
)


def serve_moved_secret(
    refresh: RefreshFunction, variables: Mapping[str, str], statements: Sequence[iam.PolicyStatement]
) -> None:
    """Give the function the fleet's variables, and its permissions on connections."""
    for name in _VARIABLES:
        if name in variables:
            refresh.function.add_environment(name, variables[name])
    refresh.allow(*statements)
