"""How work runs: without an event loop, in threads, in bounded tasks; and how long it takes."""
