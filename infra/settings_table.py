"""The README's table of settings, made from the fields themselves: `python -m infra.settings_table`.

With `--check` it writes nothing, and fails when the README has another one.
"""

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from infra.stage_settings import STAGES
from token_refresher.settings.refresher_settings import RefresherSettings

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- made by `make snapshots` from token_refresher/settings/refresher_settings.py; do not edit -->"
END = "<!-- end of what was made -->"


def table() -> str:
    """Return the table in Markdown: key, default and what the stages have instead, meaning, rule."""
    blocks = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["stages"]
    head = ["key", "default", "what it is", "it must be"]
    rows = [head, ["---"] * len(head)]
    for field in fields(RefresherSettings):
        stages = {stage: blocks[stage].get(field.name, field.default) for stage in STAGES}
        instead = [f"; {stage}: {_shown(value)}" for stage, value in stages.items() if value != field.default]
        rule = str(field.metadata["rule"]).removeprefix("must be ")
        rows.append([f"`{field.name}`", _shown(field.default) + "".join(instead), field.metadata["about"], rule])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: list[str] | None = None, *, document: Path = ROOT / "README.md") -> int:
    """Write the table into the document, or check it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.settings_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the document has another table")
    check = parser.parse_args(arguments).check
    text = document.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
    if check and made != text:
        sys.stderr.write(f"The table of settings in {document.name} is out of date: make snapshots\n")
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
