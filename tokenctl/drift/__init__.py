"""What somebody changed by hand: the deployed template compared with what is there, and how to restore it."""
