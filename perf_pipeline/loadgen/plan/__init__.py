"""The plan of a run: its load levels and their arrivals, decided before the load starts."""
