"""Proofs of perf_pipeline's own claims, each on a target or series whose truth is known.

One selftest is one public module of this package that has ``run(size, seed) -> list[Figure]``;
the first line of its docstring is the claim. ``perf-pipeline selftest NAME`` runs it.
"""
