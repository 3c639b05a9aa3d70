"""The signals of an endurance campaign: what grows when something leaks."""
