"""The state of one stand-in, which operations and control requests share."""

import os
import threading
import time
from dataclasses import dataclass, field

from local.standin.calls import CallRecord
from local.standin.faults import FaultQueue
from local.standin.grants import Grants
from local.standin.rate_limit import RateLimit


@dataclass
class State:
    """Grants, faults and calls, and a clock that tests can move. `stopping` cuts running delays short."""

    operations: frozenset[str]
    clock_offset: float = 0.0
    faults: FaultQueue = field(default_factory=FaultQueue)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    calls: CallRecord = field(default_factory=CallRecord)
    stopping: threading.Event = field(default_factory=threading.Event)
    pid: int = field(default_factory=os.getpid)

    def __post_init__(self) -> None:
        self.grants = Grants(self.clock)

    def clock(self) -> float:
        """Return the time in epoch seconds, moved ahead by `clock_offset`."""
        return time.time() + self.clock_offset
