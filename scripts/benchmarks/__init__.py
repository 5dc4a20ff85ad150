"""What scripts/bench.py measures, and what it makes of it."""
