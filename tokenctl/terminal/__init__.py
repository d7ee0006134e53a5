"""What operators read and type."""
