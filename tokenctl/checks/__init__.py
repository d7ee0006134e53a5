"""What `tokenctl doctor` checks."""
