"""1 to 256 consumers, each with its own Lambda environment, report the same dead token at the same time."""

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


def lines(function: LocalFunction) -> list[Line]:
    """Measure, for each size, the time until all consumers have the new token."""
    times: dict[int, float] = {}
    calls: set[int] = set()
    for size in SIZES:
        seconds, issuer_calls = _crowd(function, size)
        times[size] = median(seconds)
        calls |= set(issuer_calls)
    # The exponent with which the time grows with the size: least squares over the logarithms. 1 is linear growth.
    logs = [(math.log(size), math.log(seconds)) for size, seconds in times.items()]
    mean_x, mean_y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    exponent = sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)
    return [
        Line(
            what="time until N consumers of a dead token have a new one (N = 1, 4, 16, 64, 256)",
            ours=", ".join(f"{seconds:.2g}" for seconds in times.values()) + " s",
            ratio=exponent,
            goal="exponent of growth ≤ 1",
            met=exponent <= 1,
        ),
        Line(
            what="issuer calls per crowd",
            ours=", ".join(str(count) for count in sorted(calls)),
            goal="1",
            met=calls == {1},
        ),
    ]


def _crowd(function: LocalFunction, size: int) -> tuple[list[float], list[int]]:
    standin = function.cloud.standin
    log = function.folder / "crowd.log"
    command = [str(part) for part in (PYTHON, "-I", "-S", WORKER, ours().folder, size, 60, log)]
    seconds, issuer_calls = [], []
    with subprocess.Popen(  # noqa: S603 (our own arguments; the workers end with their input)
        command,
        env={"PATH": os.defpath, **function.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for turn in range(ROUNDS + 1):
            standin.reset()
            dead = function.seed(standin.grant())
            standin.kill()
            before = perf_counter()
            answers: list[dict[str, Any]] = _invoke(process, [{"provider": "figma", "failedVersionId": dead}] * size)
            took = perf_counter() - before
            live = standin.live_access_token
            if {answer.get("accessToken") for answer in answers} != {live}:
                raise RuntimeError(f"Not all consumers got the new token: {[a.get('errorType') for a in answers]}")
            if turn:  # the first turn is a warm-up
                seconds.append(took)
                issuer_calls.append(len(standin.calls("RefreshToken")))
    return seconds, issuer_calls


def _invoke(process: "subprocess.Popen[str]", events: list[dict[str, str]]) -> list[dict[str, Any]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The process has no pipes.")
    process.stdin.write(json.dumps(events) + "\n")
    process.stdin.flush()
    answers: list[dict[str, Any]] = json.loads(process.stdout.readline())
    return answers
