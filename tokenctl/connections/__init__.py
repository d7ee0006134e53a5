"""The connections of a fleet, as an operator works on them."""
