"""Questions to servers while load runs: how many connections, how many bytes, how long queries."""
