"""What people read: one HTML file, Markdown and JSON, all derived from the run's metrics."""
