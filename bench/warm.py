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
from tests.bench import Bench
from tests.chaos.wire import wire_to

ANSWERS = 400
REFRESHES = 80
INSIDE = Path(__file__).parent / "inside.py"
PYTHON = Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")


@dataclass(frozen=True)
class Warm:
    """Milliseconds, ours and of the bare calls, on the clock and of the CPU."""

    ours: list[float]
    ours_cpu: list[float]
    bare: list[float]
    bare_cpu: list[float]


def inside(bench: Bench, what: str, count: int) -> Warm:
    """Run `inside.py` from our asset."""
    file = bench.folder / f"{what}.json"
    command = [str(part) for part in (PYTHON, "-I", "-S", INSIDE, ours().folder, what, count, file)]
    subprocess.run(  # noqa: S603 (our own arguments)
        command, check=True, env={"PATH": os.defpath, **bench.environment}, stdout=subprocess.DEVNULL
    )
    return Warm(**json.loads(file.read_text(encoding="utf-8")))


def lines(bench: Bench) -> tuple[list[Line], Warm]:
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


def _calls(bench: Bench) -> Line:
    with wire_to(bench.cloud) as wire, bench.runtime(**wire.environment) as runtime:
        bench.seed(bench.cloud.standin.grant())
        runtime.invoke({})
        fresh = Counter(wire.calls)
        wire.forget()
        bench.seed(bench.cloud.standin.grant(), expires_in=timedelta(hours=1))
        runtime.invoke({"source": "aws.scheduler"})
        refresh = Counter(wire.calls)
    writes = refresh["PutSecretValue"] + refresh["UpdateSecretVersionStage"]
    lock = refresh["PutItem"] + refresh["UpdateItem"]
    counts = (refresh["GetSecretValue"], refresh["RefreshToken"], writes, lock)
    met = fresh == {"GetSecretValue": 1} and counts <= (2, 1, 2, 2) and sum(counts) == refresh.total()
    shown = f"fresh {fresh.total()}; refresh {counts[0]} reads, {counts[1]} issuer, {writes} writes, {lock} lock"
    return Line(what="calls on the wire", ours=shown, goal="1; 2, 1, 2, 2", met=met)
