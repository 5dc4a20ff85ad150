"""What is known of the work itself: how long it takes (`metrics`), what was done to an index (`ledger`)."""
