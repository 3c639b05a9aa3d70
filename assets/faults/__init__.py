"""Failures in the lineage graph."""
