"""Names that a fleet's functions, stack and observers share, as `refresh_token.signals` for the stack of one secret."""

from collections.abc import Mapping
from typing import Final

from refresh_token import signals
from refresh_token.signals import Metric

PROVIDER: Final = "provider"
"""Second dimension of some metrics (`ALSO_BY`). No metric has a connection as a dimension."""


class FleetMetric:
    """Names of the metrics of a fleet, each with what it counts. The dispatcher sends the first seven each minute."""

    DISPATCHED: Final = "Dispatched"
    """ticks of the dispatcher that looked for what is due: the heartbeat"""

    DUE: Final = "Due"
    """connections that were due, at least: of a backlog, one page of each slot is counted, some thousands"""

    SENT: Final = "Sent"
    """due connections that were sent to the workers"""

    OLDEST_OVERDUE: Final = "OldestOverdueSeconds"
    """for how long the most overdue connection has been due"""

    OVERDUE: Final = "OverdueConnections"
    """connections that have been due for two minutes or more, that are active and whose token is in its mandatory
    window or dead: the fleet is behind. Those that fail and those that are refreshed on demand don't count"""

    BRAKED: Final = "Braked"
    """providers that are [braked](fleet-inside.md#the-brake), because most of their refreshes failed"""

    STUCK: Final = "Stuck"
    """connections that are stuck, because a process died during each of their last refreshes"""

    REFRESHED: Final = Metric.REFRESHED
    REFRESH_FAILED: Final = Metric.REFRESH_FAILED
    REAUTHORIZATION_REQUIRED: Final = Metric.REAUTHORIZATION_REQUIRED
    TOKEN_NOT_STORED: Final = Metric.TOKEN_NOT_STORED
    RECOVERED: Final = Metric.RECOVERED
    DEGRADED: Final = Metric.DEGRADED
    REPORT_DAMPED: Final = Metric.REPORT_DAMPED
    EXPIRY_NOT_SAID: Final = Metric.EXPIRY_NOT_SAID
    FAILURES: Final = Metric.FAILURES
    """questions that failed, and messages of the queue that will come again"""

    FAULTS: Final = "Faults"
    """failures that are the deployment's own fault: permissions, settings, resources, a bug"""

    FENCED: Final = "Fenced"
    """messages that were late, came twice, or were no dispatcher's, and changed nothing"""


ALSO_BY: Final[Mapping[str, str]] = {
    **signals.ALSO_BY,
    **dict.fromkeys((FleetMetric.DUE, FleetMetric.SENT, FleetMetric.BRAKED), PROVIDER),
}
"""The metrics that are sent a second time with one more dimension, and that dimension."""


class FleetAlarm:
    """Ids of the alarms of a fleet. The runbook has an entry for each."""

    OVERDUE: Final = "ConnectionsOverdue"
    REFUSED: Final = "ConnectionsRefused"
    STUCK: Final = "ConnectionsStuck"
    BRAKED: Final = "ProviderBraked"
    NO_DISPATCH: Final = "NoDispatch"
    DEAD_LETTERS: Final = "ConnectionsDeadLetters"
    QUEUE_AGE: Final = "ConnectionsQueueAge"
    TOKEN_NOT_STORED: Final = "ConnectionTokenNotStored"  # noqa: S105 - an alarm's id
    FAULTS: Final = "ConnectionsFaults"
    FUNCTION_ERRORS: Final = "ConnectionsFunctionErrors"
    CAN_WAIT: Final = frozenset({STUCK, DEAD_LETTERS, QUEUE_AGE})
    """As `Alarm.CAN_WAIT`, for a fleet's own two alarms that sum up the others."""


class FleetLog:
    """Messages of the log lines of a fleet that `tokenctl` searches for."""

    DISPATCHED: Final = "Looked for due connections"
    BRAKED: Final = "The provider is braked, because most of its refreshes failed"
    OPENED: Final = "The provider is no longer braked"
    STATE_CHANGED: Final = "The state of the connection changed"
    COMES_AGAIN: Final = "The message failed and will come again"
    NOT_REFRESHED: Final = "The connection was not refreshed"
