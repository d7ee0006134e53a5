"""Turns a result into the answer's JSON. No other module puts a token into an answer."""

from collections.abc import Mapping

from refresh_token.core.results import BareToken, LiveToken, TickReport
from refresh_token.core.token_pair import PROVIDER
from refresh_token.core.windows import iso_utc

Answer = dict[str, str | int | Mapping[str, object] | None]


def answer_of(result: LiveToken | BareToken | TickReport) -> Answer:
    """Return the answer to an event. A tick's answer never holds a token: it ends up in logs and queues."""
    if isinstance(result, BareToken):
        return {"accessToken": result.access_token, "expiresIn": result.expires_in}
    pair, version_id = result.stored.pair, result.stored.version_id
    expires_at = None if pair.expires_at is None else iso_utc(pair.expires_at)
    if isinstance(result, TickReport):
        return {"outcome": result.outcome, "versionId": version_id, "expiresAt": expires_at}
    answer: Answer = {
        "accessToken": pair.access_token,
        "expiresIn": result.expires_in,
        "expiresAt": expires_at,
        "versionId": version_id,
        "state": result.state,
    }
    if pair.refreshed_at is not None:
        answer["refreshedAt"] = iso_utc(pair.refreshed_at)
    said = {"provider": "" if pair.provider == PROVIDER else pair.provider, "scope": pair.scope}
    return answer | {key: what for key, what in {**said, "values": pair.values, "api": pair.api}.items() if what}


def answer_about(connection: str, provider: str, result: LiveToken) -> Answer:
    """Return the answer to a question about a connection of a fleet, which always says whose token it is."""
    return {"connection": connection, **answer_of(result), "provider": provider}
