"""`tokenctl authorize`: the first sign-in, with a redirect to a loopback port (RFC 6749, 4.1; RFC 8252, 7.3)."""
