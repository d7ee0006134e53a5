"""A peer with Powertools and all its features."""
