"""`tokenctl errors`: what failed since the function last worked."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.deployment import Deployment
from tests.support.command_line import Tokenctl
from tests.support.deployed_stack import put_secret
from tests.support.events import TICK
from tests.support.processes import wait_until
from tests.support.windows import ADVISORY, FRESH

pytestmark = pytest.mark.xdist_group("deployed")

LIFE = {"refreshedAt": "2026-01-01T00:00:00Z"}
REFUSED = "ReauthorizationRequiredException"


def report(tokenctl: Tokenctl, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the report, as soon as the log shows what is wanted."""

    def read() -> dict[str, Any] | None:
        found: dict[str, Any] = tokenctl("errors", "--output", "json").json
        return found if wanted(found) else None

    return wait_until(read)


def seed(stack: Deployment, left: timedelta) -> str:
    return stack.seed(stack.cloud.standin.grant(), expires_in=left, **LIFE)


def test_counts_failed_requests_until_it_works(tokenctl: Tokenctl, stack: Deployment) -> None:
    seed(stack, FRESH)
    assert not stack.invoke(TICK).failed
    stack.cloud.standin.revoke()
    for event in ({"force": True}, {"force": True}, {"provider": "sketch"}):
        assert stack.invoke(event).failed
    found = report(tokenctl, lambda found: len(found["errors"]) == 2)
    refused, invalid = found["errors"]
    assert (refused["reason"], refused["requests"]) == (REFUSED, 2)
    assert refused["runbook"] == "docs/runbook.md#reauthorizationrequiredexception"
    assert (invalid["reason"], invalid["requests"]) == ("InvalidParameterException", 1)
    assert found["lastSuccess"] <= refused["lastAt"] <= found["readAt"]
    done = tokenctl("errors")
    assert done.code == 0
    assert done.out.startswith("Failed since the function last worked, ")
    assert f"\n{REFUSED}: 2 requests, last " in done.out
    assert "  see docs/runbook.md#reauthorizationrequiredexception\n" in done.out

    time.sleep(1)  # versions have whole seconds
    put_secret(stack, SecretString="{}")
    assert stack.invoke({}).failed
    found = report(tokenctl, lambda found: [row["reason"] for row in found["errors"]] == ["SecretNotSeededException"])
    assert "`tokenctl authorize --stage local`" in found["errors"][0]["detail"]
    assert tokenctl("errors").out.startswith("Failed since the current pair was stored, ")

    seed(stack, FRESH)
    assert not stack.invoke(TICK).failed
    report(tokenctl, lambda found: found["errors"] == [])
    assert tokenctl("errors").out.startswith("Nothing failed since the function last worked, ")


def test_a_failed_refresh_counts_while_tokens_last(tokenctl: Tokenctl, stack: Deployment) -> None:
    seed(stack, ADVISORY)
    stack.cloud.standin.fail("RefreshToken", status=503, times=None)
    assert stack.invoke(TICK).payload["outcome"] == "degraded"
    found = report(tokenctl, lambda found: found["errors"] != [])
    assert [(row["reason"], row["requests"]) for row in found["errors"]] == [("IssuerUnavailableException", 0)]
    assert "\nIssuerUnavailableException: the last refresh, last " in tokenctl("errors").out
    stack.cloud.standin.reset()
    seed(stack, FRESH)
    report(tokenctl, lambda found: found["errors"] == [])
