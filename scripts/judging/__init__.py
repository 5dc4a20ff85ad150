"""Judged queries: reading them, running them, and what the answers are worth."""
