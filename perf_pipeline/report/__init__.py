"""The report of a run: one HTML file, Markdown and JSON, all derived from the run's metrics."""
