"""Live metrics of runs for Prometheus, their rules and boards, and logs for Elasticsearch."""
