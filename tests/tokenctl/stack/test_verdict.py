"""The verdict of `tokenctl status` and `tokenctl doctor`, from the facts in the report."""

from typing import Any

import pytest

from tokenctl.stack.verdict import Commands, verdict_of

FRESH: dict[str, Any] = {
    "window": "fresh",
    "expiresAt": "2027-01-01T00:00:00Z",
    "secondsLeft": 60 * 86_400,
    "mismatch": None,
    "hasAccessToken": True,
    "hasRefreshToken": True,
    "onDemand": False,
    "failure": None,
    "grantEnding": False,
    "grantEndsAt": "2027-02-01T00:00:00Z",
}
EXPIRED = {"window": "expired", "secondsLeft": -5}
REFUSED = {"failure": "ReauthorizationRequiredException"}
UNAVAILABLE = {"failure": "IssuerUnavailableException"}
RENEWAL = "sign in again with `tokenctl authorize --stage prod`"
AGAIN = f"DEAD: {RENEWAL}. "
REFRESH = "DEAD: refresh with `tokenctl refresh --stage prod`. "
UNTIL = "consumers get the token until 2027-01-01T00:00:00Z."

VERDICTS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "fresh": ({}, [], "HEALTHY"),
    "advisory": ({"window": "advisory"}, [], "HEALTHY"),
    "mandatory": ({"window": "mandatory"}, [], "DEGRADED the token is about to expire and has not been refreshed"),
    "expired": (EXPIRED, [], "DEGRADED the token has expired and has not been refreshed"),
    "unknown": ({"window": "unknown"}, [], "DEGRADED nobody knows when the token expires"),
    "at rest": ({**EXPIRED, "onDemand": True}, [], "HEALTHY"),
    "first refresh to come": ({"window": "unknown", "hasAccessToken": False}, [], "HEALTHY"),
    "first refresh failed": (
        {"window": "unknown", "hasAccessToken": False, **UNAVAILABLE},
        [],
        f"{REFRESH}The last refresh failed with IssuerUnavailableException, and consumers get an error.",
    ),
    "no pair": ({"error": "no", "noPair": True}, [], f"{AGAIN}The secret holds nothing that the function can use."),
    "unreadable": ({"error": "no", "noPair": False}, [], "DEGRADED the secret cannot be read"),
    "another issuer's": ({"mismatch": "it is not ours"}, [], f"{AGAIN}It is not ours; {UNTIL}"),
    "refused": (REFUSED, ["in ALARM: X"], f"{AGAIN}The issuer refused it; {UNTIL}"),
    "refused, ended": ({**EXPIRED, **REFUSED}, [], f"{AGAIN}The issuer refused it; consumers get an error."),
    "refused at rest": (
        {**EXPIRED, **REFUSED, "onDemand": True},
        [],
        f"{AGAIN}The issuer refused it; consumers get an error.",
    ),
    "not stored": (
        {"failure": "TokenNotStoredException"},
        [],
        f"{REFRESH}A newer token was issued but could not be stored, so the stored one is dead.",
    ),
    "rejected": (
        {"rejected": True},
        ["see probe"],
        f"{REFRESH}The provider does not accept the token that consumers get.",
    ),
    "rejected for good": (
        {"rejected": True, "hasRefreshToken": False},
        [],
        f"{AGAIN}The provider does not accept the token that consumers get.",
    ),
    "failed": (UNAVAILABLE, [], "DEGRADED the last refresh failed with IssuerUnavailableException"),
    "failed, ended": (
        {**EXPIRED, **UNAVAILABLE},
        [],
        f"{REFRESH}The last refresh failed with IssuerUnavailableException, and consumers get an error.",
    ),
    "no refresh token": (
        {"hasRefreshToken": False, "expiresAt": None},
        [],
        f"DEGRADED there is no refresh token: {RENEWAL} before the token ends",
    ),
    "no refresh token, ended": (
        {"hasRefreshToken": False, **EXPIRED},
        [],
        f"{AGAIN}The token has ended, and consumers get an error.",
    ),
    "grant ends": (
        {"grantEnding": True},
        [],
        f"DEGRADED the grant ends 2027-02-01T00:00:00Z: {RENEWAL}",
    ),
    "trouble around it": (
        UNAVAILABLE,
        ["the schedule is DISABLED", "1 message"],
        "DEGRADED the last refresh failed with IssuerUnavailableException; the schedule is DISABLED; 1 message",
    ),
}

STATIC_VERDICTS: dict[str, tuple[dict[str, Any], str]] = {
    "fresh": ({"secondsLeft": 31 * 86_400}, "HEALTHY"),
    "ends soon": (
        {"secondsLeft": 29 * 86_400},
        "DEGRADED the token ends 2027-01-01T00:00:00Z: store a new token with `tokenctl rotate --stage prod` before",
    ),
    "ended": (EXPIRED, "DEAD: store a new token with `tokenctl rotate --stage prod`. The token has ended, and"),
    "reported": (REFUSED, "DEAD: store a new token with `tokenctl rotate --stage prod`. The token was reported dead."),
}


@pytest.mark.parametrize(("facts", "troubles", "line"), VERDICTS.values(), ids=VERDICTS)
def test_facts_become_a_verdict(facts: dict[str, Any], troubles: list[str], line: str) -> None:
    commands = Commands(renew="tokenctl authorize --stage prod", refresh="tokenctl refresh --stage prod", static=False)
    assert str(verdict_of(FRESH | facts if "error" not in facts else facts, troubles, commands)) == line


@pytest.mark.parametrize(("facts", "line"), STATIC_VERDICTS.values(), ids=STATIC_VERDICTS)
def test_a_token_that_a_person_renews(facts: dict[str, Any], line: str) -> None:
    commands = Commands(renew="tokenctl rotate --stage prod", refresh="tokenctl refresh --stage prod", static=True)
    assert str(verdict_of({**FRESH, "hasRefreshToken": False, **facts}, [], commands)).startswith(line)
