"""Report of a run that several hosts played: what each of them was and did."""
