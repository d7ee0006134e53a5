"""The check that asks the provider whether it accepts the stored access token. It refreshes nothing."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from refresh_token.core.ports import StoredPair
from refresh_token.core.spending import can_refresh
from refresh_token.core.token_pair import TokenPair
from refresh_token.environment import STATIC
from refresh_token.errors import ReauthorizationRequiredException
from refresh_token.oauth.addresses import authority
from refresh_token.oauth.challenges import challenges
from refresh_token.oauth.issuers import AMPLIFY, AmplifySettings, FigmaSettings
from refresh_token.oauth.variables import VariableReader
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.errors import TokenctlError
from tokenctl.sign_in.options import validate_address
from tokenctl.sign_in.signed_in_user import MAX_SECONDS, printable, scopes_in, user_in
from tokenctl.sign_in.transport import Answer, get
from tokenctl.stack.deployed_stack import DeployedStack
from tokenctl.stack.issuer import deployed_issued_by, deployed_issuer, deployed_settings, renewal_command
from tokenctl.stack.pair_secret import read_pair

if TYPE_CHECKING:
    from refresh_token.oauth.bound_profile import BoundProfile

USER_CLAIMS: Final = ("preferred_username", "name", "email")
"""How OpenID Connect Core, 5.1, names the user; for issuers whose profile has no keys of its own."""

_CLOSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""How a page answers those who may not see it; some APIs hide it instead."""

NO_VALUES: Final[Mapping[str, object]] = {}

_ELSEWHERE: Final = "give --probe-url with an address of the provider's API that answers a GET with JSON"


def user_page(deployed: DeployedStack, values: Mapping[str, object] = NO_VALUES) -> str:
    """Return the issuer's own page about the user of a token; "" if there is none, or if nobody knows whose it is.

    `values` are those of the pair, which may decide the page's host.
    """
    profile = _profile(deployed)
    return profile.with_values(values).user_url if profile else ""


def provider_host(deployed: DeployedStack) -> str | None:
    """Return the host that the deployment's tokens may go to as they are; None if nobody knows it."""
    try:
        page = user_page(deployed)
    except TokenctlError:
        return None
    if page:
        return authority(page)
    issued_by = deployed_issued_by(deployed)
    return issued_by.host if issued_by and issued_by.issuer != AMPLIFY else None


def _profile(deployed: DeployedStack) -> "BoundProfile | None":
    issuer = deployed_issuer(deployed)
    if issuer == STATIC:
        return None
    if issuer != AMPLIFY:
        return deployed_settings(deployed).profile
    amplify = AmplifySettings.from_variables(VariableReader(deployed.target.function_variables))
    # Amplify UI Builder refreshes Figma's tokens. Those of a server in its place may be anybody's.
    return None if amplify.endpoint_url else FigmaSettings().profile


def check_probe(subject: Subject) -> Finding:
    """Check that the provider accepts the stored access token, and say whose it is.

    A pair of another issuer or host never gets here: the check `secret` fails, and this one needs it.
    """
    stored, deployed = subject.stored, subject.deployed
    if not stored.pair.access_token:
        return Finding(Level.SKIP, "there is no access token yet")
    if stored.pair.expires_at is not None and stored.pair.expires_at <= subject.now:
        return Finding(Level.SKIP, "the access token has expired, as the check `window` says")
    url = subject.probe_url or user_page(deployed, stored.pair.values)
    if not url:
        issuer = deployed_issuer(deployed)
        return _unknown(f"the page that tells whose token it is, with the issuer {issuer}, is not known", _ELSEWHERE)
    validate_address(url, "The address of the issuer's page")
    finding = _asked(subject, url, stored)
    if finding.level is Level.FAIL and (newer := read_pair(deployed)).version_id != stored.version_id:
        return _asked(subject, url, newer)  # it was refreshed in the meantime, which may end the older token
    return finding


def _asked(subject: Subject, url: str, stored: StoredPair) -> Finding:
    pair = stored.pair
    try:
        answer = _get(subject, url, pair)
        response, host = answer.response, authority(url)
        if response.succeeded and response.document and not response.refused:
            profile = _profile(subject.deployed)
            user = user_in(response.document, (profile and profile.user_keys) or USER_CLAIMS, pair.access_token)
            if user is None:
                return _without_user(subject, url, pair, answer)
            return Finding(Level.OK, f"{host} accepts the token, signed in as {user}{_scopes(pair, answer)}")
    except TokenctlError as error:
        return _unknown(str(error))
    if _rejects(answer):
        text = f"{host} does not accept the token of version {stored.version_id} (HTTP {answer.status})"
        return Finding(Level.FAIL, text, _way_out(subject, pair))
    return _unclear(answer, host)


def _get(subject: Subject, url: str, pair: TokenPair, *, shows_token: bool = True) -> Answer:
    token = pair.access_token if shows_token else None
    return get(url, token, bundle=subject.target.aws.trusted_bundle, seconds=MAX_SECONDS, api=pair.api)


def _without_user(subject: Subject, url: str, pair: TokenPair, answer: Answer) -> Finding:
    """Return the finding about a page that names no user: it may answer anybody, so it is asked without the token."""
    host = authority(url)
    if subject.probe_url is None:
        return _unknown(f"the answer of {host} names no user", _ELSEWHERE)
    other = _get(subject, url, pair, shows_token=False)
    if other.status in _CLOSED or (other.response.succeeded and other.response.refused):
        known = f"{host} accepts the token, and refuses a call without one (HTTP {other.status})"
        return Finding(Level.OK, f"{known}; the page does not say whose it is{_scopes(pair, answer)}")
    if other.response.succeeded:
        return _unknown(f"{host} answers without a token, too, and names no user", _ELSEWHERE)
    return _unknown(f"{host} names no user, and answers with HTTP {other.status} without a token", _ELSEWHERE)


def _unclear(answer: Answer, host: str) -> Finding:
    """Return the finding about an answer that tells nothing about the token."""
    what = f"(HTTP {answer.status})"
    if answer.redirects:
        return _unknown(f"{host} redirects {what}, and the token does not go along", _ELSEWHERE)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        fix = "check the scopes of the sign-in, and firewalls and proxies on the way"
        return _unknown(f"{host} denies the page {what} without saying that the token is invalid", fix)
    if answer.response.succeeded:
        return _unknown(f"the answer of {host} is no JSON object about a user {what}", _ELSEWHERE)
    return _unknown(f"{host} answers with HTTP {answer.status}", "try again later")


def _rejects(answer: Answer) -> bool:
    """Tell whether the API says that the token is invalid. A page of a firewall or a proxy says nothing about it."""
    from token_client.auth.evidence import Evidence, evidence_of

    if not (answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or answer.response.succeeded):
        return False
    evidence = evidence_of([answer.challenge], answer.body or b"")
    asks_for_token = any(scheme == "bearer" for scheme, _ in challenges(answer.challenge))
    unexplained = answer.status == HTTPStatus.UNAUTHORIZED and (asks_for_token or bool(answer.response.document))
    return evidence is Evidence.INVALID or (evidence is Evidence.NONE and unexplained)


def _scopes(pair: TokenPair, answer: Answer) -> str:
    """Return the scopes that the provider tells or, if it does not, those that were noted at the last sign-in."""
    if told := scopes_in(answer, pair.access_token):
        return f", with the scopes {told}"
    noted = printable(pair.scope, pair.access_token)
    return f", with the scopes {noted}, as noted in the secret" if noted else "; its scopes are not known"


def _way_out(subject: Subject, pair: TokenPair) -> str:
    refused = subject.failure is not None and subject.failure["reason"] == ReauthorizationRequiredException.__name__
    settings = subject.deployed.settings
    if settings.static or not can_refresh(pair, settings.spends) or refused:
        return f"`{renewal_command(subject.deployed)}`"
    return f"`tokenctl refresh {subject.target.option}`; a consumer that reports the token does the same"


def _unknown(why: str, fix: str = "") -> Finding:
    return Finding(Level.WARN, f"cannot tell whether the token works: {why}", fix)
