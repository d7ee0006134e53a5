"""Makes what refreshes a connection, with real ids and chance. The first refresh imports what only it needs."""

import random
from typing import TYPE_CHECKING
from uuid import uuid4

from refresh_token.core.refresher import Refresher
from refresh_token.core.successors import successor_id

if TYPE_CHECKING:
    from refresh_token.core.connections import Connection
    from refresh_token.core.ports import Clock, Telemetry
    from refresh_token.core.process_memory import ProcessMemory
    from refresh_token.core.refresh_once import RefreshOnce


def refresher_for(
    connection: "Connection", *, clock: "Clock", telemetry: "Telemetry", memory: "ProcessMemory"
) -> Refresher:
    """Return the use cases of a connection, for one invocation."""

    def once() -> "RefreshOnce":
        from refresh_token.core.refresh_once import RefreshOnce  # noqa: PLC0415 - reading a token needs none

        return RefreshOnce(
            connection=connection,
            clock=clock,
            telemetry=telemetry,
            memory=memory,
            new_version_id=lambda version_id: successor_id(version_id, uuid4().hex),
            jitter=random.SystemRandom().random,  # with SnapStart, `random.random` would return the same everywhere
        )

    return Refresher(connection=connection, clock=clock, telemetry=telemetry, memory=memory, once=once)
