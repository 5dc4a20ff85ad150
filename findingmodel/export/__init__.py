"""The index as files: Markdown pages, ids, JSON Lines."""
