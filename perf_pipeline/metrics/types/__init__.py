"""The nouns of ``metrics.json``: plain values without behaviour."""
