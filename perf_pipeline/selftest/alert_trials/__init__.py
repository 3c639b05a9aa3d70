"""Plays the cause of every alert before a real Prometheus and Alertmanager."""
