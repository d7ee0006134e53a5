"""`make bench`: compares the function with peers that do the same job."""
