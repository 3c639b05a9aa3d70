"""From records and the log of failures to how a target met them and came back."""
