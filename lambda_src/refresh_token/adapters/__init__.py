"""Adapters: the store and the lock on AWS. With the issuers, the only users of AWS clients."""
