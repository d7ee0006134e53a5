"""OAuth 2 without I/O: what to send to a token endpoint, and what its answers mean. One fact, one place.

The function, `tokenctl` and the CDK construct all import these modules. Each of them keeps its own transport, and turns
a refusal into an error of its own.
"""
