"""Short extra levels whose worker processes are sampled from outside."""
