"""Two runs, or two sets of runs, compared: effects, intervals, verdicts."""
