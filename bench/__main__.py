"""`make bench`: compares the function with its peers in one run, and writes the figures to the screen and the docs."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench import cold, commands, consumer, crowd, fleet, report, warm
from bench.assets import ours
from bench.simulation.table import simulate
from local.cloud import LocalCloud
from tests.support.local_function import LocalFunction


def main() -> int:
    """Run every benchmark. Return 1 if a goal was missed."""
    report.progress("the build of the assets")
    asset = ours().folder
    lines = []
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch) / "cloud") as cloud:
        function = LocalFunction(cloud, asset, Path(scratch))
        report.progress("cold starts, a few minutes")
        lines += cold.lines(function)
        report.progress("warm invocations")
        more, refresh = warm.lines(function)
        lines += more
        report.progress("crowds")
        lines += crowd.lines(function)
        report.progress("a fleet on the local AWS")
        lines += fleet.lines(function)
        report.progress("commands")
        lines.append(commands.by_hand(function, refresh))
    report.progress("requests of a consumer")
    lines += [*consumer.lines(), consumer.memory()]
    lines.append(commands.synth())
    report.progress("a simulated fleet")
    simulated = simulate()
    report.show(lines, Console())
    report.write(lines)
    report.write_fleet(simulated)
    return int(any(line.met is False for line in lines))


if __name__ == "__main__":
    sys.exit(main())
