"""The page of an endurance campaign: hours, signals, verdicts, breaks and gaps."""
