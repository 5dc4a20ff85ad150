"""`findingmodel mcp`: the tools, their budget, and the SDK's own client on both transports."""
