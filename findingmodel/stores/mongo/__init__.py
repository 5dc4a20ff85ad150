"""The index in MongoDB, for many readers and writers."""
