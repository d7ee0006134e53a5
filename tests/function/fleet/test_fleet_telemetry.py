"""What operators see of a fleet: metrics without a connection, and log lines with one."""

from collections.abc import Iterator
from typing import Any

import pytest

from refresh_token import errors
from refresh_token.adapters.fleet_telemetry import FleetTelemetry
from refresh_token.fleet.ports import Look
from tests.support.function_environment import SERVICE
from tests.support.moto_function import Lines

NAME = "acme/u1"
BUSY = Look("figma", due=70, sent=60, oldest_overdue=9, overdue=4, braked=False, changed=False)
BRAKED = Look("linear", due=30, sent=5, oldest_overdue=80, overdue=0, braked=True, changed=True)


@pytest.fixture
def telemetry(current_stdout: None) -> Iterator[FleetTelemetry]:  # noqa: ARG001 - it logs
    telemetry = FleetTelemetry()
    telemetry.serving(NAME)
    with telemetry.invocation("lambda-1"):
        yield telemetry


def measured(lines: list[dict[str, Any]]) -> dict[tuple[str, ...], list[float]]:
    """Return the values of each metric, by its name and its dimensions other than the service."""
    found: dict[tuple[str, ...], list[float]] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "RefreshToken"
            assert line["service"] == SERVICE
            (dimensions,) = directive["Dimensions"]
            assert set(dimensions) <= {"service", "provider", "reason"}
            others = [line[name] for name in dimensions if name != "service"]
            for metric in directive["Metrics"]:
                found.setdefault((metric["Name"], *others), []).extend(line[metric["Name"]])
    assert NAME not in str(sorted(found))
    return found


def test_a_tick_measures_the_fleet(telemetry: FleetTelemetry, printed: Lines) -> None:
    telemetry.dispatched([BUSY, BRAKED], stuck=2)
    telemetry._flush()
    lines = printed()
    assert measured(lines) == {
        ("Dispatched",): [1],
        ("Due",): [100],
        ("Sent",): [65],
        ("OldestOverdueSeconds",): [80],
        ("OverdueConnections",): [4],
        ("Braked",): [1],
        ("Stuck",): [2],
        ("Due", "figma"): [70],
        ("Sent", "figma"): [60],
        ("Braked", "figma"): [0],
        ("Due", "linear"): [30],
        ("Sent", "linear"): [5],
        ("Braked", "linear"): [1],
    }
    logged = [line for line in lines if "level" in line]
    assert [line["level"] for line in logged] == ["WARNING", "INFO"]
    assert (logged[0]["provider"], logged[0]["message"].startswith("The provider is braked")) == ("linear", True)


FAULTS = ["ConfigurationException", "IssuerProtocolException", "RuntimeError"]
OTHERS = [
    *("IssuerUnavailableException", "ReauthorizationRequiredException", "TokenNotStoredException"),
    *("SecretMalformedException", "ConnectionNotFoundException", "ConnectionPausedException"),
]


@pytest.mark.parametrize("reason", [*FAULTS, *OTHERS, "a table that does not answer"])
def test_only_our_own_faults_count(reason: str, telemetry: FleetTelemetry, printed: Lines) -> None:
    error: Exception = errors.error_named(reason)("told") if reason != "RuntimeError" else RuntimeError("canary")
    if reason.startswith("a table"):
        error = errors.SecretUnavailableException("told")
        error.passing = True
    telemetry.work_failed(error, again=True)
    telemetry._flush()
    lines = printed()
    counts = measured(lines)
    assert counts["Failures",] == [1]
    assert (("Faults",) in counts) == (reason in FAULTS)
    (logged,) = [line for line in lines if "level" in line]
    assert (logged["connection"], logged["reason"]) == (NAME, type(error).__name__)


def test_one_connection_is_no_gauge(telemetry: FleetTelemetry, printed: Lines) -> None:
    telemetry.token_age(version_id="V1", seconds_left=None, overdue=True)
    telemetry.grant_age(seconds_left=1.0, ending=True)
    telemetry.grant_state(needs_sign_in=True, pair_not_stored=True)
    telemetry.refreshed(old="V1", new="V2", recovered_from="IssuerUnavailableException")
    telemetry.refresh_failed(errors.ReauthorizationRequiredException("refused"), version_id="V2", first=True)
    telemetry.refresh_failed(errors.TokenNotStoredException("lost"), version_id="V2", first=True)
    lines = printed()
    assert {name for name, *reasons in measured(lines) if not reasons} == {
        *("Refreshed", "Recovered", "RefreshFailed", "ReauthorizationRequired", "TokenNotStored")
    }
    assert {line["connection"] for line in lines if "level" in line} == {NAME}
