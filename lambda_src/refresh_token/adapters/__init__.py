"""Adapters: the store and the lock on AWS, AWS clients, logs and metrics."""
