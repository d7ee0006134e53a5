"""How much room the screen of `tokenctl status` takes."""

from rich.console import Console

from tokenctl.terminal.status_screen import render

TROUBLE = {
    "stack": "RefreshToken-prod",
    "region": "eu-central-1",
    "readAt": "2026-11-26T12:00:00Z",
    "verdict": {
        "health": "DEAD",
        "text": "sign in again with `tokenctl authorize --stage prod`. The issuer refused it; consumers get the token "
        "until 2026-11-29T12:00:00Z.",
    },
    "issuer": "figma",
    "token": {
        "window": "advisory",
        "onDemand": False,
        "mismatch": None,
        "failure": "ReauthorizationRequiredException",
        "hasAccessToken": True,
        "hasRefreshToken": True,
        "lifeUsed": 0.97,
        "lifetimeSeconds": 7776000,
        "expiresAt": "2026-11-29T12:00:00Z",
        "secondsLeft": 259200,
        "refreshedAt": "2026-08-31T12:00:00Z",
        "issuedBy": {"issuer": "figma", "host": "api.figma.com"},
        "grantEndsAt": "2027-01-01T00:00:00Z",
        "grantEnding": False,
    },
    "versions": [{"versionId": "a" * 36, "stages": ["AWSCURRENT"], "createdAt": "2026-08-31T12:00:00Z"}] * 9,
    "lastOutcome": {
        "at": "2026-11-26T11:00:00Z",
        "outcome": "failed",
        "reason": "ReauthorizationRequiredException",
        "detail": "The issuer refuses the refresh token. Sign in again with `tokenctl authorize --stage prod`.",
    },
    "schedule": {
        "state": "ENABLED",
        "expression": "rate(12 hours)",
        "timezone": "UTC",
        "nextRun": "2026-11-26T20:00:00Z",
    },
    "alarms": [
        {
            "name": f"alarm-{number}",
            "state": state,
            "since": "2026-11-26T11:00:00Z",
            "description": "What it means. " * 9,
        }
        for number, state in enumerate(["ALARM"] * 2 + ["OK"] * 9 + ["INSUFFICIENT_DATA"])
    ],
    "deadLetterQueue": {"messages": 2},
}


def test_it_fits_a_small_terminal_when_watched() -> None:
    console = Console(width=80, height=24)
    with console.capture() as shown:
        console.print(render(TROUBLE, interval=5))
    lines = shown.get().splitlines()
    assert len(lines) < 24, shown.get()
    assert "dead letters  2 waiting" in lines[-1]
