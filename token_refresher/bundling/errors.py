"""What can go wrong while a bundle is built."""


class BundlingError(Exception):
    """The bundle could not be built. The text says why, and what to do."""
