"""What is deployed, and the AWS clients that reach it."""
