"""Calls Figma's ``GET /v1/me`` with a token from the layer's client, as docs/consumers.md shows."""

import os

from token_client import TokenClient
from token_client.auth.urllib3 import TokenPool

TOKENS = TokenClient()
FIGMA = TokenPool(TOKENS)


def lambda_handler(_event: object, _context: object) -> dict[str, object]:
    """Return Figma's answer and facts about the token, without the token.

    Figma rejects a token that another refresh has killed. The client then reports it, gets another one and retries.
    """
    before = TOKENS.get_token()
    answer = FIGMA.request("GET", f"{os.environ['FIGMA_URL']}/v1/me", timeout=10, retries=False)
    token = TOKENS.get_token()
    return {
        "status": answer.status,
        "user": answer.json().get("handle"),
        "reported": token.version_id != before.version_id,
        "versionId": token.version_id,
        "state": token.state,
        "stale": token.stale,
        "expiresAt": token.expires_at.isoformat() if token.expires_at else None,
        "process": os.getpid(),  # concurrent invocations run in different processes
    }
