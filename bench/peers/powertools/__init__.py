"""A peer: Powertools, all features at import."""
