"""A check of how often the token is refreshed: often enough for its life, and not more often than can be stored."""

import math
from datetime import timedelta
from typing import Final

from refresh_token.core.refresh_policy import MAX_VERSIONS, on_demand
from refresh_token.core.spending import can_refresh
from refresh_token.core.windows import WindowSettings
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.stack.secret_versions import count_new_versions
from tokenctl.stack.token_life import duration

DAY: Final = timedelta(days=1)
MANY_VERSIONS: Final = 80
_FIX: Final = "deploy with refresh_policy=demand, and let consumers keep the token while it lives"


def check_policy(subject: Subject) -> Finding:
    """Check that the refresh policy fits the life of the tokens, the schedule and the quota of versions."""
    settings, pair = subject.deployed.settings, subject.stored.pair
    life = pair.lifetime
    if settings.static or not can_refresh(pair, settings.spends):
        return Finding(Level.OK, "nothing refreshes the token")
    if life is None:
        return Finding(Level.OK, "the tokens' life is not known yet")
    recent = count_new_versions(subject.target, subject.now - DAY)
    if recent >= MANY_VERSIONS:
        text = (
            f"the secret got {recent} versions in the last 24 hours; after {MAX_VERSIONS}, nothing more can be stored"
        )
        return Finding(Level.WARN, text, _FIX)
    lives = f"tokens live {duration(life.total_seconds())}"
    if on_demand(settings.policy, pair):
        return Finding(Level.OK, f"{lives}, and consumers' requests refresh them (refresh_policy={settings.policy})")
    if (period := subject.deployed.period) is None:
        return Finding(Level.OK, f"{lives}, and the schedule refreshes them (refresh_policy={settings.policy})")
    return _with_schedule(lives, life, period, settings.windows)


def _with_schedule(lives: str, life: timedelta, period: timedelta, windows: WindowSettings) -> Finding:
    if (writes := _writes_of_a_day(life, period, windows)) > MAX_VERSIONS:
        text = (
            f"{lives}, so the schedule stores {writes} versions of the secret in 24 hours; {MAX_VERSIONS} are possible"
        )
        return Finding(Level.WARN, text, _FIX)
    text = f"{lives}, and the schedule runs every {duration(period.total_seconds())}"
    if life < period:
        fix = "deploy with refresh_policy=demand, or with a faster schedule"
        return Finding(Level.WARN, f"{text}: in between, only consumers refresh them", fix)
    return Finding(Level.OK, text)


def _writes_of_a_day(life: timedelta, period: timedelta, windows: WindowSettings) -> int:
    """Return how often the schedule refreshes in a day: at its first run after the advisory window has opened."""
    fresh = life - windows.scaled_to(life).advisory
    runs = max(math.ceil(fresh / period), 1)
    return math.ceil(DAY / (runs * period))
