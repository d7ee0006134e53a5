"""What people wait for in a shell: `cdk synth` when nothing changed, and a refresh by hand with the AWS CLI."""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.figures import Line, compare
from bench.warm import Warm
from local.environment import caller_environment
from tests.support.checkout import ROOT
from tests.support.local_function import LocalFunction

ROUNDS = 5
_BUILD = """
import time
before = time.perf_counter()
from tests.support.local_function import build_asset
imported = time.perf_counter()
build_asset()
print(time.perf_counter() - imported)
"""


def synth() -> Line:
    """Time `cdk synth`, and the bundling in it, in turn."""
    environment = {**caller_environment(""), "CDK_DISABLE_VERSION_CHECK": "1", "PYTHONPATH": _PYTHONPATH}
    environment["PATH"] = f"{ROOT / 'node_modules' / '.bin'}:{environment['PATH']}"
    whole, bundling = [], []
    with tempfile.TemporaryDirectory() as out:
        for turn in range(ROUNDS + 1):
            command = ["cdk", "synth", "--quiet", "--output", out, "--context", "stage=local"]
            seconds = _seconds(lambda: _run(command, environment))  # noqa: B023 - called at once
            built = float(_run([sys.executable, "-c", _BUILD], environment))
            if turn:  # the first may build the bundle
                whole.append(seconds)
                bundling.append(built)
    share = median(bundling) / (median(whole) - median(bundling))
    return Line(
        what="cdk synth, nothing changed",
        ours=f"{median(bundling):.2f} s of bundling",
        peer="cdk synth without it",
        theirs=f"{median(whole) - median(bundling):.1f} s",
        ratio=share,
        goal="≤ 0.05",
        met=share <= 0.05,  # noqa: PLR2004 - the goal
    )


def by_hand(bench: LocalFunction, refresh: Warm) -> Line:
    """Refresh and store a token with two commands; the CPU time of both against our warm refresh."""
    pair = json.loads(bench.secrets.get_secret_value(SecretId=bench.secret_arn)["SecretString"])
    aws = str(Path(sys.executable).with_name("aws"))
    body = f"token={pair['refreshToken']}"
    refresh_token = [aws, "amplifyuibuilder", "refresh-token", "--provider", "figma", "--refresh-token-body", body]
    put = [aws, "secretsmanager", "put-secret-value", "--secret-id", bench.secret_arn, "--secret-string"]
    milliseconds = []
    for turn in range(ROUNDS + 1):
        before = _cpu_of_children()
        issued = json.loads(_run(refresh_token, bench.cloud.env))
        _run([*put, json.dumps(pair | issued)], bench.cloud.env)
        if turn:
            milliseconds.append((_cpu_of_children() - before) * 1000)
    return compare(
        what="CPU time of a refresh",
        ours=refresh.ours_cpu,
        peer="aws amplifyuibuilder refresh-token; aws secretsmanager put-secret-value",
        theirs=milliseconds,
        unit="ms",
        goal=0.1,
    )


_PYTHONPATH = f"{ROOT / 'lambda_src'}:{ROOT}"


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    return subprocess.run(  # noqa: S603 (our own arguments)
        command, check=True, cwd=ROOT, env=environment, capture_output=True, text=True
    ).stdout


def _seconds(call: Callable[[], object]) -> float:
    before = perf_counter()
    call()
    return perf_counter() - before


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
