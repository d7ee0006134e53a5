"""The three functions of a fleet, from one asset, and what each may do."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from aws_cdk import RemovalPolicy
from constructs import Construct

from refresh_token.environment import EVENT_BUS
from refresh_token.fleet.pacing import TICK_TIMEOUT
from token_refresher.constructs.app_secret import read_credentials
from token_refresher.constructs.fleet import permissions
from token_refresher.constructs.fleet.connection_table import ConnectionTable
from token_refresher.constructs.fleet.fleet_environment import environment
from token_refresher.constructs.fleet.fleet_function import FleetFunction
from token_refresher.constructs.fleet.moved_secret import serve_moved_secret
from token_refresher.constructs.fleet.provider_rows import Beside, Provider
from token_refresher.constructs.fleet.work_queue import WorkQueue
from token_refresher.constructs.statements import refresh_at_ui_builder, send_events
from token_refresher.props import SharedProps
from token_refresher.settings.fleet_settings import StandAloneSettings


def functions(  # noqa: PLR0913 (keyword-only)
    scope: Construct,
    *,
    settings: StandAloneSettings,
    props: SharedProps,
    asset: Path,
    rows: Sequence[Provider],
    store: ConnectionTable,
    work: WorkQueue,
    beside: Beside | None,
    service_name: str,
    removal_policy: RemovalPolicy,
    emulator: bool,
) -> tuple[FleetFunction, FleetFunction, FleetFunction]:
    """Add the function that consumers ask, the worker and the dispatcher, and return them."""
    variables, layers = environment(
        scope, settings=settings, props=props, rows=rows, store=store, queue=work.queue, service_name=service_name
    )
    own = permissions.keep_connections(store.table, store.key, emulator=emulator)
    if beside:
        serve_moved_secret(beside.refresh, variables, own)
    secrets = [row.app_secret for row in rows if row.app_secret]
    refresh = [
        *own,
        *(read_credentials(secrets) if secrets else []),
        *([refresh_at_ui_builder()] if any(row.issuer.calls_ui_builder for row in rows) else []),
        send_events(scope, variables[EVENT_BUS]),
    ]
    function = partial(
        FleetFunction,
        scope,
        settings=settings,
        props=props,
        asset=asset,
        variables=variables,
        layers=layers,
        removal_policy=removal_policy,
    )
    ask = function(
        "Ask",
        description="Hands out the live access token of a connection.",
        handler="connections_handler",
        statements=refresh,
        timeout=settings["timeout_seconds"],
        snap_start=settings["snap_start"],
        reserved_concurrency=None if beside else settings["reserved_concurrency"],
    )
    worker = function(
        "Worker",
        description="Refreshes the connections that the queue brings.",
        handler="worker_handler",
        statements=[*refresh, *permissions.take_work(work.queue)],
        timeout=work.worker_timeout,
    )
    dispatcher = function(
        "Dispatcher",
        description="Sends the connections that are due to the queue.",
        handler="dispatcher_handler",
        statements=permissions.dispatch(store.table, store.key, work.queue, emulator=emulator),
        timeout=TICK_TIMEOUT,
    )
    return ask, worker, dispatcher
