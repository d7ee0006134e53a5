"""CDK entry: reads the context, builds the stack of one stage, bundles the function for it. Looks nothing up."""

import sys

from aws_cdk import App

from infra.checks import add_checks
from infra.stack import RefreshTokenStack
from infra.stage_settings import StageSettings
from token_refresher.bundling.bundle import BundlingError
from token_refresher.settings.reader import SettingsError


def main(app: App) -> int:
    """Synthesise one stage; return the exit code. Faults that the operator can mend are one line each on stderr."""
    add_checks(app)
    try:
        settings = StageSettings.from_context(app.node.get_all_context())
        RefreshTokenStack(app, settings.stack_name, settings=settings)
    except (SettingsError, BundlingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main(App()))
