"""The context object that Lambda hands to the function. Imports the standard library only."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

REQUEST_ID = "lambda-request-1"


def counting_down(seconds: float) -> Callable[[], float]:
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


@dataclass
class LambdaContext:
    """A context; a minute is left unless the test says otherwise."""

    seconds_left: Callable[[], float] = field(default_factory=lambda: counting_down(60.0))
    aws_request_id: str = REQUEST_ID
    function_name: str = "refresh-token"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:refresh-token"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left() * 1000)
