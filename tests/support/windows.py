"""The windows that all tests use, and how far ahead a token of each window expires."""

from datetime import timedelta

from refresh_token.core.windows import WindowSettings

WINDOWS = WindowSettings(advisory=timedelta(days=7), mandatory=timedelta(days=1))
WINDOW_VARIABLES = {"ADVISORY_WINDOW_SECONDS": str(7 * 86_400), "MANDATORY_WINDOW_SECONDS": str(86_400)}
"""The same as variables of the function's environment."""

FRESH = timedelta(days=30)
ADVISORY = timedelta(days=3)
MANDATORY = timedelta(hours=3)
EXPIRED = timedelta(seconds=-1)

LEFT = {"fresh": FRESH, "advisory": ADVISORY, "mandatory": MANDATORY, "expired": EXPIRED, "unknown": None}
"""By window; None where the expiry is not known."""
