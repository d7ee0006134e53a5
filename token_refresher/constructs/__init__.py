"""The parts of a refresher, a construct each."""
