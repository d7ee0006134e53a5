"""The sign-in on another device (RFC 8628): a person types a short code there, and we ask until that is done."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from refresh_token.core.token_pair import TokenPair
from refresh_token.core.windows import whole_number
from refresh_token.oauth.addresses import HTTPS_OR_HTTP, is_url
from refresh_token.oauth.other_requests import device_request, device_token_request
from refresh_token.oauth.refusal_codes import CODES
from refresh_token.oauth.requests import Occasion
from refresh_token.oauth.responses import TokenResponse
from tokenctl.errors import ConfigurationError, ServiceError, TokenctlError
from tokenctl.sign_in.code_exchange import NOTHING_STORED
from tokenctl.sign_in.complete_sign_in import DeniedError
from tokenctl.sign_in.token_endpoint_exchange import TokenEndpointExchange

INTERVAL: Final = 5
"""Seconds between two questions if the provider names none, and what `slow_down` adds (RFC 8628, 3.2 and 3.5)."""

MAX_INTERVAL: Final = 60
LIFE: Final = 600
"""The assumed life of a code in seconds. RFC 8628 requires the answer to state it."""

_CODE: Final = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")
_SHOWN: Final = CODES.keys() | {"expired_token", "authorization_pending", "slow_down"}


@dataclass(frozen=True, kw_only=True)
class DeviceCode:
    """What the provider gives a device. The repr shows only what the person sees."""

    device_code: str = field(repr=False)
    user_code: str
    address: str
    """Where the person types the code."""
    complete_address: str = ""
    """The same with the code in it, if the provider has such an address."""
    expires_in: int = LIFE
    interval: int = INTERVAL


def start(exchange: TokenEndpointExchange, label: str) -> DeviceCode:
    """Ask for the codes of a device; raises TokenctlError."""
    try:
        request = device_request(exchange.profile, exchange.app, _occasion(exchange))
    except ValueError as error:
        fault = str(error)
    else:
        response = exchange.answer(request)
        if response.refused:
            raise ServiceError(f"{label} gives this device no code ({_what(response)}). {_HINT} {NOTHING_STORED}")
        return _device_code(response, label)
    raise ServiceError(f"The request for a device's code cannot be made: {fault}. {NOTHING_STORED}")


_HINT: Final = "The app may have to be allowed to sign in on devices, in its settings at the provider."


def wait(
    exchange: TokenEndpointExchange,
    code: DeviceCode,
    label: str,
    *,
    seconds: float,
    meanwhile: Callable[[float], None],
) -> TokenPair:
    """Ask until the person has answered; return the pair. It calls `meanwhile` each second with the seconds left.

    Raises:
        DeniedError: the person said no.
        TokenctlError: nobody answered in time, or the provider refuses.

    """
    end, interval = time.monotonic() + min(seconds, code.expires_in), code.interval
    while _pause(interval, end, meanwhile):
        try:
            occasion = _occasion(exchange)
            response = exchange.answer(device_token_request(exchange.profile, exchange.app, code.device_code, occasion))
        except (ServiceError, ConfigurationError):
            raise
        except TokenctlError:  # no connection: RFC 8628, 3.5, recommends to ask less often
            interval = min(2 * interval, MAX_INTERVAL)
            continue
        if not response.refused:
            return exchange.pair(response, exchange.profile, exchange.app.client_id, occasion)
        interval = _next_interval(response, interval, label)
    raise TokenctlError(f"Nobody typed the code in time. {NOTHING_STORED}")


def _next_interval(response: TokenResponse, interval: int, label: str) -> int:
    """Return the seconds until the next question; raises if there must be none."""
    codes = response.codes
    if "authorization_pending" in codes:
        return interval
    if "slow_down" in codes:
        return min(interval + INTERVAL, MAX_INTERVAL)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return min(2 * interval, MAX_INTERVAL)
    if "access_denied" in codes or "authorization_declined" in codes:  # the latter is Microsoft's
        raise DeniedError(
            f"The sign-in was denied on {label}'s page. Nothing was stored. Run the command again to allow it."
        )
    if "expired_token" in codes:
        raise TokenctlError(f"The code has expired before anybody allowed the sign-in. {NOTHING_STORED}")
    raise ServiceError(f"{label} refuses the sign-in ({_what(response)}). {NOTHING_STORED}")


def _pause(interval: int, end: float, meanwhile: Callable[[float], None]) -> bool:
    """Sleep, and tell whether there is time for another question."""
    until = time.monotonic() + interval
    while (now := time.monotonic()) < min(until, end):
        meanwhile(end - now)
        time.sleep(min(1.0, until - now, end - now))
    return time.monotonic() < end


def _device_code(response: TokenResponse, label: str) -> DeviceCode:
    """Read the answer (RFC 8628, 3.2). Google calls the address `verification_url`."""
    found = response.document
    address = found.get("verification_uri") or found.get("verification_url")
    complete = found.get("verification_uri_complete")
    device_code, user_code = found.get("device_code"), found.get("user_code")
    if not (isinstance(device_code, str) and isinstance(user_code, str) and _CODE.fullmatch(user_code)):
        address = None
    if not _is_page(address):
        raise ServiceError(f"{label}'s answer makes no sense: it holds no code for a device. {NOTHING_STORED}")
    return DeviceCode(
        device_code=str(device_code),
        user_code=str(user_code),
        address=str(address),
        complete_address=str(complete) if _is_page(complete) else "",
        expires_in=_positive(found.get("expires_in"), LIFE),
        interval=_positive(found.get("interval"), INTERVAL),
    )


def _is_page(address: object) -> bool:
    return isinstance(address, str) and is_url(address, HTTPS_OR_HTTP, query=True)


def _positive(value: object, default: int) -> int:
    number = whole_number(value)
    return number if number is not None and number > 0 else default


def _occasion(exchange: TokenEndpointExchange) -> Occasion:
    return exchange.occasion(exchange.profile, datetime.now(UTC))


def _what(response: TokenResponse) -> str:
    # Only a code that an RFC defines is shown: any other text may echo the request.
    return f"HTTP {response.status}{f', {response.code}' if response.code in _SHOWN else ''}"
