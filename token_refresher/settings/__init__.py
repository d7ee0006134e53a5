"""What a refresher may be told, with a rule for each setting."""
