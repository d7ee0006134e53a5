"""The errors for what goes wrong at a token endpoint. No message holds anything that the issuer said."""

from refresh_token.core.issued_token import nonsense
from refresh_token.errors import (
    ConfigurationException,
    IssuerUnavailableException,
    ReauthorizationRequiredException,
    RefreshTokenError,
)
from refresh_token.issuers.app_credentials import HOW_TO_FILL
from refresh_token.oauth.refusal_codes import CODES, Refusal
from refresh_token.oauth.refusals import RefusalRules, is_failing, meaning
from refresh_token.oauth.responses import TokenResponse


def refusal_error(response: TokenResponse, rules: RefusalRules) -> RefreshTokenError:
    """Return the error for a refusal, with the time that the issuer asks to wait."""
    error = _refusal_error(response, rules)
    if isinstance(error, IssuerUnavailableException):
        error.retry_after = response.retry_after
    return error


def _refusal_error(response: TokenResponse, rules: RefusalRules) -> RefreshTokenError:
    what = f"HTTP {response.status}"
    match meaning(response, rules):
        case Refusal.GRANT:
            return ReauthorizationRequiredException(
                f"The issuer refuses the refresh token ({what}). It was revoked, was used already, or belongs to "
                "another app. A person must sign in again and store the new pair; nothing was deleted."
            )
        case Refusal.APP | Refusal.SETTINGS as means:
            return _misconfigured(what, response, rules, means)
        case Refusal.LATER if is_failing(response.status):
            return unavailable(what)
        case Refusal.LATER:
            return IssuerUnavailableException(f"The issuer cannot refresh now ({what}). Try again later.")
        case Refusal.UNEXPLAINED:
            return unexplained(what)
        case Refusal.NONSENSE:
            return no_token_answer(what)


def _misconfigured(what: str, response: TokenResponse, rules: RefusalRules, means: Refusal) -> RefreshTokenError:
    if means is Refusal.SETTINGS:
        code = next((f", `{code}`" for code in response.codes if code in CODES), "")
        return ConfigurationException(
            f"The issuer does not understand the request ({what}{code}). Check its settings (the variables OAUTH2_* or "
            "ISSUER_*) and its profile, and that the issuer refreshes tokens for this app."
        )
    hint = f" {rules.app_hint}" if rules.app_hint else ""
    return ConfigurationException(
        f"The issuer refuses the app's credentials ({what}), or the app may not refresh tokens. Compare them with the "
        f"ones that the issuer shows for the app. {HOW_TO_FILL}{hint}"
    )


def unexplained(what: str) -> RefreshTokenError:
    """Return the error for a refusal without a reason."""
    error = IssuerUnavailableException(
        f"The refresh was refused without a reason ({what}). A firewall or a rate limit may have answered instead of "
        "the issuer. Try again later; if this persists for hours, a person must sign in again."
    )
    error.unexplained = True
    return error


def unavailable(what: str, *, trusted: bool = True) -> RefreshTokenError:
    """Return the error for an issuer that gave no answer; not `trusted` if its certificate was not accepted."""
    check = "the function's route to it (address, proxy)" if trusted else "its address and AWS_CA_BUNDLE"
    return IssuerUnavailableException(
        f"The issuer could not be used ({what}), after retries if they were safe. Try again later; if this persists, "
        f"check the issuer's status page and {check}."
    )


def no_token_answer(why: str) -> RefreshTokenError:
    """Return the error for an answer that no token endpoint gives."""
    return nonsense(
        why,
        "Nothing was stored, but the previous token may be dead. Check the issuer's address (oauth2_token_url, "
        "figma_base_url, issuer_params); if it is right, look for a newer version of this stack.",
    )
