"""A Lambda function that uses Figma with a token that it asked for."""
