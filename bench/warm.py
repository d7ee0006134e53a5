"""Compares warm invocations with the bare AWS calls that they make, with the same clients in one process."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.assets import ours
from bench.figures import Line, compare
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.local_function import LocalFunction

ANSWERS = 400
REFRESHES = 80
TICK = {"source": "aws.scheduler"}
INSIDE = Path(__file__).parent / "inside.py"
PYTHON = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")


@dataclass(frozen=True)
class Warm:
    """Milliseconds of our handler and of the bare calls, in wall-clock and in CPU time."""

    ours: list[float]
    ours_cpu: list[float]
    bare: list[float]
    bare_cpu: list[float]


def inside(function: LocalFunction, what: str, count: int) -> Warm:
    """Run `inside.py` with our asset."""
    file = function.folder / f"{what}.json"
    command = [str(part) for part in (PYTHON, "-I", "-S", INSIDE, ours().folder, what, count, file)]
    subprocess.run(  # noqa: S603 (our own arguments)
        command, check=True, env={"PATH": os.defpath, **function.environment}, stdout=subprocess.DEVNULL
    )
    return Warm(**json.loads(file.read_text(encoding="utf-8")))


def lines(function: LocalFunction) -> tuple[list[Line], Warm]:
    """Return the lines of the table, and the times of a refresh."""
    function.seed(function.cloud.standin.grant())
    answer = inside(function, "answer", ANSWERS)
    refresh = inside(function, "refresh", REFRESHES)
    return [
        compare(
            what="warm answer",
            ours=answer.ours,
            peer="bare get_secret_value",
            theirs=answer.bare,
            unit="ms",
            goal=1.25,
        ),
        compare(
            what="warm answer, CPU",
            ours=answer.ours_cpu,
            peer="bare get_secret_value",
            theirs=answer.bare_cpu,
            unit="ms",
        ),
        compare(
            what="tick that refreshes",
            ours=refresh.ours,
            peer="the same seven calls alone",
            theirs=refresh.bare,
            unit="ms",
            goal=1.25,
        ),
        _calls(function),
    ], refresh


def _calls(function: LocalFunction) -> Line:
    with fault_proxy(function.cloud) as proxy, function.runtime(**proxy.environment) as runtime:
        function.seed(function.cloud.standin.grant())
        runtime.invoke({})
        fresh = _calls_so_far(proxy)
        runtime.invoke(TICK)
        tick = _calls_so_far(proxy)
        function.seed(function.cloud.standin.grant(), expires_in=timedelta(hours=1))
        report = runtime.invoke(TICK)
        if report.get("outcome") != "refreshed":
            raise RuntimeError(f"The tick did not refresh: {report}")
        refresh = _calls_so_far(proxy)
    counts = counted(refresh)
    shown = (
        f"fresh: {fresh.total()} read (tick: {tick['GetSecretValue']} read, {tick['GetItem']} lock read); "
        f"refresh: {counts[0]} reads, {counts[1]} issuer call, {counts[2]} writes, {counts[3]} lock writes"
    )
    met = fresh == {"GetSecretValue": 1} and meets_goal(refresh)
    return Line(what="calls on the wire", ours=shown, goal="1; 2, 1, 2, 2", met=met)


def counted(calls: Counter[str]) -> tuple[int, int, int, int]:
    """Return the numbers of reads, issuer calls, writes and lock writes."""
    writes = calls["PutSecretValue"] + calls["UpdateSecretVersionStage"]
    return calls["GetSecretValue"], calls["RefreshToken"], writes, calls["PutItem"] + calls["UpdateItem"]


def meets_goal(calls: Counter[str]) -> bool:
    """Whether a refresh made one issuer call, at most the allowed number of each other kind, and no further calls."""
    counts = counted(calls)
    allowed = all(count <= maximum for count, maximum in zip(counts, (2, 1, 2, 2), strict=True))
    return allowed and counts[1] == 1 and sum(counts) == calls.total()


def _calls_so_far(proxy: FaultProxy) -> Counter[str]:
    """Return the calls since the last time. Raises RuntimeError if a call took more than one attempt."""
    calls = Counter(proxy.calls)
    if proxy.attempts != calls.total():
        raise RuntimeError(f"{calls.total()} calls took {proxy.attempts} attempts.")
    proxy.forget()
    return calls
