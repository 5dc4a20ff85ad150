"""Models and entries as Markdown and HTML."""
