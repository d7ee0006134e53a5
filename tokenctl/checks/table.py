"""The checks, in the order in which `tokenctl doctor` performs them. A new check is a function and a row here."""

from typing import Final

from tokenctl.checks.account import check_bootstrap, check_concurrency, check_credentials, check_region
from tokenctl.checks.check import Check
from tokenctl.checks.function import check_alias, check_function, check_lock_table, check_throttle
from tokenctl.checks.operation import (
    check_alarms,
    check_dead_letters,
    check_errors,
    check_last_run,
    check_schedule,
    check_subscribers,
)
from tokenctl.checks.policy import check_policy
from tokenctl.checks.probe import check_probe
from tokenctl.checks.stack import check_app_secret, check_changes, check_issuer, check_stack
from tokenctl.checks.token import check_grant, check_key, check_secret, check_window

BEFORE_DEPLOYMENT: Final = (
    Check("region", (), check_region),
    Check("credentials", (), check_credentials),
    Check("bootstrap", ("credentials",), check_bootstrap),
    Check("concurrency", ("credentials",), check_concurrency),
)
AFTER_DEPLOYMENT: Final = (
    Check("stack", ("credentials",), check_stack),
    Check("function", ("stack",), check_function),
    Check("throttle", ("function",), check_throttle),
    Check("alias", ("function",), check_alias),
    Check("lock table", ("stack",), check_lock_table),
    Check("changes", ("stack",), check_changes),
    Check("issuer", ("function",), check_issuer),
    Check("app secret", ("issuer",), check_app_secret),
    Check("secret", ("stack",), check_secret),
    Check("window", ("secret",), check_window),
    Check("grant", ("secret",), check_grant),
    Check("policy", ("secret",), check_policy),
    Check("key", ("secret",), check_key),
    Check("schedule", ("function",), check_schedule),
    Check("last run", ("function",), check_last_run),
    Check("errors", ("function",), check_errors),
    Check("alarms", ("stack",), check_alarms),
    Check("subscribers", ("stack",), check_subscribers),
    Check("dead letters", ("stack",), check_dead_letters),
)
PROBE: Final = Check("probe", ("secret",), check_probe)
"""Sends the stored access token to its provider, so only on request."""
SERVING: Final = (
    Check("function", (), check_function),
    Check("throttle", ("function",), check_throttle),
    Check("alias", ("function",), check_alias),
    Check("lock table", (), check_lock_table),
)
"""What the function needs to work, whatever the pair is. `tokenctl status` performs these, too."""
