"""The core: when to refresh a token pair, how to do it exactly once, and how never to lose it.

It does no I/O. The store, the lock and the issuer are ports, which `adapters` and `issuers` implement.
"""
