"""Lint: rules for how a collection of finding models is written, beyond what makes a file valid."""
