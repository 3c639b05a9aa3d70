"""A comparison of two sides as pages, Markdown and tables."""
