"""Who is asked about an asset, as the UI shows it."""

OWNERS = ["team:perf_pipeline"]
