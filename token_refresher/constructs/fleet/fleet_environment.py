"""The variables of a fleet's functions, and their layers."""

from collections.abc import Sequence

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from refresh_token.environment import ADVISORY_WINDOW, CONNECTIONS_TABLE, EVENT_BUS, MANDATORY_WINDOW
from refresh_token.fleet import settings as names
from token_refresher.constructs.ca_layer import CA_PATH, ca_layer
from token_refresher.constructs.fleet.connection_table import ConnectionTable
from token_refresher.constructs.fleet.provider_rows import Provider, to_variable
from token_refresher.constructs.python_function import MAX_VARIABLES, size_of
from token_refresher.props import SharedProps
from token_refresher.settings.fleet_settings import StandAloneSettings
from token_refresher.settings.reader import SettingsError


def environment(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    settings: StandAloneSettings,
    props: SharedProps,
    rows: Sequence[Provider],
    store: ConnectionTable,
    queue: sqs.IQueue,
    service_name: str,
) -> tuple[dict[str, str], list[lambda_.ILayerVersion]]:
    """Return the variables of all three functions, and the layers.

    Raises:
        SettingsError: Lambda would refuse so many variables.

    """
    layers = [*props.get("layers", ())]
    variables = {
        **props.get("environment", {}),
        CONNECTIONS_TABLE: store.table.table_name,
        names.CONNECTIONS_KEY: store.key.key_arn,
        names.CONNECTIONS_QUEUE_URL: queue.queue_url,
        names.PROVIDERS: to_variable(rows),
        ADVISORY_WINDOW: str(settings["advisory_window_hours"] * 3600),
        MANDATORY_WINDOW: str(settings["mandatory_window_hours"] * 3600),
        names.REFRESHES_PER_SECOND: str(settings["refreshes_per_second"]),
        names.CONNECTION_POLICY: settings["connection_policy"],
        EVENT_BUS: settings["event_bus"] or "default",
        # Powertools adds it to each metric as the dimension `service`.
        "POWERTOOLS_SERVICE_NAME": service_name,
        "POWERTOOLS_LOG_LEVEL": settings["log_level"],
    }
    if settings["idle_refresh_days"]:
        variables[names.IDLE_REFRESH_DAYS] = str(settings["idle_refresh_days"])
    if settings["seal_access_tokens"]:
        variables[names.SEAL_ACCESS_TOKENS] = "true"
    if "ca_bundle" in props:
        layers.append(ca_layer(scope, props["ca_bundle"]))
        variables["AWS_CA_BUNDLE"] = CA_PATH
    if (size := size_of(variables)) > MAX_VARIABLES:
        providers = ",".join(row.name for row in rows)
        fault = f"the functions' variables would have {size} bytes, and Lambda takes at most {MAX_VARIABLES}. "
        how = "Put some of the providers into another stack, or shorten the profiles that are files of yours"
        raise SettingsError([f"providers={providers}: {fault}{how}"])
    return variables, layers
