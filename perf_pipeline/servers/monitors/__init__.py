"""Prometheus, Alertmanager and exporters, for ``perf-pipeline start --monitoring``."""
