"""The environment of tokenctl, or another module of ours, as a child process."""

from coverage import Coverage

from local.deployment import IMPORTABLE
from tests.support.checkout import ROOT


def environment() -> dict[str, str]:
    """Return variables that make the checkout importable, and let coverage measure the child if it measures us.

    Coverage itself can only measure all child processes (`patch = subprocess`). Hundreds of them are not ours, and each
    would take a tenth of a second longer to start.
    """
    seen = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml")} if Coverage.current() else {}
    return {**IMPORTABLE, **seen}
