"""``findingmodel mcp``: the tools, their budget, and both transports."""
