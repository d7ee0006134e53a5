"""Commands that people wait for: `cdk synth` without changes, and a refresh by hand with the AWS CLI."""

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
from local.cdk_cli import CdkCli
from local.deployment import IMPORTABLE
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
    """Time `cdk synth` and its bundling, in turn."""
    environment = caller_environment("") | IMPORTABLE
    synths, bundlings = [], []
    with tempfile.TemporaryDirectory() as folder:
        cdk = CdkCli(env=environment, folder=Path(folder))
        for turn in range(ROUNDS + 1):
            seconds = _seconds(lambda: cdk.synth(context={"stage": "local"}))
            built = float(_run([sys.executable, "-c", _BUILD], environment))
            if turn:  # the first turn may build the bundle
                synths.append(seconds)
                bundlings.append(built)
    bundling = median(bundlings)
    others = median(synths) - bundling
    share = bundling / others
    return Line(
        what="cdk synth without changes",
        ours=f"{bundling:.2f} s for bundling",
        peer="everything else in cdk synth",
        theirs=f"{others:.1f} s",
        ratio=share,
        goal="≤ 0.05",
        met=share <= 0.05,  # noqa: PLR2004 - the goal
    )


def by_hand(function: LocalFunction, refresh: Warm) -> Line:
    """Compare the CPU time of our warm refresh with two commands that refresh and store a token."""
    pair = json.loads(function.secrets.get_secret_value(SecretId=function.secret_arn)["SecretString"])
    aws = str(Path(sys.executable).with_name("aws"))
    body = f"token={pair['refreshToken']}"
    refresh_token = [aws, "amplifyuibuilder", "refresh-token", "--provider", "figma", "--refresh-token-body", body]
    put = [aws, "secretsmanager", "put-secret-value", "--secret-id", function.secret_arn, "--secret-string"]
    milliseconds = []
    for turn in range(ROUNDS + 1):
        before = _cpu_of_children()
        issued = json.loads(_run(refresh_token, function.cloud.env))
        _run([*put, json.dumps(pair | issued)], function.cloud.env)
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
