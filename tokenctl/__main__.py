"""``python -m tokenctl`` is tokenctl."""

from tokenctl.main import main

if __name__ == "__main__":
    main()
