"""What alarms and dashboard watch is what the function really prints: namespace, name, dimensions."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from refresh_token.adapters.secrets_manager import secrets_manager_client
from refresh_token.errors import RefreshTokenError
from tests.support.events import TICK
from tests.support.function_environment import SERVICE
from tests.support.lambda_context import LambdaContext
from tests.support.moto_function import Lines, MotoFunction
from tests.support.synthesised import STAGES
from tests.support.template import environment, resources
from tests.support.ui_builder_server import good, refusal

Metric = tuple[str, str, tuple[tuple[str, str], ...]]
ANY = "<any>"


def printed_metrics(lines: list[dict[str, Any]], service: str) -> set[Metric]:
    """Return the metrics of EMF lines; `service` stands for that of the test, and any reason for any."""
    names = {SERVICE: service}
    return {
        (
            directive["Namespace"],
            metric["Name"],
            tuple(
                sorted(
                    (key, ANY if key == "reason" else names.get(line[key], line[key]))
                    for dimensions in directive["Dimensions"]
                    for key in dimensions
                )
            ),
        )
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in directive["Metrics"]
    }


@pytest.fixture
def lines(deployment: MotoFunction, printed: Lines) -> list[dict[str, Any]]:
    """What the function prints when all that can happen happens."""

    def tick(**more: Any) -> None:
        try:
            deployment.invoke(TICK, **more)
        except RefreshTokenError:
            """It is in the log, which is what is read here."""

    deployment.seed("advisory")
    deployment.issuer.answer(refusal(503))
    tick()
    deployment.issuer.answer(good())
    tick()
    deployment.seed("expired")
    deployment.issuer.answer(refusal(400, "InvalidParameterException"))
    tick()
    deployment.seed("mandatory")
    deployment.issuer.answer(good())
    moves = "before-call.secretsmanager.UpdateSecretVersionStage"

    def hang_up(**_: object) -> None:
        raise ConnectionClosedError(endpoint_url="https://nowhere")

    secrets_manager_client().meta.events.register(moves, hang_up)
    already = len(deployment.issuer.seen)
    tick(context=LambdaContext(lambda: 1.0 if len(deployment.issuer.seen) > already else 60.0))
    return printed()


def dashboard_metrics(stage: str) -> set[Metric]:
    (dashboard,) = resources(stage, "AWS::CloudWatch::Dashboard")
    separator, parts = dashboard["DashboardBody"]["Fn::Join"]
    widgets = json.loads(separator.join(part if isinstance(part, str) else "x" for part in parts))["widgets"]
    found: set[Metric] = set()
    for entry in (entry for widget in widgets for entry in widget["properties"].get("metrics", [])):
        if isinstance(entry[0], str) and not entry[0].startswith("AWS/"):
            namespace, name, *rest = entry
            pairs = [text for text in rest if isinstance(text, str)]
            found.add((namespace, name, tuple(sorted(zip(pairs[::2], pairs[1::2], strict=True)))))
        elif isinstance(entry[0], dict):
            schema, _, terms = entry[0]["expression"].removeprefix("SEARCH('{").partition("} ")
            namespace, *keys = schema.split(",")
            wanted = dict(term.split("=") for term in terms.split("'")[0].split())
            values = {key: wanted.get(key, f'"{ANY}"').strip('"') for key in keys}
            found.add((namespace, wanted["MetricName"].strip('"'), tuple(sorted(values.items()))))
    return found


@pytest.mark.usefixtures("fast_retries")
@pytest.mark.parametrize("stage", STAGES)
def test_alarms_and_dashboard_watch_what_the_function_prints(stage: str, lines: list[dict[str, Any]]) -> None:
    printed = printed_metrics(lines, environment(stage)["POWERTOOLS_SERVICE_NAME"])
    alarms: set[Metric] = {
        (alarm["Namespace"], alarm["MetricName"], tuple((one["Name"], one["Value"]) for one in alarm["Dimensions"]))
        for alarm in resources(stage, "AWS::CloudWatch::Alarm")
        if not alarm["Namespace"].startswith("AWS/")
    }
    assert len(alarms) == 4
    assert len(dashboard_metrics(stage)) == 7
    assert alarms - printed == set(), "an alarm that would never go off"
    assert dashboard_metrics(stage) - printed == set(), "a line that would stay empty"
    assert printed - alarms - dashboard_metrics(stage) == set(), "a metric that nobody looks at"
