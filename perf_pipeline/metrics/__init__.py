"""What the records mean: windows, percentiles, validity, targets and KPI grades."""
