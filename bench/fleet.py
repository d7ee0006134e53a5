"""A fleet on the local AWS: how many calls a refresh and a question make, and what a tick costs, as the fleet grows."""

import json
import os
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.assets import ours
from bench.figures import Line, compare
from bench.warm import PYTHON
from local.standin.grants import Grant
from refresh_token.adapters.sealing import KmsSeal
from refresh_token.core.token_pair import TokenPair
from refresh_token.environment import SECRET_ARN
from refresh_token.fleet.successor import StoredTokens, Successor, new_item
from tests.support.checkout import ROOT
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.fleet import create_fleet_table
from tests.support.local_function import LocalFunction

SIZES: Final = (200, 2_000, 10_000)
DUE: Final = 100
"""Connections that are due at each size, and are then asked for."""
RATE_DUE: Final = 400
TICKS: Final = 21
BATCH: Final = 25
"""Items of one BatchWriteItem."""
INSIDE: Final = ROOT / "bench" / "fleet_inside.py"
PROVIDER: Final = "figma"
REFRESH: Final = {"Decrypt": 1.0, "GetItem": 1.0, "RefreshToken": 1.0, "SendMessageBatch": 0.1, "UpdateItem": 3.0}
"""The dispatcher leases and sends; the worker reads, claims, opens the refresh token, calls the issuer, and stores."""
QUESTION: Final = {"GetItem": 1.0}
SEALED: Final = b"ciphertext of a token that nobody opens"


class BenchFleet:
    """A table, a queue and a key, and the environment of the functions."""

    def __init__(self, function: LocalFunction) -> None:
        self._function = function
        self._cloud = function.cloud
        self.name = f"fleet-{uuid.uuid4()}"
        create_fleet_table(self._cloud.client("dynamodb"), self.name)
        self._key = self._cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
        self._queue = self._cloud.client("sqs").create_queue(QueueName=self.name)["QueueUrl"]
        self.size = 0

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the functions. A fleet's have no secret."""
        return {
            **{name: text for name, text in self._function.environment.items() if name != SECRET_ARN},
            "CONNECTIONS_TABLE": self.name,
            "CONNECTIONS_KEY": self._key,
            "CONNECTIONS_QUEUE_URL": self._queue,
            "REFRESHES_PER_SECOND": "1000",
            "PROVIDERS": json.dumps({PROVIDER: {"ISSUER": "amplify", "rotates": False}}),
        }

    def add_fresh(self, number: int) -> None:
        """Add connections that are due in a month."""
        due, now = int((datetime.now(UTC) + timedelta(days=30)).timestamp()), datetime.now(UTC)
        pair = TokenPair(
            access_token="x" * 700, refresh_token="", expires_at=now + timedelta(days=90), refreshed_at=now
        )
        self._put({f"fresh/{self.size + one}": (pair, (SEALED,)) for one in range(number)}, due)
        self.size += number

    def add_due(self, number: int) -> list[str]:
        """Add connections that are due, and return their names."""
        now = datetime.now(UTC)
        grants = self._cloud.standin.grant_many([f"due/{self.size + one}" for one in range(number)])
        self._put({grant.user: (_pair(grant, now), self._seal(grant)) for grant in grants}, int(now.timestamp()) - 60)
        self.size += number
        return [grant.user for grant in grants]

    def work_off(self, handlers: "Process", count: int) -> float:
        """Hand so many messages to the worker, as an event source mapping does; return the seconds that it took."""
        queue, seconds = self._cloud.client("sqs"), 0.0
        while count > 0:
            received = queue.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = received.get("Messages", [])
            done, took, _ = handlers("work", [message["Body"] for message in messages])
            if done != len(messages):
                raise RuntimeError(f"The worker did {done} of {len(messages)} messages.")
            for message in messages:
                queue.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            count, seconds = count - done, seconds + took
        return seconds

    def _seal(self, grant: Grant) -> tuple[bytes, ...]:
        client = self._cloud.client("kms")
        sealed = KmsSeal(self._key, lambda: client, lambda: client).seal(grant.user, grant.refresh_token)
        if not isinstance(sealed, tuple):
            raise TypeError(f"KMS did not seal a token: {sealed}")
        return sealed

    def _put(self, pairs: Mapping[str, tuple[TokenPair, tuple[bytes, ...]]], due_at: int) -> None:
        now = datetime.now(UTC)
        items = [
            new_item(
                name,
                Successor(pair, StoredTokens(pair.access_token, sealed), str(uuid.uuid4()), now),
                due_at=due_at,
            )
            for name, (pair, sealed) in pairs.items()
        ]
        for start in range(0, len(items), BATCH):
            requests: list[Any] = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]
            self._cloud.client("dynamodb").batch_write_item(RequestItems={self.name: requests})

    @contextmanager
    def process(self, **more: str) -> Iterator["Process"]:
        """Run the handlers in a process of their own."""
        command = [str(part) for part in (PYTHON, "-I", "-S", INSIDE, ours().folder)]
        with subprocess.Popen(  # noqa: S603 (our own arguments; the process ends with its input)
            command,
            env={"PATH": os.defpath, **self.environment, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as running:
            yield Process(running)


def _pair(grant: Grant, now: datetime) -> TokenPair:
    return TokenPair(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=now + timedelta(hours=1),
        refreshed_at=now - timedelta(days=90),
    )


class Process:
    """Sends commands to `fleet_inside.py`."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self._running = running

    def __call__(self, *command: object) -> tuple[Any, float, float]:
        """Return the result, the seconds, and the seconds of CPU time."""
        if self._running.stdin is None or self._running.stdout is None:
            raise RuntimeError("The process has no pipes.")
        self._running.stdin.write(json.dumps(command) + "\n")
        self._running.stdin.flush()
        result, seconds, cpu = json.loads(self._running.stdout.readline())
        return result, seconds, cpu


def lines(function: LocalFunction) -> list[Line]:
    """Return the lines of the table."""
    fleet = BenchFleet(function)
    with fault_proxy(function.cloud) as proxy, fleet.process(**proxy.environment) as handlers:
        found = [_calls(fleet, size, handlers, proxy) for size in SIZES]
    with fleet.process() as handlers:
        handlers("tick")
        few = _ticks(handlers)
        fleet.add_fresh(fleet.size)
        many = _ticks(handlers)
        fleet.add_due(RATE_DUE)
        sent, _, cpu = handlers("tick")
        if sent["sent"] != RATE_DUE:
            raise RuntimeError(f"The tick did not send what is due: {sent}")
        work_seconds = fleet.work_off(handlers, RATE_DUE)
    sizes = ", ".join(f"{size:,}" for size in SIZES)
    return [
        _constant(f"calls of a fleet for one refresh ({sizes} connections)", [calls for calls, _ in found], REFRESH),
        _constant(f"calls of a fleet for one question ({sizes} connections)", [calls for _, calls in found], QUESTION),
        compare(
            what=f"tick with {fleet.size - RATE_DUE:,} fresh connections, none touched, CPU",
            ours=many,
            peer=f"with {(fleet.size - RATE_DUE) // 2:,}",
            theirs=few,
            unit="ms",
            goal=1.25,
        ),
        Line(
            what="refreshes a second of one worker on the local AWS; CPU time of each lease",
            ours=f"{RATE_DUE / work_seconds:.0f}; {cpu / RATE_DUE * 1000:.2g} ms",
        ),
    ]


def _calls(
    fleet: BenchFleet, size: int, handlers: "Process", proxy: FaultProxy
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the calls for each refresh and for each question, in a fleet of this size."""
    fleet.add_fresh(size - fleet.size - DUE)
    handlers("tick")
    proxy.forget()
    handlers("tick")
    without = Counter(proxy.calls)
    names = fleet.add_due(DUE)
    proxy.forget()
    handlers("tick")
    fleet.work_off(handlers, DUE)
    refreshes = Counter(proxy.calls) - without
    proxy.forget()
    answered, _, _ = handlers("ask", names)
    if answered != DUE:
        raise RuntimeError(f"Only {answered} of {DUE} questions were answered.")
    return _for_each(refreshes), _for_each(Counter(proxy.calls))


def _for_each(calls: Counter[str]) -> dict[str, float]:
    """Return the calls for each connection. Lambda itself makes those that receive and delete messages."""
    polls = ("ReceiveMessage", "DeleteMessage")
    return {name: round(number / DUE, 2) for name, number in sorted(calls.items()) if name not in polls}


def _constant(what: str, found: Sequence[Mapping[str, float]], goal: Mapping[str, float]) -> Line:
    """Return the line of calls, which must be the goal's at each size."""
    shown = ["; ".join(f"{number:g} {name}" for name, number in calls.items()) for calls in found]
    same = len({*shown}) == 1
    return Line(
        what=what,
        ours=shown[0] if same else " / ".join(shown),
        goal="; ".join(f"{number:g} {name}" for name, number in sorted(goal.items())),
        met=all(calls == goal for calls in found),
    )


def _ticks(handlers: "Process") -> list[float]:
    """Return the milliseconds of CPU time of ticks that find nothing due: MiniStack's own time grows with the table."""
    found = [handlers("tick") for _ in range(TICKS)]
    if any(answer["due"] for answer, _, _ in found):
        raise RuntimeError("A tick found a fresh connection.")
    return [cpu * 1000 for _, _, cpu in found]
