"""What the demo leaves behind, for the tests of the deployed stack."""

import io
from dataclasses import dataclass

from rich.console import Console

from local.cloud import LocalCloud
from local.demo_steps import Demo
from local.deployment import Deployment


@dataclass(frozen=True)
class PlayedDemo:
    """Our stack, the consumer's function, and all that the demo printed."""

    deployment: Deployment
    consumer: str
    printed: str


def play_demo(cloud: LocalCloud) -> PlayedDemo:
    """Play the demo, then stop the schedule: no tick disturbs what the tests count."""
    printed = io.StringIO()
    deployment, consumer = Demo(Console(file=printed, width=120), cloud).run()
    stop_schedules(cloud)
    return PlayedDemo(deployment, consumer, printed.getvalue())


def stop_schedules(cloud: LocalCloud) -> None:
    scheduler = cloud.client("scheduler")
    for summary in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
        kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        scheduler.update_schedule(**{key: schedule[key] for key in kept}, State="DISABLED")
