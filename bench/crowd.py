"""1 to 256 consumers, each a Lambda environment of its own, report the same dead token at once."""

import json
import math
import os
import subprocess
from statistics import median
from time import perf_counter
from typing import Any

from bench.assets import ours
from bench.figures import Line
from bench.warm import PYTHON
from tests.support.checkout import ROOT
from tests.support.local_function import LocalFunction

SIZES = (1, 4, 16, 64, 256)
ROUNDS = 5
WORKER = ROOT / "tests" / "support" / "forked_environments.py"


def lines(bench: LocalFunction) -> list[Line]:
    """Time until everybody has the live token, for each size."""
    times: dict[int, float] = {}
    calls: set[int] = set()
    for size in SIZES:
        seconds, issuer_calls = _crowd(bench, size)
        times[size] = median(seconds)
        calls |= set(issuer_calls)
    # The power of the size with which the time grows, by least squares over the logarithms; 1 is linear.
    logs = [(math.log(size), math.log(seconds)) for size, seconds in times.items()]
    mean_x, mean_y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    power = sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)
    return [
        Line(
            what="1, 4, 16, 64, 256 consumers of one dead token: all live after",
            ours=", ".join(f"{seconds:.2g}" for seconds in times.values()) + " s",
            ratio=power,
            goal="growth: power ≤ 1",
            met=power <= 1,
        ),
        Line(
            what="issuer calls for each such crowd",
            ours=", ".join(str(count) for count in sorted(calls)),
            goal="1",
            met=calls == {1},
        ),
    ]


def _crowd(bench: LocalFunction, size: int) -> tuple[list[float], list[int]]:
    standin = bench.cloud.standin
    log = bench.folder / "crowd.log"
    command = [str(part) for part in (PYTHON, "-I", "-S", WORKER, ours().folder, size, 60, log)]
    seconds, issuer_calls = [], []
    with subprocess.Popen(  # noqa: S603 (our own arguments; they end with their input)
        command,
        env={"PATH": os.defpath, **bench.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for turn in range(ROUNDS + 1):
            standin.reset()
            dead = bench.seed(standin.grant())
            standin.kill()
            before = perf_counter()
            answers: list[dict[str, Any]] = _invoke(process, [{"provider": "figma", "failedVersionId": dead}] * size)
            took = perf_counter() - before
            live = standin.live_access_token
            if {answer.get("accessToken") for answer in answers} != {live}:
                raise RuntimeError(f"Not everybody got the live token: {[a.get('errorType') for a in answers]}")
            if turn:  # the first is a warm-up
                seconds.append(took)
                issuer_calls.append(len(standin.calls("RefreshToken")))
    return seconds, issuer_calls


def _invoke(process: "subprocess.Popen[str]", events: list[dict[str, str]]) -> list[dict[str, Any]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The process has no pipes")
    process.stdin.write(json.dumps(events) + "\n")
    process.stdin.flush()
    answers: list[dict[str, Any]] = json.loads(process.stdout.readline())
    return answers
