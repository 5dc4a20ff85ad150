"""Metrics of operations (`metrics`, `prometheus`, `logs`), and the ledger of changes (`ledger`)."""
