"""Our own stages: the stack, the settings of each stage, the checks at every synthesis, and two generators."""
