"""The folders that Lambda gets."""
