"""The kinds of resources that are compared, in the order in which they are restored. A new kind is a row here."""

from typing import Final

from tokenctl.drift.functions import ALIAS, EVENT_INVOKE_CONFIG, FUNCTION, LAYER, VERSION
from tokenctl.drift.kind import Kind
from tokenctl.drift.mappings import MAPPING
from tokenctl.drift.monitoring import COMPOSITE_ALARM, DASHBOARD, LOG_GROUP, METRIC_ALARM, PARAMETER
from tokenctl.drift.queues import QUEUE, QUEUE_POLICY, SUBSCRIPTION, TOPIC, TOPIC_POLICY
from tokenctl.drift.roles import ROLE
from tokenctl.drift.schedules import SCHEDULE, SCHEDULE_GROUP
from tokenctl.drift.stores import KEY, SECRET, SECRET_POLICY
from tokenctl.drift.tables import TABLE

KINDS: Final[tuple[Kind, ...]] = (
    *(KEY, SECRET, SECRET_POLICY, TABLE, LOG_GROUP, ROLE, LAYER, FUNCTION, VERSION, ALIAS, EVENT_INVOKE_CONFIG),
    *(QUEUE, QUEUE_POLICY, MAPPING, SCHEDULE_GROUP, SCHEDULE, TOPIC, TOPIC_POLICY, SUBSCRIPTION),
    *(METRIC_ALARM, COMPOSITE_ALARM, DASHBOARD, PARAMETER),
)
