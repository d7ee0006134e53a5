"""The peers: other ways to do the function's job. Each folder is shipped as a package of its own."""
