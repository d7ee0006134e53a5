"""What makes tokenctl feel like the AWS CLI."""
