"""The events that Lambda hands to the function."""

from typing import Any

Event = dict[str, Any]

EVENT_ID = "eventbridge-event-1"
CONSUMER: Event = {"provider": "figma"}
FORCE: Event = {"provider": "figma", "force": True}


def tick(event_id: str = EVENT_ID, source: str = "aws.scheduler") -> Event:
    """Return the event of EventBridge Scheduler, or of an EventBridge rule."""
    return {"source": source, "id": event_id, "detail-type": "Scheduled Event", "detail": {}}


TICK = tick()


def report(version: str) -> Event:
    """Return a consumer's report that the token of a version was rejected."""
    return {"provider": "figma", "failedVersionId": version}


def bare(token: object, **more: object) -> Event:
    """Return the bare operation, as Amplify UI Builder has it."""
    return {"provider": "figma", "refreshTokenBody": {"token": token, **more}}
