"""Signing in to a provider in a browser."""
