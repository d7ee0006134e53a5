"""Mutation testing: break pure modules in every small way that mutmut knows, and count what the tests notice.

mutmut runs on copies in ``build/mutants``: it must find the package under ``src``, and it writes files beside it. Its
settings are in ``pyproject.toml``. ``docs/mutants.md`` lists the survivors, each with its reason.
"""

import shutil
import subprocess
import sys
from collections import Counter

from tests.support.checkout import ROOT

FOLDER = ROOT / "build" / "mutants"
WORKERS = "2"
MIN_SCORE = 90.0
"""The percentage of mutants that the tests must notice, in each module."""

MODULES = (
    *("core.bare_operation", "core.unreadable_pair"),
    *("core.claimed_refresh", "core.claims", "core.failed_call", "core.grant_life", "core.issued_by"),
    *("core.issued_token", "core.process_memory", "core.refresh_once", "core.refresh_policy", "core.refresher"),
    *("core.secret_format", "core.static_token", "core.time_budget", "core.token_pair", "core.windows", "events"),
    *("fleet.due", "fleet.names", "fleet.states"),
    *("oauth.address_templates", "oauth.requests", "oauth.templates"),
)
"""The modules of `tool.mutmut`. If one has no mutant, mutmut has not found it, and the run fails."""

NOTICED = {"killed", "timeout"}


def main() -> int:
    """Run mutmut, print the score of each module and the survivors; return 1 if too many survive."""
    lay_out()
    with (FOLDER / "mutmut.log").open("w") as log:
        ran = subprocess.run(
            [*mutmut("run"), "--max-children", WORKERS], cwd=FOLDER, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if ran.returncode:
        sys.stdout.write(f"mutmut failed; the end of {log.name}:\n{(FOLDER / 'mutmut.log').read_text()[-3000:]}\n")
        return 1
    return report(read_fates())


def lay_out() -> None:
    """Copy what mutmut needs: the function, its tests and their support."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for source, target in (
        ("lambda_src", "src"),
        ("tests/function", "tests/function"),
        ("tests/support", "tests/support"),
    ):
        shutil.copytree(ROOT / source, FOLDER / target, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", FOLDER)


def mutmut(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mutmut", *arguments]


def read_fates() -> dict[str, str]:
    results = subprocess.run(
        mutmut("results", "--all", "true"), cwd=FOLDER, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    pairs = (line.strip().rpartition(": ") for line in results.splitlines() if "__mutmut_" in line)
    return {name: fate for name, _, fate in pairs}


def report(fates: dict[str, str]) -> int:
    """Print the figures; return 1 if they are not good enough."""
    modules = Counter(module(name) for name in fates)
    noticed = Counter(module(name) for name, fate in fates.items() if fate in NOTICED)
    for name, fate in fates.items():
        if fate not in NOTICED:
            sys.stdout.write(f"\n{name}: {fate}\n{diff(name)}")
    sys.stdout.write("\n")
    scores = {name: score(noticed[name], modules[name]) for name in sorted({*MODULES, *modules})}
    for name, percent in scores.items():
        sys.stdout.write(f"{name:24} {noticed[name]:4} of {modules[name]:4} noticed: {percent:5.1f} %\n")
    total = score(noticed.total(), modules.total())
    sys.stdout.write(f"{'all':24} {noticed.total():4} of {modules.total():4} noticed: {total:5.1f} %\n")
    weak = [name for name, percent in scores.items() if percent < MIN_SCORE]
    if weak:
        sys.stdout.write(f"Below {MIN_SCORE} %: {', '.join(weak)}\n")
    return int(bool(weak))


def score(noticed: int, total: int) -> float:
    """Return the share in percent, 0 if there are no mutants."""
    return 100 * noticed / total if total else 0.0


def module(name: str) -> str:
    """Return the module of a mutant such as `refresh_token.core.claims.x_f__mutmut_1`."""
    return name.removeprefix("refresh_token.").rpartition(".")[0]


def diff(name: str) -> str:
    shown = subprocess.run(mutmut("show", name), cwd=FOLDER, stdout=subprocess.PIPE, text=True, check=True).stdout
    return "".join(f"  {line}\n" for line in shown.splitlines() if line[:2] in {"- ", "+ "})


if __name__ == "__main__":
    sys.exit(main())
