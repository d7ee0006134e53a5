"""The client of the refresh function, for other Lambdas."""
