"""What exists only for users of findingmodel 0.3 and 0.4."""
