"""The CDK app: reads the context and builds the stack of one stage, with the function's bundle.

The template depends on the context alone. With AWS credentials, the app also compares the deployed settings with it.
"""

import sys

from aws_cdk import App

from infra.checks import add_checks, compare_with_deployed
from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from token_refresher.bundling.bundle import BundlingError
from token_refresher.settings.reader import SettingsError


def main(app: App) -> int:
    """Synthesise one stage. Return the exit code. Each fault that an operator can fix is a line on stderr."""
    add_checks(app)
    try:
        settings = StageSettings.from_context(app.node.get_all_context())
        stack = RefreshTokenStack(app, settings.stack_name, settings=settings)
    except (SettingsError, BundlingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    compare_with_deployed(stack, settings)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main(App()))
