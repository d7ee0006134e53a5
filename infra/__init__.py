"""Our own stages: the stack, its settings per stage, and the checks at every synth."""
