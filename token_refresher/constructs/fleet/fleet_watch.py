"""What watches a fleet: its alarms and its dashboard."""

from collections.abc import Sequence
from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch

from token_refresher.constructs.fleet.fleet_dashboard import FleetDashboard
from token_refresher.constructs.fleet.fleet_monitoring import FleetMonitoring
from token_refresher.constructs.fleet.fleet_parts import FleetParts
from token_refresher.constructs.fleet.provider_rows import Beside
from token_refresher.props import SharedProps
from token_refresher.settings.fleet_settings import StandAloneSettings


class FleetWatch(NamedTuple):
    """The alarms, and the dashboard; None for what the settings leave out."""

    monitoring: FleetMonitoring | None
    dashboard: cloudwatch.Dashboard | None


def watch(  # noqa: PLR0913 (keyword-only)
    fleet: FleetParts,
    *,
    settings: StandAloneSettings,
    props: SharedProps,
    beside: Beside | None,
    providers: Sequence[str],
    attempts: int,
    log_groups: Sequence[str],
    emulator: bool,
) -> FleetWatch:
    """Add alarms and dashboard; beside a refresher the alarms publish to its topic."""
    monitoring = None
    if settings["alarms"]:
        monitoring = FleetMonitoring(
            fleet,
            "Monitoring",
            fleet=fleet,
            topic=beside.topic if beside else None,
            props=props,
            email=settings["alarm_email"],
            attempts=attempts,
        )
        if not emulator:
            monitoring.watch_rates(ticks=settings["schedule_enabled"])
    if not settings["dashboard"]:
        return FleetWatch(monitoring, None)
    dashboard = FleetDashboard(
        fleet,
        "Dashboard",
        fleet=fleet,
        providers=providers,
        alarms=monitoring.all_alarms if monitoring else [],
        log_groups=log_groups,
    )
    return FleetWatch(monitoring, dashboard.dashboard)
