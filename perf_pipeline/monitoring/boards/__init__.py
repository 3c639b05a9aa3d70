"""Grafana's boards: what each panel asks, says and means, and their JSON in infra/grafana."""
