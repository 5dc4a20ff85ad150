"""Limits and defaults of settings and arguments, and numbers that several modules share."""

from __future__ import annotations

# Files
MAX_FILE_BYTES = 20_000_000
MAX_NESTING = 200  # lists and objects within each other
MAX_IDS_IN_REPORT = 1_000  # per kind of change

# Updates
CONCURRENCY = 2  # chunks of files that are loaded at the same time
BATCH_SIZE = 1_000  # models per write
LEASE_SECONDS = 60

# Searches
CACHE_SIZE = 1_000  # results of searches
CACHE_TTL_SECONDS = 300
MAX_QUERY_CHARACTERS = 4_000
SERVER_CONCURRENCY = 4  # queries of a batch that a server answers at the same time

# Reports
MAX_REPORT_CHARACTERS = 500_000

# The ledger
LEDGER_MAX_BYTES = 5_000_000
LEDGER_KEEP = 5  # rotated files

# MongoDB
POOL_MAX_SIZE = 100
POOL_MIN_SIZE = 0
POOL_MAX_IDLE_MS = 30_000
POOL_WAIT_QUEUE_TIMEOUT_MS = 5_000
SERVER_SELECTION_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_MS = 10_000
SOCKET_TIMEOUT_MS = 20_000
RETRY_ATTEMPTS = 40
RETRY_SECONDS = 30  # an election takes up to 12 s by default
BREAKER_FAILURES = 5
BREAKER_SECONDS = 10
