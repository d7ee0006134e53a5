"""What only one refresher may use: a service name, or a secret."""

import hashlib
from typing import cast

from aws_cdk import Stack, Token
from constructs import Construct

from token_refresher.settings.reader import SettingsError


def claim(refresher: Construct, prop: str, value: str, *, because: str) -> None:
    """Note that the refresher uses the value. `because` says what would happen if another one used it too.

    Raises:
        SettingsError: another one uses it, in this stack or, as far as the app names them, in this account and region.

    """
    stack = Stack.of(refresher)
    place = f"{stack.account}/{stack.region}"
    # A token means the same in its own stack only.
    known = not Token.is_unresolved(place) and not Token.is_unresolved(value)
    scope = cast("Construct", refresher.node.root) if known else stack
    taken = hashlib.sha256(f"{place}/{prop}={stack.resolve(value)}".encode()).hexdigest()
    # A construct without resources: its id is unique in its scope, and it is not in any template.
    if scope.node.try_find_child(taken):
        raise SettingsError([f"{prop}: another refresher uses the same one. {because}"])
    Construct(scope, taken)
