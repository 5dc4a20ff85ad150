"""Many queries in and out: read a file of them, answer them, write and resume."""
