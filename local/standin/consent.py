"""Figma's consent page, `/oauth`: the app, the scopes that it wants, and two buttons."""

from string import Template
from urllib.parse import urlencode, urlsplit, urlunsplit

from markupsafe import escape
from werkzeug import Request, Response
from werkzeug.datastructures import MultiDict

from local.standin.grants import CLIENT_ID, USER, Grants

_REQUIRED = ("client_id", "redirect_uri", "scope", "state", "response_type")
_CARRIED = (*_REQUIRED, "code_challenge", "code_challenge_method")

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1e1e1e; background: #f5f5f5; margin: 0; }
main { max-width: 26rem; margin: 12vh auto; padding: 2rem; background: #fff; border: 1px solid #ddd;
  border-radius: 12px; }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
code { background: #f0f0f0; padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere; }
small { display: block; margin-top: 1.5rem; color: #666; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem .6rem; margin: .25rem 0 1rem;
  border: 1px solid #999; border-radius: 6px; }
button { font: inherit; padding: .5rem 1.25rem; margin-right: .5rem; border: 1px solid #1e1e1e; border-radius: 6px;
  background: #fff; cursor: pointer; }
button.allow { background: #1e1e1e; color: #fff; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
$content
<small>This page stands in for Figma's. Nothing here reaches Figma. A user who signs in again ends the tokens of the
earlier sign-in, so each time the page proposes a user who is new.</small>
</main>
</body>
</html>
""")


def consent(grants: Grants, request: Request) -> Response:
    """Show the page (`GET /oauth`), or redirect to the app with the user's decision (`POST /oauth`, 302).

    If the redirect address cannot be trusted, answer with a page instead (RFC 6749, 4.1.2.1).
    """
    terms = request.form if request.method == "POST" else request.args
    fault = _fault(terms)
    if fault:
        content = f"<p>{escape(fault)}</p>"
        return _page("This sign-in cannot continue", content, 400)
    if request.method == "POST":
        return _decided(grants, terms)
    user = grants.newcomer(terms["client_id"])
    return _page(f"Allow {escape(terms['client_id'])} to use your account?", _question(terms, user))


def _fault(terms: MultiDict[str, str]) -> str | None:
    missing = [name for name in _REQUIRED if not terms.get(name)]
    if missing:
        return f"Missing: {', '.join(missing)}"
    if terms["client_id"] != CLIENT_ID:
        return "There is no app with this client_id"
    target = urlsplit(terms["redirect_uri"])
    if target.scheme not in {"http", "https"} or not target.netloc or target.fragment:
        return "The redirect_uri must be an absolute http or https address without a fragment"
    if terms["response_type"] != "code":
        return "The response_type must be code"
    if "code_challenge" in terms and terms.get("code_challenge_method") != "S256":
        return "The code_challenge_method must be S256"
    return None


def _question(terms: MultiDict[str, str], user: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(terms[name])}">\n' for name in _CARRIED if name in terms
    )
    scopes = " ".join(f"<code>{escape(scope)}</code>" for scope in terms["scope"].replace(",", " ").split())
    return f"""<p>The app asks for {scopes} and sends you back to <code>{escape(terms["redirect_uri"])}</code>.</p>
<form method="post" action="/oauth">
{hidden}<label>You are <input type="email" name="user" value="{escape(user)}"></label>
<button class="allow" id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button>
</form>"""


def _decided(grants: Grants, terms: MultiDict[str, str]) -> Response:
    if terms.get("decision") == "allow":
        user = terms.get("user") or USER
        code = grants.authorize(terms["client_id"], terms["redirect_uri"], terms.get("code_challenge"), user)
        answer = {"code": code, "state": terms["state"]}
    else:
        answer = {"error": "access_denied", "state": terms["state"]}
    target = urlsplit(terms["redirect_uri"])
    query = "&".join(part for part in (target.query, urlencode(answer)) if part)
    return Response(status=302, headers={"Location": urlunsplit(target._replace(query=query))})


def _page(title: str, content: str, status: int = 200) -> Response:
    """Return a page. `title` and `content` are HTML, with variable parts already escaped."""
    return Response(_PAGE.substitute(title=title, content=content), status, content_type="text/html; charset=utf-8")
