"""Cold starts under the Runtime Interface Emulator, the variants in turn."""

import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.assets import Asset, installed, ours, pruned, uploaded
from bench.figures import Line, compare
from tests.support.lambda_emulator import Runtime, running
from tests.support.local_function import LocalFunction

ROUNDS = 21
WARM_UPS = 2
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")


@dataclass
class Starts:
    """The cold starts of one asset: milliseconds of init, and of init with the first answer; MB at most in memory."""

    init: list[float] = field(default_factory=list)
    first_answer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def lines(bench: LocalFunction) -> list[Line]:
    """Start every asset `ROUNDS` times."""
    bench.seed(bench.cloud.standin.grant())
    us, plain, powertools = ours(), uploaded("plain"), uploaded("powertools")
    bundled, plain_fresh, powertools_fresh = pruned("plain"), installed("plain"), installed("powertools")
    assets = [us, plain, powertools, bundled, plain_fresh, powertools_fresh]
    for asset in (us, plain, powertools):
        _refreshes(bench, asset)
    starts = measure(bench, assets)
    goals = [(plain, 0.40), (powertools, 0.30), (bundled, 1.15), (plain_fresh, None), (powertools_fresh, None)]
    found = []
    for what, attribute, slack in (("cold init", "init", 1.0), ("cold start to first answer", "first_answer", 1.1)):
        for peer, goal in goals:
            found.append(
                compare(
                    what=what,
                    ours=getattr(starts[us.name], attribute),
                    peer=peer.name,
                    theirs=getattr(starts[peer.name], attribute),
                    unit="ms",
                    goal=goal and round(goal * slack, 3),
                )
            )
    for peer, limit in ((plain, None), (powertools, 0.6)):
        found.append(
            compare(
                what="memory, at most",
                ours=starts[us.name].memory,
                peer=peer.name,
                theirs=starts[peer.name].memory,
                unit="MB",
                goal=limit,
            )
        )
    size = us.zip_megabytes
    found += [
        Line(
            what="package, zipped",
            ours=f"{size:.2f} MB",
            peer=peer.name,
            theirs=f"{peer.zip_megabytes:.1f} MB",
            ratio=size / peer.zip_megabytes,
            goal="≤ 4 MB",
            met=size <= 4,  # noqa: PLR2004 - the goal
        )
        for peer in (plain, powertools)
    ]
    return found


def _refreshes(bench: LocalFunction, asset: Asset) -> None:
    """Raise RuntimeError unless it does the whole job: asks the issuer once, stores the token, and returns it."""
    before, asked_before = bench.current()[0], len(bench.cloud.standin.calls("RefreshToken"))
    log = bench.folder / "refresh.log"
    with running(asset.folder, _environment(bench), log, handler=asset.handler) as runtime:
        answer = runtime.invoke({"force": True})
    now, pair = bench.current()
    asked = len(bench.cloud.standin.calls("RefreshToken")) - asked_before
    if asked != 1 or now == before or answer.get("accessToken") != pair["accessToken"]:
        raise RuntimeError(f"{asset.name} does not refresh")


def measure(bench: LocalFunction, assets: Sequence[Asset], rounds: int = ROUNDS) -> dict[str, Starts]:
    """Start each asset once a round, so that what else the machine does falls on all alike."""
    starts = {asset.name: Starts() for asset in assets}
    for turn in range(rounds + WARM_UPS):
        for asset in assets:
            _start(bench, asset, starts[asset.name] if turn >= WARM_UPS else Starts())
    return starts


def _environment(bench: LocalFunction) -> dict[str, str]:
    # Lambda's /var/task is read-only: nobody's byte code is written for the next start.
    return {**bench.environment, "PYTHONDONTWRITEBYTECODE": "1", "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR"}


def _start(bench: LocalFunction, asset: Asset, starts: Starts) -> None:
    log = bench.folder / "cold.log"
    with running(asset.folder, _environment(bench), log, handler=asset.handler) as runtime:
        before = time.perf_counter()
        answer = runtime.invoke({})
        starts.first_answer.append((time.perf_counter() - before) * 1000)
        if "accessToken" not in answer:
            raise RuntimeError(f"{asset.name} does not work: {runtime.log()}")
        report = _INIT.search(runtime.log())
        if report is None:
            raise RuntimeError(f"The emulator reports no init: {runtime.log()}")
        starts.init.append(float(report[1]))
        starts.memory.append(_peak_megabytes(runtime))


def _peak_megabytes(runtime: Runtime) -> float:
    command = ["/bin/ps", "--ppid", str(runtime.pid), "-o", "pid="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own arguments)
    status = Path(f"/proc/{listed.stdout.split()[0]}/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    if peak is None:
        raise RuntimeError("This kernel does not tell a process's peak memory")
    return int(peak[1]) / 1000
