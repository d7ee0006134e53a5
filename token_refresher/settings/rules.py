"""More rules for the values of settings, which only a refresher has; see `refresh_token.oauth.rules`."""

import re
import zoneinfo
from dataclasses import dataclass

from refresh_token.oauth.rules import Text, listed, whole
from token_refresher.settings.schedule_expression import max_time_for_two_ticks


@dataclass(frozen=True)
class OneOf:
    """One of the given numbers. `source` says who decides which."""

    numbers: tuple[int, ...]
    source: str

    def __str__(self) -> str:
        return f"must be {listed(self.numbers)}, {self.source}"

    def read(self, value: object) -> int:
        """Return the number."""
        number = whole(value)
        if number is None or number not in self.numbers:
            raise ValueError(str(self))
        return number


class Flag:
    """True or false, also as the text that the command line passes."""

    def __str__(self) -> str:
        return "must be true or false"

    def read(self, value: object) -> bool:
        """Return the flag."""
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise ValueError(str(self))
        return value == "true"


class ScheduleExpression:
    """An expression that EventBridge Scheduler accepts and repeats for ever."""

    def __str__(self) -> str:
        return (
            "must be a `rate(...)` or `cron(...)` expression of EventBridge Scheduler that ticks twice within the "
            "advisory window and within 7 days"
        )

    def read(self, value: object) -> str:
        """Return the expression."""
        if not isinstance(value, str) or not value:
            raise ValueError("must be non-empty text")
        max_time_for_two_ticks(value)
        return value


# Narrower than RFC 5321: an address where a person wants to be paged.
EMAIL = Text(
    "must be one e-mail address",
    lambda text: len(text) <= 254 and re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+", text) is not None,  # noqa: PLR2004 - RFC 5321
)
# CloudWatch must accept it as a dimension (API reference, Dimension), and a search expression must hold it in quotes.
SERVICE_NAME = Text(
    "must be 1 to 255 printable ASCII characters without quotes and backslashes. It must not begin with a colon or a "
    "blank, and not end with a blank",
    lambda text: re.fullmatch(r"(?![ :])[ !#-&(-\[\]-~]{1,255}(?<! )", text) is not None,
)
TIME_ZONE = Text(
    "must be a time zone of the IANA database, such as Europe/Berlin",
    # Without the database, on a machine without the package tzdata, AWS decides.
    lambda text: text == "UTC" or text in (zoneinfo.available_timezones() or {text}),
)
# API reference of EventBridge, CreateEventBus and PutEvents.
EVENT_BUS = Text(
    "must be the name or the ARN of an EventBridge bus",
    lambda text: (
        re.fullmatch(
            r"(arn:aws[\w-]*:events:[a-z]+-[\w-]+-\d:\d{12}:event-bus/)?[/.\-_A-Za-z0-9]{1,256}", text, re.ASCII
        )
        is not None
    ),
)
