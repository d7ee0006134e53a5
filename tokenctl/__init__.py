"""tokenctl, the operator's command."""
