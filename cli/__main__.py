"""``python -m cli`` is tokenctl."""

from cli.main import main

if __name__ == "__main__":
    main()
