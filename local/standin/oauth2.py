"""A token endpoint as RFC 6749 describes it, for apps and users of the same grants. Figma's own errors differ."""

import json

from werkzeug import Request, Response

from local.standin.figma import app_is_known
from local.standin.grants import CLIENT_ID, Grant, Grants, RefusedError


def token(grants: Grants, request: Request) -> Response:
    """`POST /oauth2/token`: exchange a code, or refresh. With rotation, each answer has a new refresh token."""
    if not app_is_known(request):
        return _error(401, "invalid_client")
    form = request.form
    try:
        if form.get("grant_type") == "authorization_code":
            code, redirect_uri = form.get("code", ""), form.get("redirect_uri", "")
            return _answer(grants.exchange(code, redirect_uri, CLIENT_ID, form.get("code_verifier")))
        if form.get("grant_type") == "refresh_token":
            return _answer(grants.refresh(form.get("refresh_token", ""), CLIENT_ID))
    except RefusedError as error:
        return _error(400, "invalid_grant", str(error))
    return _error(400, "unsupported_grant_type")


def _answer(grant: Grant) -> Response:
    members = {
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "refresh_token": grant.refresh_token,
    }
    return Response(json.dumps(members), content_type="application/json", headers={"Cache-Control": "no-store"})


def _error(status: int, code: str, description: str = "") -> Response:
    """Return an error of RFC 6749, 5.2."""
    members = {"error": code} | ({"error_description": description} if description else {})
    return Response(json.dumps(members), status, content_type="application/json")
