"""The Clock port on the machine's time and the invocation's timeout."""

import time
from datetime import UTC, datetime
from typing import Protocol


class LambdaContext(Protocol):
    """The part of the Lambda context that the functions use."""

    @property
    def aws_request_id(self) -> str:
        """Return Lambda's id of this invocation."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends this invocation."""
        ...


class LambdaClock:
    """The clock of one invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def remaining(self) -> float:
        """Return the seconds that this invocation has left."""
        return self._context.get_remaining_time_in_millis() / 1000
