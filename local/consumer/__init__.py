"""A small stack of somebody else's, deployed beside ours: its function asks for a token and uses it."""
