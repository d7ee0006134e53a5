"""OAuth 2 without I/O: what to send to a token endpoint, what its answers mean, and the settings of each issuer.

The function, `tokenctl` and the CDK construct import these modules. The function and `tokenctl` each have their own
transport, and turn refusals into their own errors.
"""
