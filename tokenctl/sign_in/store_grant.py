"""Storing the pair of a sign-in, with what the operator asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.token_pair import TokenPair
from tokenctl.errors import TokenctlError
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.pair_secret import SCOPE, store_pair


@dataclass(frozen=True, kw_only=True)
class NewGrant:
    """What is known about a grant beside its pair."""

    scopes: tuple[str, ...]
    """The scopes that were asked for; the pair knows if others were granted."""

    issued_by: IssuedBy
    who: Callable[[TokenPair], str | None] | None = None
    """Tells whose a pair is, if the issuer has a harmless call for that."""

    kept: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Keys of the previous secret to store with the new pair."""


@dataclass(frozen=True, kw_only=True)
class StoredSignIn:
    """The result of a sign-in, without the tokens."""

    version_id: str
    expires_at: datetime | None
    user: str | None
    """Who signed in, if the issuer tells."""


StoreGrant = Callable[[TokenPair, NewGrant], StoredSignIn]
"""Stores the pair of a new grant; raises TokenctlError if it cannot be stored."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pair of a sign-in goes."""

    store: StoreGrant
    kept: Mapping[str, object] = field(repr=False)
    """Keys of the pair before that the new one keeps."""

    shown: Mapping[str, str]
    """The place, for the page in the browser."""


def store_grant(deployed: DeployedStack, pair: TokenPair, new: NewGrant) -> StoredSignIn:
    """Store the pair of a new grant; raises TokenctlError if it cannot be stored."""
    try:
        kept = {key: value for key, value in new.kept.items() if key != SCOPE}
        scope = {SCOPE: " ".join(new.scopes)} if new.scopes else {}
        version_id = store_pair(deployed, {**kept, **scope, **json.loads(pair.to_json())}, new.issued_by)
    except TokenctlError as error:
        raise type(error)(
            "A new pair was issued, which ends an older one of the same user, but it could not be stored: "
            f"{error} Fix that and run the command again."
        ) from None
    return StoredSignIn(version_id=version_id, expires_at=pair.expires_at, user=new.who(pair) if new.who else None)
