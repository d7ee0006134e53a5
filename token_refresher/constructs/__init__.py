"""One construct per resource that has a life of its own."""
