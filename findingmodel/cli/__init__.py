"""The command line: each command parses, calls once, and renders."""
