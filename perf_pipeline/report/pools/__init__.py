"""Connection pools in reports."""
