"""tokenctl, or another module of ours, in a process of its own."""

from coverage import Coverage

from local.deployment import IMPORTABLE
from tests.support.checkout import ROOT


def environment() -> dict[str, str]:
    """Return what does the same as installing the checkout, and lets coverage see the process where it sees this one.

    Coverage could see all processes by itself (`patch = subprocess`), the hundreds that are not ours, too: each would
    take a tenth of a second longer to start.
    """
    seen = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml")} if Coverage.current() else {}
    return {**IMPORTABLE, **seen}
