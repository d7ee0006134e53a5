"""Figma's own OAuth endpoints and `GET /v1/me` (Figma's REST API documentation, "Authentication").

Figma does not document its statuses. We assume 401 for wrong app credentials, and 400 for a bad code or refresh token.
"""

import hmac
import json
from typing import Any

from werkzeug import Request, Response

from local.standin.calls import bearer_token
from local.standin.grants import CLIENT_ID, CLIENT_SECRET, Grants, RefusedError


def token(grants: Grants, request: Request) -> Response:
    """`POST /v1/oauth/token`: exchange a code for a pair."""
    if not app_is_known(request):
        return figma_error(401, "Invalid client credentials")
    form = request.form
    if form.get("grant_type") != "authorization_code":
        return figma_error(400, "The grant_type must be authorization_code")
    if not form.get("code") or not form.get("redirect_uri"):
        return figma_error(400, "The code and the redirect_uri are required")
    try:
        grant = grants.exchange(form["code"], form["redirect_uri"], CLIENT_ID, form.get("code_verifier"))
    except RefusedError as error:
        return figma_error(400, str(error))
    return _json(
        {
            "user_id_string": grant.user,
            "access_token": grant.access_token,
            "token_type": "bearer",
            "expires_in": grant.expires_in,
            "refresh_token": grant.refresh_token,
        }
    )


def refresh(grants: Grants, request: Request) -> Response:
    """`POST /v1/oauth/refresh`. The answer holds a refresh token only if rotation is on."""
    if not app_is_known(request):
        return figma_error(401, "Invalid client credentials")
    sent = request.form.get("refresh_token")
    if not sent:
        return figma_error(400, "The refresh_token is required")
    try:
        grant = grants.refresh(sent, CLIENT_ID)
    except RefusedError as error:
        return figma_error(400, str(error))
    answer: dict[str, Any] = {
        "access_token": grant.access_token,
        "token_type": "bearer",
        "expires_in": grant.expires_in,
    }
    if grant.refresh_token != sent:
        answer["refresh_token"] = grant.refresh_token
    return _json(answer)


def me(grants: Grants, request: Request) -> Response:
    """`GET /v1/me`: the user to whom the live access token belongs."""
    grant = grants.holder(bearer_token(request) or "")
    if grant is None:
        return figma_error(403, "Invalid token")
    return _json({"id": grant.user, "email": grant.user, "handle": grant.user.partition("@")[0], "img_url": ""})


def figma_error(status: int, message: str) -> Response:
    """Return an error in Figma's own shape, which differs from RFC 6749."""
    return _json({"error": True, "status": status, "message": message, "i18n": None}, status)


def app_is_known(request: Request) -> bool:
    """Check the app's credentials, in HTTP Basic or else in the form."""
    given = request.authorization
    if given is not None:
        client_id, client_secret = given.username, given.password
    else:
        client_id, client_secret = request.form.get("client_id"), request.form.get("client_secret")
    return client_id == CLIENT_ID and hmac.compare_digest((client_secret or "").encode(), CLIENT_SECRET.encode())


def _json(members: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(members), status, content_type="application/json")
