"""Plays failures on real servers and kills what plays them, for `selftest faults` and tests."""
