"""How the process of a run uses what Dagster stores."""
