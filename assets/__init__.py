"""The Dagster code location: wiring only; the work is done in perf_pipeline."""
