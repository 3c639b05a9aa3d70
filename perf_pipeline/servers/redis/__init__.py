"""Redis or Valkey: how it is started, what a run stores in it, and its counters."""
