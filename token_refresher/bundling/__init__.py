"""Builds the folders that Lambda gets."""
