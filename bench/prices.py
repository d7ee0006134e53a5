"""AWS's list prices, one row for each region, without free tiers. Check them again before you rely on them."""

from dataclasses import dataclass
from typing import Final

HOURS: Final = 730
"""Of a month."""
DAYS: Final = 30.4


@dataclass(frozen=True, kw_only=True)
class Prices:
    """USD for one of each, or for a month of it."""

    region: str
    as_of: str
    secret: float
    secret_call: float
    key: float
    key_call: float
    invocation: float
    gb_second: float
    """Of a function on Arm."""
    schedule: float
    """One invocation by EventBridge Scheduler."""
    write_unit: float
    """DynamoDB on demand."""
    read_unit: float
    table_gb: float
    backup_gb: float
    """Point-in-time recovery."""
    queue_request: float
    event: float
    alarm_metric: float
    """AWS charges an alarm for each metric that it watches."""
    composite_alarm: float
    metric_hour: float
    """AWS charges a custom metric for each hour in which it is sent."""
    dashboard: float
    log_gb: float
    trace: float


US_EAST_1: Final = Prices(
    region="us-east-1",
    as_of="November 2026",
    secret=0.40,
    secret_call=0.05 / 10_000,
    key=1.00,
    key_call=0.03 / 10_000,
    invocation=0.20 / 1e6,
    gb_second=0.0000133334,
    schedule=1.00 / 1e6,
    write_unit=0.625 / 1e6,
    read_unit=0.125 / 1e6,
    table_gb=0.25,
    backup_gb=0.20,
    queue_request=0.40 / 1e6,
    event=1.00 / 1e6,
    alarm_metric=0.10,
    composite_alarm=0.50,
    metric_hour=0.30 / HOURS,
    dashboard=3.00,
    log_gb=0.50,
    trace=5.00 / 1e6,
)
"""Sources: the pricing pages of these services on aws.amazon.com."""

REGIONS: Final = {prices.region: prices for prices in (US_EAST_1,)}
