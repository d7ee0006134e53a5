"""CDK entry: reads the context, builds the stack of one stage, bundles the function for it. Looks nothing up."""

import sys

from aws_cdk import App

from infra.bundling import BundlingError
from infra.checks import add_checks
from infra.context_reader import SettingsError
from infra.settings import StageSettings
from infra.stack import RefreshTokenStack


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
