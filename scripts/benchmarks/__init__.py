"""Cases, budgets and report of scripts/bench.py."""
