"""The command run for an endurance scenario: its Dagster job, and the outcome of the campaign."""
