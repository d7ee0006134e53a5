"""The secret that holds the token pair."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from refresh_token.core.issued_by import KEY as ISSUED_BY
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.ports import StoredPair
from refresh_token.core.secret_format import OUR_KEYS, REVOKED_AT, parser_for
from refresh_token.core.secret_keys import HOW_TO_SEED, read_document
from refresh_token.core.spending import can_refresh
from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import Window, iso_utc, window_of
from refresh_token.errors import RefreshTokenError, SecretMalformedException, SecretNotSeededException
from refresh_token.oauth.app_credentials import AppCredentials
from refresh_token.oauth.templates import names
from refresh_token.settings import Settings
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.stack.app_secret import read_credentials
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.function import tick
from tokenctl.stack.issuer import app_keys, deployed_issued_by, deployed_settings, sign_in_command
from tokenctl.stack.secrets_manager import get_current_value, put_document

SCOPE: Final = "scope"
"""The key under which a sign-in notes the scopes of the grant."""


class NoPairError(TokenctlError):
    """The secret holds no token pair."""

    revoked_at: str | None = None
    """When `tokenctl revoke` ended the grant, if that is why."""

    kept: Mapping[str, object] = MappingProxyType({})
    """Then, the secret's keys that are not part of the secret format."""

    not_seeded: bool = False
    """Whether the secret has never had a value."""

    moved_to: str | None = None
    """The connection of the stack's fleet that the pair has become, if the secret says so."""


def validate_pair(text: str, settings: Settings) -> TokenPair:
    """Parse a pair that is about to be stored; raises UsageError, which names keys but shows no values.

    The function's settings say which provider it is for, and which tokens it must have.
    """
    parse = parser_for(settings.grant, settings.provider, refreshable=True)
    try:
        return parse(text, created=datetime.now(UTC))
    except SecretNotSeededException:
        keys = "no `accessToken`" if settings.static else "neither `accessToken` nor `refreshToken`"
        fault = f"There is no token pair in it: it has {keys}. Nothing was stored."
    except RefreshTokenError as error:
        # The function's message is about the secret, and ends with how to seed it, which the operator is doing.
        message = str(error).removesuffix(HOW_TO_SEED).strip().removesuffix("Nothing was changed.").strip()
        fault = f"{message.replace('The secret is', 'The input is', 1)} Nothing was stored."
    raise UsageError(fault)


def store_pair(deployed: DeployedStack, document: Mapping[str, object], issued_by: IssuedBy | None) -> str:
    """Store a pair, in any form of the secret format, as the current version; return the version's id.

    It notes whose tokens these are, if that is known, since when, and how consumers call the provider's API. If the
    token is fresh, the function then looks at it. A tick would refresh any other one, which the operator may not want.

    Raises:
        UsageError: the document is not a token pair.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    since = "refreshedAt" if deployed.settings.static else "grantedAt"
    noted = {since: iso_utc(datetime.now(UTC)), **document}
    if issued_by is not None:
        noted[ISSUED_BY] = issued_by.to_document()
    pair = validate_pair(json.dumps(noted), deployed.settings)
    if not pair.api and (api := _api(deployed, pair)):
        noted["api"] = api
    version_id = put_document(deployed.target, deployed.target.secret_arn, noted)
    windows = deployed.settings.windows
    if window_of(pair.expires_at, lifetime=pair.lifetime, now=datetime.now(UTC), settings=windows) is Window.FRESH:
        tick(deployed.target)
    return version_id


def _api(deployed: DeployedStack, pair: TokenPair) -> dict[str, object]:
    """Return how consumers call the provider's API, empty if that is the usual way, or not known before a refresh."""
    try:
        bound, app = deployed_settings(deployed).profile.with_values(pair.values), AppCredentials()
        if any(map(names, bound.profile.api.headers.values())) and app_keys(deployed):
            app = read_credentials(deployed)
    except TokenctlError:
        return {}
    return bound.api(app)


def read_pair(deployed: DeployedStack) -> StoredPair:
    """Return the current pair; its refresh token is empty if a stack with `issuer=static` has left it.

    Raises:
        NoPairError: the secret is empty or holds something else. The message shows no values.
        ServiceError, ConfigurationError: Secrets Manager fails or denies access.

    """
    value = get_current_value(deployed.target, deployed.target.secret_arn)
    if "SecretString" not in value:
        raise NoPairError(f"The secret is not a token pair: it is binary. {how_to_fill(deployed)}")
    parse = parser_for(deployed.settings.grant, deployed.settings.provider)
    try:
        pair = parse(value["SecretString"], created=value.get("CreatedDate") or datetime.now(UTC))
    except RefreshTokenError as error:
        raise _no_pair(error, value["SecretString"], deployed) from None
    return StoredPair(version_id=value.get("VersionId", ""), pair=pair)


def _no_pair(error: RefreshTokenError, text: str, deployed: DeployedStack) -> NoPairError:
    message = str(error).replace(HOW_TO_SEED, how_to_fill(deployed))
    fault = NoPairError(message.replace("--stage <stage>", deployed.target.option))
    fault.not_seeded = isinstance(error, SecretNotSeededException) and not text.strip()
    if isinstance(error, SecretMalformedException) and error.moved_to:
        fault = NoPairError(f"The token pair has moved to the stack's fleet: it is the connection {error.moved_to}.")
        fault.moved_to = error.moved_to
    if getattr(error, "revoked", False):
        document = read_document(text)
        fault.revoked_at = str(document[REVOKED_AT])
        fault.kept = {key: value for key, value in document.items() if key not in OUR_KEYS}
    return fault


def mark_revoked(deployed: DeployedStack, pair: TokenPair, at: datetime) -> str:
    """Store, instead of a pair, that its grant was revoked; return the version's id. Raises as `put_document`.

    The function then refreshes nothing, and tells consumers that a person must sign in.
    """
    whose = {} if pair.issued_by is None else {ISSUED_BY: pair.issued_by.to_document()}
    kept = {key: value for key, value in pair.unknown.items() if key not in OUR_KEYS}
    document = {**kept, "provider": pair.provider, **whose, REVOKED_AT: iso_utc(at)}
    return put_document(deployed.target, deployed.target.secret_arn, document)


def how_to_fill(deployed: DeployedStack) -> str:
    """Return the sentence that names the command to store a new token or pair with."""
    option = deployed.target.option
    if deployed.settings.static:
        return f"Store a token with `tokenctl rotate {option}`."
    return f"Sign in with `{sign_in_command(deployed)}`, or store a pair that you have with `tokenctl seed {option}`."


def mismatch(deployed: DeployedStack, pair: TokenPair) -> str | None:
    """Return what is wrong if the pair belongs to another issuer than the function's, which then cannot use it."""
    spends = deployed.settings.spends
    if spends == "nothing" or not can_refresh(pair, spends):
        return None  # nothing of the pair is sent to an issuer
    issued_by = deployed_issued_by(deployed)
    if None in {issued_by, pair.issued_by} or issued_by == pair.issued_by:
        return None
    return f"the token pair belongs to {pair.issued_by}, but the function uses {issued_by} and will not send it there"
