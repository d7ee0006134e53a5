"""Everything as one construct, for our own stack and for yours.

In your app:

    from token_refresher import Issuer, TokenRefresher

    figma = TokenRefresher(self, "Figma", issuer=Issuer.figma(), alarm_email="on-call@example.com")
    figma.grant_invoke(consumer)
    consumer.add_environment("FUNCTION_NAME", figma.alias.function_arn)
    consumer.add_layers(figma.layer)

docs/infrastructure.md says how to install the package.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from token_refresher.bundling.bundle import function_bundle
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.client_layer import ClientLayer
from token_refresher.constructs.consumers import offer, publish
from token_refresher.constructs.dead_letter_queue import DeadLetterQueue
from token_refresher.constructs.fleet.connection_fleet import ConnectionFleet
from token_refresher.constructs.fleet.provider_rows import Beside
from token_refresher.constructs.lock_table import LockTable
from token_refresher.constructs.notices import notify
from token_refresher.constructs.only_one import claim
from token_refresher.constructs.refresh_function import RefreshFunction
from token_refresher.constructs.refresh_schedule import RefreshSchedule
from token_refresher.constructs.refresher_parts import RefresherParts
from token_refresher.constructs.refresher_watch import watch
from token_refresher.constructs.service_name import checked_service_name
from token_refresher.constructs.signing_key import SigningKey
from token_refresher.constructs.token_secret import TokenSecret
from token_refresher.issuers import Issuer
from token_refresher.prop_rules import arguments_faults
from token_refresher.props import SHARED_WITH_FLEET, Props, split
from token_refresher.settings.fleet_settings import FleetSettings
from token_refresher.settings.reader import SettingsError
from token_refresher.settings.refresher_settings import RefresherSettings, checked
from token_refresher.settings.resource_settings import SharedSettings
from token_refresher.settings.setting import settings_of
from token_refresher.settings.timing_settings import WindowSettings


class Options(RefresherSettings, Props, total=False):
    """What `TokenRefresher` takes: settings and props."""


class TokenRefresher(RefresherParts):
    """Keeps one token pair alive: secret, lock, function, schedule, alarms, dashboard, and the client's layer.

    It needs no context, feature flags or Docker. Only the parameters below `parameter_path` have fixed names, so a
    stack can hold several. `RefresherParts` has what an app uses of it, and the methods for its metrics.
    """

    def __init__(  # noqa: PLR0913 (keyword-only; a list of parts)
        self,
        scope: Construct,
        construct_id: str,
        *,
        issuer: Issuer | None = None,
        service_name: str | None = None,
        parameter_path: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        asset: Path | None = None,
        emulator: bool = False,
        **options: Unpack[Options],
    ) -> None:
        """Add the resources to `scope`.

        Args:
            scope: The stack, or a construct in it.
            construct_id: The name in `scope`.
            issuer: Who issues new tokens. Amplify UI Builder by default.
            service_name: The dimension `service` of the metrics. No other refresher in the same account and region may
                use it. By default it is the outermost stack's name and the construct's path in it.
            parameter_path: Parameter Store gets the alias's ARN as `<path>/function-arn` and the layer's as
                `<path>/client-layer-arn`. By default it gets neither.
            removal_policy: What happens to the pair's secret, key, lock table and logs when the stack is deleted. The
                secret with the app's credentials always remains.
            asset: The function's folder from `token_refresher.bundling`. By default the construct builds it; the first
                build needs pip and a package index.
            emulator: Leave out what local AWS emulators cannot deploy or watch: alarms on metric maths, composite
                alarms, and CodeDeploy.
            **options: The fields of `RefresherSettings`, with its rules and defaults, and those of `Props`.

        Raises:
            SettingsError: one or more arguments break their rules; with a line for each.
            BundlingError: the function's bundle could not be built.

        """
        super().__init__(scope, construct_id)
        issuer = Issuer.amplify() if issuer is None else issuer
        if faults := arguments_faults(
            issuer=issuer,
            service_name=service_name,
            parameter_path=parameter_path,
            removal_policy=removal_policy,
            asset=asset,
            emulator=emulator,
        ):
            raise SettingsError(faults)
        props, settings = split(options, [*settings_of(RefresherSettings)], Stack.of(self))
        if "app_secret" in props and not issuer.has_app:
            raise SettingsError([f"app_secret: has no effect with issuer={issuer.name}. Remove it"])
        values = checked(settings, issuer)
        if "permissions_boundary" in props:
            iam.PermissionsBoundary.of(self).apply(props["permissions_boundary"])
        self.service_name = checked_service_name(self, service_name)
        claim(self, "service_name", self.service_name, because="Their metrics would be one, and so their alarms")
        self._title = issuer.title
        self._issuer = issuer
        self._secret = TokenSecret(
            self,
            "Secret",
            props=props,
            customer_managed_key=values["customer_managed_key"],
            removal_policy=removal_policy,
            title=issuer.title,
        )
        claim(self, "secret", self._secret.arn, because="Each would refresh the other's token, and end it")
        app_secret, signing_key = None, None
        if issuer.has_app:
            app_secret = AppSecret(self, "AppSecret", existing=props.get("app_secret"), key=self._secret.key)
        if issuer.signs_with:
            signing_key = SigningKey(
                self,
                "SigningKey",
                issuer=issuer.name,
                algorithm=issuer.signs_with,
                number=issuer.signing_key_number,
            )
        lock_table = props.get("lock_table") or LockTable(self, "Lock", removal_policy=removal_policy).table
        dead_letters = (
            props.get("dead_letter_queue") or DeadLetterQueue(self, "DeadLetters", key=props.get("queue_key")).queue
        )
        asset = asset or function_bundle(values["architecture"])
        notify(self, [issuer], asset=asset, emulator=emulator)
        refresh = RefreshFunction(
            self,
            "Refresh",
            settings=values,
            props=props,
            issuer=issuer,
            service_name=self.service_name,
            asset=asset,
            secret=self._secret,
            app_secret=app_secret,
            signing_key=signing_key,
            lock_table=lock_table,
            removal_policy=removal_policy,
        )
        RefreshSchedule(
            self,
            "Schedule",
            description="Checks the token pair and refreshes it when it is due.",
            expression=values["schedule"],
            time_zone=values["schedule_time_zone"],
            enabled=values["schedule_enabled"],
            target=refresh.alias,
            dead_letters=dead_letters,
        )
        monitoring, self.dashboard = watch(
            self,
            settings=values,
            props=props,
            refreshes=issuer.refreshes,
            refresh=refresh,
            dead_letters=dead_letters,
            emulator=emulator,
        )
        layer = ClientLayer(self, "Client", title=issuer.title).layer if values["client_layer"] else None
        consumers = props.get("consumer_accounts", ())
        offer(self, alias=refresh.alias, parameter="function-arn", layer=layer, path=parameter_path, accounts=consumers)
        if signing_key:  # not for consumers
            publish(self, parameter_path, {"signing-key-arn": signing_key.arn}, [])

        names = {*settings_of(SharedSettings), *settings_of(WindowSettings), *SHARED_WITH_FLEET}
        shared: Any = {name: value for name, value in {**values, **props}.items() if name in names}
        self._fleet = partial(
            ConnectionFleet,
            self,
            "Connections",
            service_name=f"{self.service_name}-connections",
            parameter_path=parameter_path,
            removal_policy=removal_policy,
            asset=asset,
            emulator=emulator,
            beside=Beside(
                issuer=issuer,
                app_secret=app_secret,
                timing=values,
                app_key=self._secret.key,
                topic=monitoring.topic if monitoring else None,
                layers={Stack.of(self).node.addr: layer} if layer else {},
                refresh=refresh,
            ),
            **shared,
        )
        self.function = refresh.function
        self.alias = refresh.alias
        self._layers = {Stack.of(self).node.addr: layer} if layer else {}
        self.layer = layer
        self.secret_arn = self._secret.arn
        self.app_secret_arn = app_secret.arn if app_secret else None
        self.signing_key_arn = signing_key.arn if signing_key else None
        self.encryption_key = self._secret.key
        self.lock_table = lock_table
        self.dead_letter_queue = dead_letters
        self.topic = monitoring.topic if monitoring else None
        self.alarms = monitoring.alarms if monitoring else []
        self.composite_alarms = monitoring.composites if monitoring else None

    def add_fleet(
        self,
        *,
        providers: Sequence[Issuer] | None = None,
        app_secrets: Mapping[str, secretsmanager.ISecret] | None = None,
        **settings: Unpack[FleetSettings],
    ) -> ConnectionFleet:
        """Add a fleet, which keeps many connections alive beside the one of the secret.

        It has the refresher's settings, network, alarm topic and consumers, and its own table, key and functions.

        Args:
            providers: Whose connections these are. By default those of the refresher's issuer.
            app_secrets: Secrets with the credentials of the other providers' apps, by the provider.
            **settings: The fields of `FleetSettings`, with its rules and defaults.

        Raises:
            SettingsError: one or more arguments break their rules; with a line for each.

        """
        issuers = [self._issuer] if providers is None else providers
        return self._fleet(providers=issuers, app_secrets=app_secrets or {}, **settings)
