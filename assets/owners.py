"""The owners of the assets, as the UI shows them."""

OWNERS = ["team:perf_pipeline"]
