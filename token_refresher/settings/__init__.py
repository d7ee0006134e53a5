"""The settings of a refresher, and the rules that check them."""
