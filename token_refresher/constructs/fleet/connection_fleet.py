"""A fleet as one construct, for our own stack and for yours.

Beside a refresher, `TokenRefresher.add_fleet` makes one. Alone:

    from token_refresher import ConnectionFleet, Issuer

    fleet = ConnectionFleet(self, "Fleet", providers=[Issuer.profile("linear")], alarm_email="on-call@example.com")
    fleet.grant_invoke(consumer)
    consumer.add_environment("FUNCTION_NAME", fleet.alias.function_arn)
    consumer.add_layers(fleet.layer)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from token_refresher.bundling.bundle import function_bundle
from token_refresher.constructs.client_layer import ClientLayer
from token_refresher.constructs.consumers import offer
from token_refresher.constructs.fleet.connection_table import ConnectionTable
from token_refresher.constructs.fleet.fleet_function import live_alias
from token_refresher.constructs.fleet.fleet_functions import functions
from token_refresher.constructs.fleet.fleet_parts import FleetParts
from token_refresher.constructs.fleet.fleet_watch import watch
from token_refresher.constructs.fleet.provider_rows import Beside, rows_of
from token_refresher.constructs.fleet.work_queue import WorkQueue
from token_refresher.constructs.notices import notify, warn_of_bottlenecks
from token_refresher.constructs.only_one import claim
from token_refresher.constructs.refresh_schedule import RefreshSchedule
from token_refresher.constructs.service_name import checked_service_name
from token_refresher.fleet_providers import app_secret_faults, faults_of
from token_refresher.issuers import Issuer
from token_refresher.prop_rules import arguments_faults
from token_refresher.props import FleetProps, SharedProps, split
from token_refresher.settings.fleet_settings import StandAloneSettings, checked_fleet
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.setting import settings_of

_BATCH = 10
_PER_MESSAGE = 20
"""Seconds that a worker may spend on one message."""
_SPARE = 10
"""Seconds of a worker for everything else."""


class FleetOptions(StandAloneSettings, FleetProps, total=False):
    """What `ConnectionFleet` takes: settings and props."""


class ConnectionFleet(FleetParts):
    """Keeps many connections alive: table, queue, dispatcher, workers, and the function that consumers ask.

    It needs no context, feature flags or Docker, and only the parameters below `parameter_path` have fixed names. Each
    group of consumers gets a fleet of its own: whoever may invoke the alias gets the tokens of all its connections.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        providers: Sequence[Issuer],
        service_name: str | None = None,
        parameter_path: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        asset: Path | None = None,
        emulator: bool = False,
        beside: Beside | None = None,
        **options: Unpack[FleetOptions],
    ) -> None:
        """Add the resources to `scope`.

        Args:
            scope: The stack, or a construct in it.
            construct_id: The name in `scope`.
            providers: Whose connections these are: each one with its app.
            service_name: The dimension `service` of the metrics. Nothing else in the same account and region may use
                it. By default it is the outermost stack's name and the construct's path in it.
            parameter_path: Parameter Store gets the alias's ARN as `<path>/connections-function-arn`, and of a fleet
                that stands alone the layer's as `<path>/client-layer-arn`. By default it gets neither.
            removal_policy: What happens to the table, its key and the logs when the stack is deleted. Unless they are
                destroyed, the table also refuses to be deleted. The secrets with the apps' credentials always remain.
            asset: The functions' folder from `token_refresher.bundling`. By default the construct builds it.
            emulator: Leave out what local AWS emulators cannot deploy, watch or enforce: alarms on metric maths,
                composite alarms, and conditions on encryption contexts and partition keys.
            beside: What the fleet shares with a refresher. `TokenRefresher.add_fleet` passes it.
            **options: The fields of `StandAloneSettings`, with its rules and defaults, and those of `FleetProps`.

        Raises:
            SettingsError: one or more arguments break their rules; with a line for each.
            BundlingError: the functions' bundle could not be built.

        """
        super().__init__(scope, construct_id)
        faults = arguments_faults(
            service_name=service_name,
            parameter_path=parameter_path,
            removal_policy=removal_policy,
            asset=asset,
            emulator=emulator,
        )
        if faults := faults or faults_of(providers):
            raise SettingsError(faults)
        props, given = split(options, [*settings_of(StandAloneSettings)], Stack.of(self), kind=FleetProps)
        app_secrets = options.get("app_secrets") or {}
        if faults := app_secret_faults(app_secrets, providers, beside.issuer if beside else None):
            raise SettingsError(faults)
        settings = checked_fleet(given)
        warn_of_bottlenecks(self, settings)
        self.service_name = checked_service_name(self, service_name)
        claim(self, "service_name", self.service_name, because="Their metrics would be one, and so their alarms")
        if "permissions_boundary" in props:
            iam.PermissionsBoundary.of(self).apply(props["permissions_boundary"])
        asset = asset or function_bundle(settings["architecture"])
        if beside is None:
            notify(self, providers, asset=asset, emulator=emulator)

        # A killed worker then costs one grant at most.
        batch = 1 if any(issuer.replaces_refresh_tokens for issuer in providers) else _BATCH
        store = ConnectionTable(self, "Store", key=props.get("encryption_key"), removal_policy=removal_policy)
        self.table, self.key = store.table, store.key
        work = WorkQueue(
            self,
            "Work",
            key=props.get("queue_key"),
            worker_timeout=max(settings["timeout_seconds"], batch * _PER_MESSAGE + _SPARE),
        )
        self.queue, self.dead_letter_queue = work.queue, work.dead_letters
        own_key = settings["customer_managed_key"] or "encryption_key" in props
        rows = rows_of(self, providers, beside, existing=app_secrets, key=self.key if own_key else None)
        self.app_secret_arns = {row.name: row.app_secret.arn for row in rows if row.app_secret}
        ask, worker, dispatcher = functions(
            self,
            settings=settings,
            props=props,
            asset=asset,
            rows=rows,
            store=store,
            work=work,
            beside=beside,
            service_name=self.service_name,
            removal_policy=removal_policy,
            emulator=emulator,
        )
        self.ask_function, self.worker, self.dispatcher = ask.function, worker.function, dispatcher.function
        self.alias = live_alias(self, self.ask_function)
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.worker,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch,
            max_concurrency=settings["max_workers"],
            report_batch_item_failures=True,
        )
        RefreshSchedule(
            self,
            "Schedule",
            description="Sends the connections that are due to the workers.",
            expression="rate(1 minute)",
            enabled=settings["schedule_enabled"],
            target=self.dispatcher,
            dead_letters=None,
        )
        monitoring, self.dashboard = watch(
            self,
            settings=settings,
            props=props,
            beside=beside,
            providers=[row.name for row in rows],
            attempts=work.all_attempts,
            log_groups=[one.log_group.log_group_name for one in (ask, worker, dispatcher)],
            emulator=emulator,
        )
        self.topic = monitoring.topic if monitoring else None
        self.alarms = monitoring.alarms if monitoring else []
        self.composite_alarms = monitoring.composites if monitoring else None
        self._offer(settings, props, parameter_path, beside)

    def _offer(self, settings: StandAloneSettings, props: SharedProps, path: str | None, beside: Beside | None) -> None:
        """Let consumers find and use the function, and the client if no refresher offers it."""
        self._title = "OAuth"
        stack = Stack.of(self).node.addr
        if beside:
            self._layers = beside.layers
        else:
            self._layers = (
                {stack: ClientLayer(self, "Client", title=self._title).layer} if settings["client_layer"] else {}
            )
        self.layer = self._layers.get(stack)
        offer(
            self,
            alias=self.alias,
            parameter="connections-function-arn",
            layer=None if beside else self.layer,
            path=path,
            accounts=props.get("consumer_accounts", ()),
        )
