"""kill -9 at every step of a refresh, and the caller that comes next.

    read V1 | claim | read V1 | issuer | put V2 | move AWSCURRENT to V2 | close the claim
            1       2         3        4        5                       6

1 to 6 are the points at which the function is killed. With an item of a fleet, there are fewer calls, and storing the
pair closes the claim:

    read V1 | claim | decrypt | issuer | store V2 | answer
            1       2         3        4          6

All stories are played at the same time, each with a secret, a
lock table, a user and a Lambda runtime of its own; the tests then check how each of them went.
"""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

import pytest

from local.standin import Grant
from tests.support.events import TICK, report
from tests.support.fault_proxy import fault_proxy
from tests.support.fleet import NAME
from tests.support.local_fleet import LocalFleet
from tests.support.local_function import LocalFunction
from tests.support.oauth2_server import Token
from tests.support.windows import EXPIRED, FRESH

TIMEOUT = 11
"""Seconds that Lambda gives the function. A refresh begins only while eight are left."""

MAX_TRIES = 40
STORED = 6
"""The point at which the pair is stored."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where the function is killed, what that leaves behind, and who calls next."""

    number: int
    held: str
    nth: int = 1
    answered: bool = False
    issuer_calls: int
    """In all, until the pair is alive again."""
    by: str = "report"
    then: str = ""
    """Who calls next; the same caller where it is empty."""
    of_item: bool = False
    """Whether the pair is in an item of a fleet."""

    @property
    def claimed(self) -> bool:
        """Whether the killed function leaves its claim open."""
        return self.number > 1 and not (self.of_item and self.number == STORED)


POINTS: Mapping[str, Point] = {
    "before the claim": Point(number=1, held="PutItem", issuer_calls=1),
    "after the claim": Point(number=2, held="GetSecretValue", nth=2, issuer_calls=1),
    "before the issuer is called": Point(number=3, held="RefreshToken", issuer_calls=1),
    "as the issuer answers": Point(number=4, held="RefreshToken", answered=True, issuer_calls=2),
    "as the issuer answers a tick": Point(number=4, held="RefreshToken", answered=True, issuer_calls=2, by="tick"),
    "as the issuer answers a report, then a tick, to which the token looks fresh": Point(
        number=4, held="RefreshToken", answered=True, issuer_calls=2, then="tick"
    ),
    "before the pair is put": Point(number=4, held="PutSecretValue", issuer_calls=2),
    "between put and move": Point(number=5, held="UpdateSecretVersionStage", issuer_calls=2),
    "between put and move of a tick": Point(number=5, held="UpdateSecretVersionStage", issuer_calls=2, by="tick"),
    "before the claim is closed": Point(number=6, held="UpdateItem", issuer_calls=1),
}
ITEM_POINTS: Mapping[str, Point] = {
    "item: before the claim": Point(number=1, held="UpdateItem", issuer_calls=1, of_item=True),
    "item: after the claim": Point(number=2, held="Decrypt", issuer_calls=1, of_item=True),
    "item: before the issuer is called": Point(number=3, held="RefreshToken", issuer_calls=1, of_item=True),
    "item: as the issuer answers": Point(number=4, held="RefreshToken", answered=True, issuer_calls=2, of_item=True),
    "item: before the pair is stored": Point(number=4, held="UpdateItem", nth=2, issuer_calls=2, of_item=True),
    "item: as the pair is stored": Point(
        number=6, held="UpdateItem", nth=2, answered=True, issuer_calls=1, of_item=True
    ),
}
ALL_POINTS: Mapping[str, Point] = {**POINTS, **ITEM_POINTS}


@dataclass(frozen=True, kw_only=True)
class Story:
    point: Point
    seeded: str
    killed_version: str
    killed_pair: dict[str, Any]
    begun_at: float
    held_at: float
    claim_ends_at: float | None
    """Epoch seconds, as the lock table has it; None: there is no claim."""
    answers: list[Any]
    """What the callers after the kill got, up to the first that did not have to try again."""
    version: str
    pair: dict[str, Any]


def play(
    point: Point,
    function: LocalFunction | LocalFleet,
    grant: Grant | Token,
    *,
    issuer: str | None = None,
    **environment: str,
) -> Story:
    """Kill the function at a point, then call it until it no longer says that it is too early."""
    function.leave_pending()
    seeded = function.seed(grant, expires_in=FRESH if point.by == "report" else EXPIRED, note="kept")
    event = report(seeded) if point.by == "report" else TICK
    if point.of_item:
        event = {"connection": NAME, "failedVersionId": seeded}
    timeout = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT)}
    with (
        fault_proxy(function.cloud, issuer) as proxy,
        function.runtime(**proxy.environment, **environment, **timeout) as runtime,
        ThreadPoolExecutor(1) as pool,
    ):
        runtime.warm_up()
        held = proxy.hold(point.held, point.nth, answered=point.answered)
        begun_at = time.time()
        killed = pool.submit(runtime.invoke, event)
        held.wait()
        held_at = time.time()
        runtime.kill()
        with pytest.raises(HTTPError, match="502") as crash:
            killed.result()
        crash.value.close()
        held.drop()
        killed_version, killed_pair = function.current()
        claim_ends_at = function.claim_ends_at()
        event = TICK if point.then == "tick" else event
        answers = [runtime.invoke(event)]
        while too_early(answers[-1]) and len(answers) < MAX_TRIES:
            time.sleep(0.5)
            answers.append(runtime.invoke(event))
    version, pair = function.current()
    return Story(
        point=point,
        seeded=seeded,
        killed_version=killed_version,
        killed_pair=killed_pair,
        begun_at=begun_at,
        held_at=held_at,
        claim_ends_at=claim_ends_at,
        answers=answers,
        version=version,
        pair=pair,
    )


def too_early(answer: Any) -> bool:
    """Tell whether the killed invocation's claim still stands: others wait, and a tick leaves a fresh token alone."""
    return bool(answer.get("errorType") == "RefreshInProgressException" or answer.get("outcome") == "fresh")


def play_all(play_one: Callable[[str], Story], names: Collection[str] = tuple(ALL_POINTS)) -> Mapping[str, Story]:
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(play_one, names), strict=True))
