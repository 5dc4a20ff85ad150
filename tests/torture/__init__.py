"""Attacks on every promise of the index: run by `scripts/torture.py`, reported in docs/reliability.md."""
