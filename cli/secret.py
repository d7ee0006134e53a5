"""The secret of the stack: storing a token pair."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from cli.errors import TokenctlError
from cli.target import Target, explained
from refresh_token.errors import RefreshTokenError
from refresh_token.token_pair import parse_pair


def store_pair(target: Target, document: Mapping[str, object]) -> str:
    """Store a pair, in any form of contract 3, as the secret's current version; return the version's id.

    Raises:
        TokenctlError: it is not a token pair.
        ServiceError, ConfigurationError: Secrets Manager cannot be asked, or refuses.

    """
    text = json.dumps(dict(document))
    try:
        parse_pair(text, created=datetime.now(UTC))
    except RefreshTokenError as error:
        raise TokenctlError(str(error)) from None
    client = target.connection.client("secretsmanager")
    with explained():
        answer = client.put_secret_value(SecretId=target.secret_arn, SecretString=text)
    return str(answer["VersionId"])
