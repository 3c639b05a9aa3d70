"""The results catalogue: every run's figures, verdicts, baselines and alerts in one database."""
