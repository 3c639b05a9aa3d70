"""The figures of the hours of a campaign."""
