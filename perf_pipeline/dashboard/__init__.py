"""The performance dashboard and the server of reports: pages of what results folders hold."""
