"""The entry point: `python -m tokenctl`, and the command `tokenctl` of an installed wheel."""

import sys


def main() -> None:
    """Run tokenctl. Without the packages of the extra `cli`, say how to install them."""
    try:
        from tokenctl.main import main as run
    except ModuleNotFoundError as error:
        if str(error.name).startswith(("tokenctl", "refresh_token")):
            raise
        sys.stderr.write(f"tokenctl: {error.name} is missing. Install it with `pip install 'refresh-token[cli]'`.\n")
        sys.exit(253)
    run()


if __name__ == "__main__":
    main()
