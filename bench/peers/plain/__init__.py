"""A peer: boto3 and nothing else."""
