"""The AWS resources: settings, constructs, bundling, one stack."""
