"""Names that function, stack and observers share: metrics, dimensions, and the log messages that tokenctl searches for.

Alarms, the dashboard and `tokenctl` import them from here, so that they cannot watch for a name that the function never
sends.
"""

from collections.abc import Mapping
from typing import Final, Literal

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
"""Second dimension of some metrics (`ALSO_BY`): the name of the error."""


class Metric:
    """Names of the metrics, each with what it counts: `docs/metrics.md` is made of this.

    What begins with "1 if" is a state: 0 or 1 at each tick.
    """

    TICKED: Final = "Ticked"
    """ticks that reached the function, however they ended: the heartbeat"""

    NEEDS_SIGN_IN: Final = "NeedsSignIn"
    """1 if only a person can help, because the issuer has refused the current version of the pair, or the secret holds
    no pair. With `issuer=static`, 1 if the token has ended or was reported"""

    PAIR_NOT_STORED: Final = "PairNotStored"
    """1 if the issuer has answered with a new pair and the secret still holds the old one, or if that may be so because
    the function was killed"""

    FAILING: Final = "Failing"
    """1 if the last tick failed through a fault of the deployment: wrong settings, a secret that cannot be read, an
    answer that makes no sense, a bug"""

    OVERDUE: Final = "Overdue"
    """1 if, after the tick, the token is in its mandatory window, has expired, or has an unknown expiry, and no other
    state says why; if another one does, the tick leaves this one out. 0 if the token is refreshed on demand and waits
    for a consumer"""

    GRANT_ENDING: Final = "GrantEnding"
    """1 if the end of the grant is known and a sixth of its life is left, 14 days at most"""

    SECONDS_UNTIL_EXPIRY: Final = "SecondsUntilExpiry"
    """the life that the current token has left, at each tick. Nothing if the expiry is unknown, or if the token is
    refreshed on demand and is no longer fresh"""

    SECONDS_UNTIL_GRANT_EXPIRY: Final = "SecondsUntilGrantExpiry"
    """the life that the grant has left, at each tick. Nothing if neither the issuer nor the settings `grant_idle_days`
    and `grant_absolute_days` say when it ends. At 0 a person must sign in again"""

    REFRESHED: Final = "Refreshed"
    """versions refreshed: about one in 83 days. Many more mean that someone reports or refreshes without need, or that
    a second deployment shares the grant"""

    FAILURES: Final = "Failures"
    """invocations that failed"""

    UNSERVED: Final = "Unserved"
    """requests that got no token because the issuer, the lock table or Secrets Manager throttled, failed or did not
    answer; not ticks"""

    REFRESH_FAILED: Final = "RefreshFailed"
    """failed attempts to refresh"""

    DEGRADED: Final = "Degraded"
    """answers with the old, still living token, because the refresh failed"""

    RECOVERED: Final = "Recovered"
    """refreshes that succeeded after one of the same version had failed"""

    REAUTHORIZATION_REQUIRED: Final = "ReauthorizationRequired"
    """refused grants, once per version. With `issuer=static`, each report of the current token, and each tick after it
    has ended. For alarms use `NeedsSignIn`"""

    TOKEN_NOT_STORED: Final = "TokenNotStored"  # noqa: S105 - a metric's name
    """refreshes whose result was lost"""

    REPORT_DAMPED: Final = "ReportDamped"
    """reports of a token that was issued less than 30 seconds ago, which refreshed nothing. If there are many, a
    consumer is refused for another reason: check the scopes of the app and what that consumer requests"""

    EXPIRY_NOT_SAID: Final = "ExpiryNotSaid"
    """issued tokens whose expiry is a guess, because the issuer sent none that makes sense"""


ALSO_BY: Final[Mapping[str, str]] = {Metric.FAILURES: REASON, Metric.REFRESH_FAILED: REASON}
"""The metrics that are sent a second time with one more dimension, and that dimension."""


def unit_of(metric: str) -> Literal["Seconds", "Count"]:
    """Return the unit of a metric. Those in seconds say so in their names."""
    return "Seconds" if "Seconds" in metric else "Count"


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


def app_secret_output(provider: str) -> str:
    """Return the output with the secret of a provider's app, such as `AppSecretArnGoogleCalendar`."""
    return APP_SECRET_OUTPUT + "".join(word.capitalize() for word in provider.replace("_", "-").split("-"))
