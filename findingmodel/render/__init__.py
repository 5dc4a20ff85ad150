"""Models and entries as Markdown, as HTML and as rows of a table."""
