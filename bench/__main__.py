"""`make bench`: measure everything beside its peers in one run, print the table, rewrite docs/benchmarks.md."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench import cold, commands, crowd, report, warm
from bench.assets import ours
from local.cloud import LocalCloud
from tests.support.local_function import LocalFunction


def main() -> int:
    """Return 1 if a goal was missed."""
    report.progress("the build of the assets")
    asset = ours().folder
    lines = []
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch) / "cloud") as cloud:
        bench = LocalFunction(cloud, asset, Path(scratch))
        report.progress("cold starts, a few minutes")
        lines += cold.lines(bench)
        report.progress("warm invocations")
        more, refresh = warm.lines(bench)
        lines += more
        report.progress("crowds")
        lines += crowd.lines(bench)
        report.progress("commands")
        lines.append(commands.by_hand(bench, refresh))
    lines.append(commands.synth())
    report.show(lines, Console())
    report.write(lines)
    return int(any(line.met is False for line in lines))


if __name__ == "__main__":
    sys.exit(main())
