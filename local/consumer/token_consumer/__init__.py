"""A Lambda function that calls Figma with a token from the refresh function."""
