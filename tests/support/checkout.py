"""Where the repository is checked out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
