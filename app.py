"""CDK entry: reads the context, bundles the function, builds the stack of one stage. Looks nothing up."""

import sys
from pathlib import Path

from aws_cdk import App

from infra.bundling import BundlingError, build
from infra.checks import add_checks
from infra.context_reader import SettingsError
from infra.settings import StageSettings
from infra.stack import RefreshTokenStack

LAMBDA_SOURCES = Path(__file__).resolve().parent / "lambda_src"


def main(app: App) -> int:
    """Synthesise one stage; return the exit code. Faults that the operator can mend are one line each on stderr."""
    add_checks(app)
    try:
        settings = StageSettings.from_context(app.node.get_all_context())
        asset = build(
            sources=[LAMBDA_SOURCES / "refresh_token"],
            requirements=LAMBDA_SOURCES / "requirements.txt",
            architecture=settings.architecture,
        )
    except (SettingsError, BundlingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    RefreshTokenStack(app, settings.stack_name, settings=settings, asset=asset)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main(App()))
