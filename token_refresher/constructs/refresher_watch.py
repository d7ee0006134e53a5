"""What watches a refresher: its alarms, its canary and its dashboard."""

from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from refresh_token.signals import ALARMS
from token_refresher.constructs.canary import Canary
from token_refresher.constructs.dashboard import Dashboard
from token_refresher.constructs.monitoring import Monitoring
from token_refresher.constructs.refresh_function import RefreshFunction
from token_refresher.constructs.refresher_parts import RefresherParts
from token_refresher.props import Props
from token_refresher.settings.combinations import windows_of
from token_refresher.settings.refresher_settings import RefresherSettings


class RefresherWatch(NamedTuple):
    """The alarms, and the dashboard; None for what the settings leave out."""

    monitoring: Monitoring | None
    dashboard: cloudwatch.Dashboard | None


def watch(  # noqa: PLR0913 (keyword-only)
    refresher: RefresherParts,
    *,
    settings: RefresherSettings,
    props: Props,
    refreshes: bool,
    refresh: RefreshFunction,
    dead_letters: sqs.IQueue,
    emulator: bool,
) -> RefresherWatch:
    """Add alarms, canary and dashboard. `refreshes`: the issuer does, not a person."""
    monitoring = None
    if settings["alarms"]:
        monitoring = Monitoring(
            refresher,
            ALARMS,
            settings=settings,
            props=props,
            refreshes=refreshes,
            emulator=emulator,
            metrics=refresher,
            function=refresh.function,
            dead_letters=dead_letters,
        )
    if settings["canary"] and not emulator:
        Canary(
            refresher,
            "Canary",
            settings=settings,
            function=refresh.function,
            alias=refresh.alias,
            alarm=monitoring.new_version_fails if monitoring else None,
        )
    if not settings["dashboard"]:
        return RefresherWatch(monitoring, None)
    dashboard = Dashboard(
        refresher,
        "Dashboard",
        metrics=refresher,
        alarms=monitoring.all_alarms if monitoring else [],
        function=refresh.function,
        log_group=refresh.log_group,
        dead_letters=dead_letters,
        windows=windows_of(settings) if refreshes else None,
    )
    return RefresherWatch(monitoring, dashboard.dashboard)
