"""The Dagster code location: wiring only; whatever an asset does is a call into perf_pipeline."""
