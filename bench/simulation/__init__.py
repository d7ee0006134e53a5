"""A fleet of the size of a whole account, simulated with the fleet's own code: `python -m bench.simulation`."""
