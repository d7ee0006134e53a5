"""A small stack that stands for another team's: its function gets a token from ours and uses it."""
