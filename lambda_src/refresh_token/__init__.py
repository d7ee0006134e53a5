"""Keeps a Figma OAuth token pair alive: the Lambda function behind the RefreshToken stack."""
