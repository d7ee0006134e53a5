"""The checks, in the order in which `tokenctl doctor` performs them. A new check is a function and a row here."""

from dataclasses import replace
from typing import Final

from tokenctl.checks.account import check_bootstrap, check_concurrency, check_credentials, check_region
from tokenctl.checks.check import Check
from tokenctl.checks.fleet import check_dispatch_schedule, check_mapping, check_queues, function_check
from tokenctl.checks.fleet_store import check_app_secrets, check_brake, check_connections, check_indexes, check_table
from tokenctl.checks.fleet_store import check_key as check_fleet_key
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
from tokenctl.connections.fleet_parts import ASK, DISPATCHER, WORKER

_KEEPERS: Final = frozenset({"fleet indexes", "worker", "dispatcher", "mapping", "dispatches"})

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
FLEET: Final = (
    Check("fleet table", ("stack",), check_table),
    Check("fleet indexes", ("fleet table",), check_indexes),
    Check("fleet key", ("stack",), check_fleet_key),
    Check("ask", ("stack",), function_check(ASK)),
    Check("worker", ("stack",), function_check(WORKER)),
    Check("dispatcher", ("stack",), function_check(DISPATCHER)),
    Check("mapping", ("worker",), check_mapping),
    Check("dispatches", ("dispatcher",), check_dispatch_schedule),
    Check("queues", ("stack",), check_queues),
    Check("app secrets", ("ask",), check_app_secrets),
    Check("connections", ("ask", "fleet indexes"), check_connections),
    Check("brake", ("ask", "fleet indexes"), check_brake),
)
"""The checks of a deployment with connections, after the others."""
FLEET_ALONE: Final = (
    *(check for check in AFTER_DEPLOYMENT if check.name in {"stack", "alarms", "subscribers"}),
    *FLEET,
)
"""The checks of a fleet that stands alone in another app."""
PROBE: Final = Check("probe", ("secret",), check_probe)
"""Sends the stored access token to its provider, so only on request."""
SERVING: Final = (
    Check("function", (), check_function),
    Check("throttle", ("function",), check_throttle),
    Check("alias", ("function",), check_alias),
    Check("lock table", (), check_lock_table),
)
"""What the function needs to work, whatever the pair is. `tokenctl status` performs these, too."""
SERVING_FLEET: Final = tuple(
    replace(check, needs=()) for check in FLEET if check.name in {"fleet table", "fleet key", "ask"}
)
"""What every connection needs, for `tokenctl status` as well."""

KEEPING_FLEET: Final = tuple(
    replace(check, needs=tuple({*check.needs} & _KEEPERS)) for check in FLEET if check.name in _KEEPERS
)
"""What keeps connections alive until a consumer asks for them, for `tokenctl status` as well."""
