"""The brakes of a fleet's providers: the dispatcher sends only a few refreshes to one of which most fail."""

from refresh_token.fleet.attributes import decode_item, encode
from refresh_token.fleet.table import OWN_PREFIX, PK
from tokenctl.connections.fleet import Fleet
from tokenctl.stack.aws_errors import translate_aws_errors

_SINCE = "brakedSince"


def read_brakes(fleet: Fleet) -> dict[str, int]:
    """Return the providers that are braked, each with the time since when, in epoch seconds."""
    client, found = fleet.client("dynamodb"), dict[str, int]()
    for provider in fleet.settings.providers:
        with translate_aws_errors():
            answer = client.get_item(
                TableName=fleet.table,
                Key={PK: encode(f"{OWN_PREFIX}brake{OWN_PREFIX}{provider}")},
                ProjectionExpression=_SINCE,
            )
        since = decode_item(answer.get("Item", {})).get(_SINCE)
        if isinstance(since, int) and since:
            found[provider] = since
    return found
