"""One connection, for people and for scripts, without its tokens and without its client id."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from refresh_token.core.claims import Failure
from refresh_token.core.windows import iso_utc, window_of
from refresh_token.fleet.record import Record
from refresh_token.fleet.settings import FleetSettings
from tokenctl.connections.advice import advice
from tokenctl.connections.deployed_provider import provider_of
from tokenctl.connections.fleet import Fleet
from tokenctl.stack.issuer import deployed_issued_by
from tokenctl.stack.token_life import relative_to

_PAIR_KEYS: Final = ("refreshedAt", "refreshExpiresAt", "grantedAt", "scope", "values", "api", "issuedBy")


def describe(record: Record, fleet: Fleet, *, now: datetime) -> dict[str, Any]:
    """Return everything about a connection but its tokens; what is not known is None."""
    settings = fleet.settings
    has_provider = record.provider in settings.providers
    ours = deployed_issued_by(provider_of(fleet, record.provider, record.params)) if has_provider else None
    return {
        "connection": record.name,
        "provider": record.provider,
        "state": record.state.value,
        "advice": advice(record, fleet.target.option, ours, has_provider=has_provider),
        "window": _window(record, settings, now),
        "expiresAt": record.expires_at and iso_utc(record.expires_at),
        "dueAt": None if record.due_at is None else _epoch(record.due_at),
        **{key: record.facts.get(key) for key in _PAIR_KEYS},
        "storedAt": record.stored_at and iso_utc(record.stored_at),
        "versionId": record.version or None,
        "policy": record.policy or settings.policy,
        "params": dict(record.params),
        "hasAccessToken": record.access is not None,
        "hasRefreshToken": record.refresh is not None,
        "attempts": record.attempts,
        "openClaims": record.open_claims,
        "claimUntil": None if record.claim_until is None else _epoch(record.claim_until),
        "failure": None if record.failure is None else _failure(record.failure),
    }


def lines(described: Mapping[str, Any], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield headings with their texts, for people; what is not known is left out."""
    for key, value in described.items():
        if key in {"connection", "advice"} or value in (None, {}) or (value == 0 and value is not False):
            continue
        heading = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key)
        if key.endswith("At") or key == "claimUntil":
            yield heading, f"{value} ({relative_to(now, value)})"
        elif isinstance(value, Mapping):
            yield heading, ", ".join(f"{name}={text}" for name, text in value.items() if text is not None)
        else:
            yield heading, ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _window(record: Record, settings: FleetSettings, now: datetime) -> str | None:
    """Return where the access token is in its life, None if the fleet no longer has the provider."""
    provider = settings.providers.get(record.provider)
    if provider is None:
        return None
    begin, end = record.refreshed_at, record.expires_at
    life = end - begin if begin and end and begin < end else None
    return window_of(end, lifetime=life, now=now, settings=provider.windows).value


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "reason": failure.reason,
        "retryAt": iso_utc(failure.retry_at),
        "refused": failure.refused,
        "lost": failure.lost,
    }


def _epoch(seconds: float) -> str:
    return iso_utc(datetime.fromtimestamp(seconds, UTC))
