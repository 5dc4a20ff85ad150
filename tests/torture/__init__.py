"""Attacks on every guarantee in docs/reliability.md, run by `scripts/torture.py`."""
