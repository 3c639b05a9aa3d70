"""Percentiles, intervals and histograms of times, some of which are censored."""
