"""Writes the README's table of settings, from the settings themselves: `python -m infra.settings_table`.

With `--check` it writes nothing, and fails if the README's table is out of date.
"""

import argparse
import json
import sys
from pathlib import Path

from infra.stage_settings import SETTINGS, STAGES

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- made by `make snapshots` from infra/stage_settings.py; do not edit -->"
END = "<!-- end of what was made -->"


def table() -> str:
    """Return the table in Markdown: key, default (and the stages that differ), meaning, rule."""
    blocks = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["stages"]
    head = ["key", "default", "what it is", "it must be"]
    rows = [head, ["---"] * len(head)]
    for name, setting in SETTINGS.items():
        stages = {stage: blocks[stage].get(name, setting.default) for stage in STAGES}
        instead = [f"; {stage}: {_shown(value)}" for stage, value in stages.items() if value != setting.default]
        rule = str(setting.rule).removeprefix("must be ")
        rows.append([f"`{name}`", _shown(setting.default) + "".join(instead), setting.about, rule])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: list[str] | None = None, *, document: Path = ROOT / "README.md") -> int:
    """Write the table into the document, or check it. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.settings_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the table is out of date")
    check = parser.parse_args(arguments).check
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
    if check and made != text:
        sys.stderr.write(f"The table of settings in {document.name} is out of date. Run make snapshots.\n")
        return 1
    if not check:
        document.write_text(made, encoding="utf-8")
    return 0


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(main())
