"""Runs tokenctl for `python -m tokenctl`."""

from tokenctl.main import main

if __name__ == "__main__":
    main()
