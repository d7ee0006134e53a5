"""What an operator gives for a connection: its name, its pair, and perhaps its provider, parameters and policy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from refresh_token.core.secret_format import HOW_TO_EMPTY, OUR_KEYS
from refresh_token.core.secret_keys import HOW_TO_SEED
from refresh_token.core.token_pair import TokenPair
from refresh_token.errors import RefreshTokenError, SecretNotSeededException
from refresh_token.fleet.due import POLICIES
from refresh_token.fleet.names import NAME_RULE, is_name
from refresh_token.fleet.providers import Provider, provider_named
from refresh_token.fleet.successor import fits
from refresh_token.fleet.table import MAX_BYTES
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.json_lines import Document, Fault
from tokenctl.errors import UsageError

CONNECTION: Final = "connection"
_BESIDE_THE_PAIR: Final = frozenset({CONNECTION, "provider", "params", "policy"})
KEYS: Final = _BESIDE_THE_PAIR | OUR_KEYS | {"access_token", "refresh_token", "expires_in"}
"""Every key that is taken. Others are left out: they may hold a token, and nothing of an item but the tokens is
sealed."""

_MISSPELLINGS: Final = {key.replace("_", "").lower(): key for key in sorted(KEYS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A connection that can be stored as it is."""

    name: str
    provider: Provider
    pair: TokenPair = field(repr=False)
    params: Mapping[str, str] = field(repr=False)
    policy: str | None
    """None: the fleet's."""

    left_out: tuple[str, ...] = ()
    """The keys that a connection does not keep."""

    @property
    def version(self) -> str:
        """The version id of these tokens in this connection: always the same, so that nothing is imported twice.

        It is a digest, of which nobody gets the tokens back. So nothing has to be decrypted to compare them.
        """
        secrets = self.pair.access_token, self.pair.refresh_token, self.pair.client_id
        return str(uuid5(NAMESPACE_OID, json.dumps([self.name, *secrets])))


class Entries:
    """Makes the entries of a fleet from documents; `provider` is that of documents which name none.

    Raises UsageError if the fleet does not have it.
    """

    def __init__(self, issuers: Issuers, *, provider: str | None = None) -> None:
        self._issuers = issuers
        self._provider = provider
        if provider is not None and provider_named(provider, issuers.providers) is None:
            raise UsageError(f"--provider must be one of the fleet's: {', '.join(sorted(issuers.providers))}.")

    def make(self, document: Document, *, created: datetime, now: datetime) -> Entry:
        """Return the entry; `expiresIn` counts from `created`. Raises Fault, which says what is wrong with it."""
        name, policy = document.get(CONNECTION), document.get("policy")
        if not is_name(name):
            raise Fault(f"`{CONNECTION}` {NAME_RULE}" if name is not None else f"`{CONNECTION}` is missing")
        if policy is not None and policy not in POLICIES:
            raise Fault(f"`policy` must be one of {', '.join(POLICIES)}")
        for key in document.keys() - KEYS:
            if meant := _MISSPELLINGS.get(key.replace("_", "").replace("-", "").lower()):
                raise Fault(f"`{meant}` is spelled otherwise in it")
        provider, params = self._provider_of(document), _params(document.get("params"))
        issuer = self._issuers.of(provider, params)
        pair = _pair(provider, document, created)
        if pair.issued_by not in {None, issuer.issued_by}:
            raise Fault(f"the pair belongs to {pair.issued_by}, but the fleet uses {issuer.issued_by}")
        api = pair.api or issuer.api(pair)
        whole = replace(pair, granted_at=pair.granted_at or now, issued_by=issuer.issued_by, api=api)
        if not fits(whole):
            raise Fault(f"the pair is larger than the {MAX_BYTES:,} bytes that a connection has room for")
        return Entry(
            name=str(name),
            provider=provider,
            pair=whole,
            params=params,
            policy=None if policy is None else str(policy),
            left_out=tuple(sorted(document.keys() - KEYS)),
        )

    def _provider_of(self, document: Document) -> Provider:
        providers = self._issuers.providers
        said = document.get("provider", self._provider)
        found = provider_named(said, providers) if said is None or isinstance(said, str) else None
        if found is not None:
            return found
        raise Fault(f"`provider` must be one of {', '.join(sorted(providers))}, the providers of this fleet")


def _params(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if isinstance(given, dict) and all(isinstance(text, str) for text in given.values()):
        return given
    raise Fault("`params` must be an object of texts")


def _pair(provider: Provider, document: Document, created: datetime) -> TokenPair:
    said = {key: value for key, value in document.items() if key in KEYS - _BESIDE_THE_PAIR}
    try:
        return provider.parse(json.dumps({**said, "provider": provider.name}), created=created)
    except SecretNotSeededException:
        fault = "it has neither `accessToken` nor `refreshToken`"
    except RefreshTokenError as error:
        # The function's message is about a secret, and ends with how to fill that.
        fault = (
            str(error)
            .removesuffix(HOW_TO_SEED)
            .removesuffix(HOW_TO_EMPTY)
            .strip()
            .removesuffix("Nothing was changed.")
            .strip()
        )
    raise Fault(fault.removeprefix("The secret is not a token pair:").strip().rstrip("."))
