"""A peer with boto3 and nothing else."""
