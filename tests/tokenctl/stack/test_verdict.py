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
    "refreshable": True,
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
REFRESHING = "refresh with `tokenctl refresh --stage prod`"
REFRESH = f"DEAD: {REFRESHING}. "
MEND = "docs/runbook.md#configurationexception"
UNTIL = "consumers get the token until 2027-01-01T00:00:00Z."

ERROR = "The last refresh failed with IssuerUnavailableException, and consumers get an error."
NEWER = "A newer token was issued but could not be stored, so the stored one is dead."
LAST = "DEGRADED the last refresh failed with IssuerUnavailableException"
GONE = f"{AGAIN}The issuer refused it; consumers get an error."
FIRST = {"window": "unknown", "hasAccessToken": False}
ALONE = {"refreshable": False}
TROUBLES = {"refused": ["in ALARM: X"], "trouble around it": ["the schedule is DISABLED", "1 message"]}
VERDICTS: dict[str, tuple[dict[str, Any], str]] = {
    "fresh": ({}, "HEALTHY"),
    "advisory": ({"window": "advisory"}, "HEALTHY"),
    "mandatory": ({"window": "mandatory"}, "DEGRADED the token is about to expire and has not been refreshed"),
    "expired": (EXPIRED, "DEGRADED the token has expired and has not been refreshed"),
    "unknown": ({"window": "unknown"}, "DEGRADED nobody knows when the token expires"),
    "at rest": ({**EXPIRED, "onDemand": True}, "HEALTHY"),
    "first refresh to come": (FIRST, "HEALTHY"),
    "first refresh failed through the deployment": (
        {**FIRST, "failure": "ConfigurationException"},
        f"DEAD: see {MEND}, then {REFRESHING}. {ERROR.replace('IssuerUnavailable', 'Configuration')}",
    ),
    "first refresh failed": ({**FIRST, **UNAVAILABLE}, f"{REFRESH}{ERROR}"),
    "no pair": ({"error": "no", "noPair": True}, f"{AGAIN}The secret holds nothing that the function can use."),
    "revoked": (
        {"error": "no", "noPair": True, "revokedAt": "2026-11-02T00:00:00Z"},
        f"{AGAIN}The grant was revoked with tokenctl on 2026-11-02T00:00:00Z, and consumers get an error.",
    ),
    "deleted": (
        {"error": "no", "noPair": False, "restore": "`tokenctl repair`"},
        "DEAD: restore the secret: `tokenctl repair`. Somebody has deleted it, and consumers get an error.",
    ),
    "unreadable": ({"error": "no", "noPair": False}, "DEGRADED the secret cannot be read"),
    "another issuer's": ({"mismatch": "it is not ours"}, f"{AGAIN}It is not ours; {UNTIL}"),
    "refused": (REFUSED, f"{AGAIN}The issuer refused it; {UNTIL}"),
    "refused, ended": ({**EXPIRED, **REFUSED}, GONE),
    "refused at rest": ({**EXPIRED, **REFUSED, "onDemand": True}, GONE),
    "not stored": ({"failure": "TokenNotStoredException"}, f"{REFRESH}{NEWER}"),
    "failed": (UNAVAILABLE, LAST),
    "failed, ended": ({**EXPIRED, **UNAVAILABLE}, f"{REFRESH}{ERROR}"),
    "no refresh token": (
        {**ALONE, "expiresAt": None},
        f"DEGRADED there is no refresh token: {RENEWAL} before the token ends",
    ),
    "no refresh token, ended": ({**ALONE, **EXPIRED}, f"{AGAIN}The token has ended, and consumers get an error."),
    "grant ends": ({"grantEnding": True}, f"DEGRADED the grant ends 2027-02-01T00:00:00Z: {RENEWAL}"),
    "trouble around it": (UNAVAILABLE, f"{LAST}; the schedule is DISABLED; 1 message"),
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


@pytest.mark.parametrize("case", VERDICTS)
def test_facts_become_a_verdict(case: str) -> None:
    facts, line = VERDICTS[case]
    commands = Commands(renew="tokenctl authorize --stage prod", refresh="tokenctl refresh --stage prod", static=False)
    given = facts if "error" in facts else FRESH | facts
    assert str(verdict_of(given, TROUBLES.get(case, []), commands)) == line


def test_an_app_needs_no_pair() -> None:
    commands = Commands(renew="r", refresh="f", static=False, empty="tokenctl seed --stage prod", signs_in=False)
    line = "DEAD: store `{}` with `tokenctl seed --stage prod`. The secret holds nothing that the function can use."
    assert str(verdict_of({"error": "no", "noPair": True}, [], commands)) == line


def test_a_dead_pair_comes_before_failing_requests() -> None:
    commands = Commands(renew="tokenctl authorize --stage prod", refresh="tokenctl refresh --stage prod", static=False)
    failing = [{"text": "every request has failed", "fix": "see X"}]
    assert str(verdict_of(FRESH, ["trouble"], commands, failing=failing)) == "DEAD: see X. Every request has failed."
    assert str(verdict_of({**FRESH, **EXPIRED, **REFUSED}, [], commands, failing=failing)) == GONE


@pytest.mark.parametrize(("facts", "line"), STATIC_VERDICTS.values(), ids=STATIC_VERDICTS)
def test_a_token_that_a_person_renews(facts: dict[str, Any], line: str) -> None:
    commands = Commands(renew="tokenctl rotate --stage prod", refresh="tokenctl refresh --stage prod", static=True)
    assert str(verdict_of({**FRESH, "refreshable": False, **facts}, [], commands)).startswith(line)
