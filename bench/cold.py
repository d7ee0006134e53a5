"""Cold starts of all assets in turn, in the Lambda Runtime Interface Emulator."""

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
    """One asset's cold starts: milliseconds of init, milliseconds to the first answer, and peak memory in MB."""

    init: list[float] = field(default_factory=list)
    first_answer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def lines(function: LocalFunction) -> list[Line]:
    """Start every asset `ROUNDS` times and return the lines of the table."""
    function.seed(function.cloud.standin.grant())
    our_asset, plain, powertools = ours(), uploaded("plain"), uploaded("powertools")
    plain_pruned, plain_unpruned, powertools_unpruned = pruned("plain"), installed("plain"), installed("powertools")
    assets = [our_asset, plain, powertools, plain_pruned, plain_unpruned, powertools_unpruned]
    for asset in (our_asset, plain, powertools):
        _check_that_it_refreshes(function, asset)
    starts = measure(function, assets)
    goals: list[tuple[Asset, float | None]] = [(plain, 0.40), (powertools, 0.30), (plain_pruned, 1.15)]
    goals += [(plain_unpruned, None), (powertools_unpruned, None)]
    found = []
    for what, attribute, slack in (("cold init", "init", 1.0), ("cold start to first answer", "first_answer", 1.1)):
        for peer, goal in goals:
            found.append(
                compare(
                    what=what,
                    ours=getattr(starts[our_asset.name], attribute),
                    peer=peer.name,
                    theirs=getattr(starts[peer.name], attribute),
                    unit="ms",
                    goal=goal and round(goal * slack, 3),
                )
            )
    for peer, limit in ((plain, None), (powertools, 0.6)):
        found.append(
            compare(
                what="peak memory",
                ours=starts[our_asset.name].memory,
                peer=peer.name,
                theirs=starts[peer.name].memory,
                unit="MB",
                goal=limit,
            )
        )
    size = our_asset.zip_megabytes
    found += [
        Line(
            what="zipped package",
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


def _check_that_it_refreshes(function: LocalFunction, asset: Asset) -> None:
    """Raise RuntimeError unless the asset calls the issuer once, stores the token and returns it."""
    before, asked_before = function.current()[0], len(function.cloud.standin.calls("RefreshToken"))
    log = function.folder / "refresh.log"
    with running(asset.folder, _environment(function), log, handler=asset.handler) as runtime:
        answer = runtime.invoke({"force": True})
    now, pair = function.current()
    asked = len(function.cloud.standin.calls("RefreshToken")) - asked_before
    if asked != 1 or now == before or answer.get("accessToken") != pair["accessToken"]:
        raise RuntimeError(f"{asset.name} does not refresh the token. See {log}.")


def measure(function: LocalFunction, assets: Sequence[Asset], rounds: int = ROUNDS) -> dict[str, Starts]:
    """Start each asset once per round, so that other load on the machine affects all of them alike."""
    starts = {asset.name: Starts() for asset in assets}
    for turn in range(rounds + WARM_UPS):
        for asset in assets:
            _start(function, asset, starts[asset.name] if turn >= WARM_UPS else Starts())
    return starts


def _environment(function: LocalFunction) -> dict[str, str]:
    # Lambda's /var/task is read-only, so no start writes byte code for the next one.
    return {**function.environment, "PYTHONDONTWRITEBYTECODE": "1", "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR"}


def _start(function: LocalFunction, asset: Asset, starts: Starts) -> None:
    log = function.folder / "cold.log"
    with running(asset.folder, _environment(function), log, handler=asset.handler) as runtime:
        before = time.perf_counter()
        answer = runtime.invoke({})
        starts.first_answer.append((time.perf_counter() - before) * 1000)
        if "accessToken" not in answer:
            raise RuntimeError(f"{asset.name} does not answer with a token: {runtime.log()}")
        report = _INIT.search(runtime.log())
        if report is None:
            raise RuntimeError(f"The emulator did not report the init time: {runtime.log()}")
        starts.init.append(float(report[1]))
        starts.memory.append(_peak_megabytes(runtime))


def _peak_megabytes(runtime: Runtime) -> float:
    command = ["/bin/ps", "--ppid", str(runtime.pid), "-o", "pid="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own arguments)
    status = Path(f"/proc/{listed.stdout.split()[0]}/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    if peak is None:
        raise RuntimeError("This kernel does not report the peak memory of a process.")
    return int(peak[1]) / 1000
