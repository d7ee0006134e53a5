"""Names that function, stack and observers share: metrics, dimensions, and the log messages that tokenctl searches for.

Alarms, the dashboard and `tokenctl` import them from here, so that they cannot watch for a name that the function never
sends.
"""

from collections.abc import Mapping
from typing import Final

NAMESPACE: Final = "RefreshToken"
"""CloudWatch namespace of every metric below."""

SERVICE: Final = "service"
"""Dimension of every metric: the stack's name."""

SETTINGS_RECORD: Final = "RefreshTokenSettings"
"""Key in the template's `Metadata` where our own stacks record their settings."""

STAGE_NAME: Final = "[A-Za-z][A-Za-z0-9-]{0,99}"
"""Pattern of the name of a stage, which leaves room in the 128 characters of a stack's name."""

STACK_PREFIX: Final = "RefreshToken-"
"""What the name of a stage's stack begins with; the name of the stage follows."""

APP_SECRET_OUTPUT: Final = "AppSecretArn"  # noqa: S105 - an output's name
"""The stack's output with the secret of its own issuer's app. `app_secret_output` has those of a fleet's others."""

REASON: Final = "reason"
"""Second dimension of a copy of `Metric.FAILURES` and `Metric.REFRESH_FAILED`: the name of the error."""


class Metric:
    """Names of the metrics. The first five are states: 0 or 1 at each tick."""

    NEEDS_SIGN_IN: Final = "NeedsSignIn"
    PAIR_NOT_STORED: Final = "PairNotStored"
    OVERDUE: Final = "Overdue"
    GRANT_ENDING: Final = "GrantEnding"
    FAILING: Final = "Failing"
    TICKED: Final = "Ticked"
    SECONDS_UNTIL_EXPIRY: Final = "SecondsUntilExpiry"
    SECONDS_UNTIL_GRANT_EXPIRY: Final = "SecondsUntilGrantExpiry"
    FAILURES: Final = "Failures"
    UNSERVED: Final = "Unserved"
    REFRESHED: Final = "Refreshed"
    REFRESH_FAILED: Final = "RefreshFailed"
    DEGRADED: Final = "Degraded"
    RECOVERED: Final = "Recovered"
    REAUTHORIZATION_REQUIRED: Final = "ReauthorizationRequired"
    TOKEN_NOT_STORED: Final = "TokenNotStored"  # noqa: S105 - a metric's name
    REPORT_DAMPED: Final = "ReportDamped"
    EXPIRY_NOT_SAID: Final = "ExpiryNotSaid"


ALARMS: Final = "Monitoring"
"""Id of the construct with the alarms. CloudFormation puts it before the alarm's id in every alarm's name."""


class Alarm:
    """Ids of the alarms. The runbook has an entry for each."""

    TOKEN_NOT_STORED: Final = "TokenNotStored"  # noqa: S105 - an alarm's id
    REAUTHORIZATION_REQUIRED: Final = "ReauthorizationRequired"
    TOKEN_EXPIRES: Final = "TokenExpires"  # noqa: S105 - an alarm's id
    GRANT_EXPIRES: Final = "GrantExpires"
    STATIC_TOKEN_EXPIRES: Final[Mapping[str, int]] = {
        "StaticTokenExpiresIn30Days": 30,
        "StaticTokenExpiresIn7Days": 7,
        "StaticTokenExpiresIn1Day": 1,
    }
    """With the days before the end of a token that a person renews."""

    NO_HEARTBEAT: Final = "NoHeartbeat"
    FUNCTION_ERRORS: Final = "FunctionErrors"
    FUNCTION_CRASHES: Final = "FunctionCrashes"
    REQUESTS_FAIL: Final = "RequestsFail"
    THROTTLES: Final = "Throttles"
    NEW_VERSION_FAILS: Final = "NewVersionFails"
    DEAD_LETTERS: Final = "DeadLetters"
    SOMEBODY_MUST_ACT: Final = "SomebodyMustAct"
    LOOK_TOMORROW: Final = "LookTomorrow"
    CAN_WAIT: Final = frozenset(
        {GRANT_EXPIRES, DEAD_LETTERS, NEW_VERSION_FAILS, "StaticTokenExpiresIn30Days", "StaticTokenExpiresIn7Days"}
    )
    """Those that `LOOK_TOMORROW` sums up. `SOMEBODY_MUST_ACT` sums up all others."""


class Log:
    """Messages of the log lines that `tokenctl` searches for."""

    TOKEN_CHECKED: Final = "Checked the token"  # noqa: S105 - a message
    """Each tick logs this once, whether or not it then refreshes."""

    REFRESHED: Final = "Refreshed the token"
    REFRESH_FAILED: Final = "The refresh failed"
    REQUEST_FAILED: Final = "The request failed"


PROVIDER: Final = "provider"
"""Second dimension of a copy of `FleetMetric.DUE`, `SENT` and `BRAKED`. No metric has a connection as a dimension."""


class FleetMetric:
    """Names of the metrics of a fleet. The dispatcher sends those of the first group once each minute."""

    DISPATCHED: Final = "Dispatched"
    DUE: Final = "Due"
    SENT: Final = "Sent"
    OLDEST_OVERDUE: Final = "OldestOverdueSeconds"
    OVERDUE: Final = "OverdueConnections"
    """Due connections that the dispatcher saw active, and in their mandatory window or worse."""

    BRAKED: Final = "Braked"
    STUCK: Final = "Stuck"

    REFRESHED: Final = Metric.REFRESHED
    REFRESH_FAILED: Final = Metric.REFRESH_FAILED
    REAUTHORIZATION_REQUIRED: Final = Metric.REAUTHORIZATION_REQUIRED
    TOKEN_NOT_STORED: Final = Metric.TOKEN_NOT_STORED
    RECOVERED: Final = Metric.RECOVERED
    DEGRADED: Final = Metric.DEGRADED
    REPORT_DAMPED: Final = Metric.REPORT_DAMPED
    EXPIRY_NOT_SAID: Final = Metric.EXPIRY_NOT_SAID
    FAILURES: Final = Metric.FAILURES
    FAULTS: Final = "Faults"
    """Failures that are the deployment's own fault: permissions, settings, resources."""

    FENCED: Final = "Fenced"
    """Messages that were late or came twice, and changed nothing."""


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


def app_secret_output(provider: str) -> str:
    """Return the output with the secret of a provider's app, such as `AppSecretArnGoogleCalendar`."""
    return APP_SECRET_OUTPUT + "".join(word.capitalize() for word in provider.replace("_", "-").split("-"))
