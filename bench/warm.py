"""Warm invocations against the bare calls that they stand on, with the same clients, in one process."""

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
from tests.support.fault_proxy import Wire, wire_to
from tests.support.local_function import LocalFunction

ANSWERS = 400
REFRESHES = 80
TICK = {"source": "aws.scheduler"}
INSIDE = Path(__file__).parent / "inside.py"
PYTHON = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")


@dataclass(frozen=True)
class Warm:
    """Milliseconds, ours and of the bare calls, on the clock and of the CPU."""

    ours: list[float]
    ours_cpu: list[float]
    bare: list[float]
    bare_cpu: list[float]


def inside(bench: LocalFunction, what: str, count: int) -> Warm:
    """Run `inside.py` from our asset."""
    file = bench.folder / f"{what}.json"
    command = [str(part) for part in (PYTHON, "-I", "-S", INSIDE, ours().folder, what, count, file)]
    subprocess.run(  # noqa: S603 (our own arguments)
        command, check=True, env={"PATH": os.defpath, **bench.environment}, stdout=subprocess.DEVNULL
    )
    return Warm(**json.loads(file.read_text(encoding="utf-8")))


def lines(bench: LocalFunction) -> tuple[list[Line], Warm]:
    """Return the lines, and what a refresh took."""
    bench.seed(bench.cloud.standin.grant())
    answer = inside(bench, "answer", ANSWERS)
    refresh = inside(bench, "refresh", REFRESHES)
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
            peer="its seven calls, bare",
            theirs=refresh.bare,
            unit="ms",
            goal=1.25,
        ),
        _calls(bench),
    ], refresh


def _calls(bench: LocalFunction) -> Line:
    with wire_to(bench.cloud) as wire, bench.runtime(**wire.environment) as runtime:
        bench.seed(bench.cloud.standin.grant())
        runtime.invoke({})
        fresh = _taken(wire)
        runtime.invoke(TICK)
        tick = _taken(wire)
        bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(hours=1))
        report = runtime.invoke(TICK)
        if report.get("outcome") != "refreshed":
            raise RuntimeError(f"The tick did not refresh: {report}")
        refresh = _taken(wire)
    counts = counted(refresh)
    shown = (
        f"fresh {fresh.total()} (as a tick {tick['GetSecretValue']}, and {tick['GetItem']} look at the lock); "
        f"refresh {counts[0]} reads, {counts[1]} issuer, {counts[2]} writes, {counts[3]} lock"
    )
    met = fresh == {"GetSecretValue": 1} and within(refresh)
    return Line(what="calls on the wire", ours=shown, goal="1; 2, 1, 2, 2", met=met)


def counted(calls: Counter[str]) -> tuple[int, int, int, int]:
    """Return how many reads, issuer calls, writes and lock calls there were."""
    writes = calls["PutSecretValue"] + calls["UpdateSecretVersionStage"]
    return calls["GetSecretValue"], calls["RefreshToken"], writes, calls["PutItem"] + calls["UpdateItem"]


def within(calls: Counter[str]) -> bool:
    """Tell whether a refresh made one issuer call, no more of the others than the goal allows, and none besides."""
    counts = counted(calls)
    few = all(count <= most for count, most in zip(counts, (2, 1, 2, 2), strict=True))
    return few and counts[1] == 1 and sum(counts) == calls.total()


def _taken(wire: Wire) -> Counter[str]:
    """Return the calls since last time; raises RuntimeError where one was made in more than one attempt."""
    calls = Counter(wire.calls)
    if wire.attempts != calls.total():
        raise RuntimeError(f"{calls.total()} calls took {wire.attempts} attempts")
    wire.forget()
    return calls
