"""Refuses a deployment that would drop settings of the deployed stack: `python -m infra.compare <stage>`.

For templates that were synthesised without credentials, as in the pipeline. All settings come from cdk.json.
"""

import json
import sys
from pathlib import Path

from infra.deployed_settings import comparison
from infra.deployed_template import QUALIFIER, QUALIFIER_KEY, UnreadTemplateError, deployed_template
from infra.stage_settings import StageSettings

SETTINGS = Path(__file__).resolve().parent.parent / "cdk.json"


def main(stage: str) -> int:
    """Compare, and return the exit code: 1 if settings that need a confirmation would change, or cannot be read."""
    context = json.loads(SETTINGS.read_text(encoding="utf-8"))["context"]
    settings = StageSettings.from_context({**context, "stage": stage})
    try:
        qualifier = context.get(QUALIFIER_KEY, QUALIFIER)
        template = deployed_template(settings.stack_name, qualifier=qualifier, use_callers_account=True)
    except UnreadTemplateError as reason:
        sys.stderr.write(f"Deployed settings were not compared: {reason}.\n")
        return 1
    refusal, warning = comparison(template, settings)
    sys.stderr.writelines(f"{text}\n" for text in (warning, refusal) if text)
    return 1 if refusal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
