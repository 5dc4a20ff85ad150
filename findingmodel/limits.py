"""Limits and defaults: the numbers that users can change, and those that several modules share.

Settings and function arguments take their defaults from here.
"""

from __future__ import annotations

# Files
MAX_FILE_BYTES = 20_000_000
MAX_NESTING = 200  # of lists and objects in one file
MAX_IDS_IN_REPORT = 1_000  # of each kind of change

# Updates
CONCURRENCY = 2  # chunks of files loaded at once
BATCH_SIZE = 1_000  # models in one write
LEASE_SECONDS = 60

# Searches
CACHE_SIZE = 1_000  # answers
CACHE_TTL_SECONDS = 300
MAX_QUERY_CHARACTERS = 4_000

# The ledger
LEDGER_MAX_BYTES = 5_000_000
LEDGER_KEEP = 5  # older files

# MongoDB
POOL_MAX_SIZE = 100
POOL_MIN_SIZE = 10
POOL_MAX_IDLE_MS = 30_000
POOL_WAIT_QUEUE_TIMEOUT_MS = 5_000
SERVER_SELECTION_TIMEOUT_MS = 3_000
CONNECT_TIMEOUT_MS = 2_000
SOCKET_TIMEOUT_MS = 20_000
RETRY_ATTEMPTS = 4
RETRY_SECONDS = 10
BREAKER_FAILURES = 5
BREAKER_SECONDS = 10
