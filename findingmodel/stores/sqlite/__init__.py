"""The index in one SQLite file, or in memory, with nothing to set up."""
