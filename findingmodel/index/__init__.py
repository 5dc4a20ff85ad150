"""Index and SyncIndex: everything that can be asked of an index, and done to it."""
