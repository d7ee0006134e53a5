"""What is deployed, and how to reach it."""
