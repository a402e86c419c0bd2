"""What to do when others fail."""
