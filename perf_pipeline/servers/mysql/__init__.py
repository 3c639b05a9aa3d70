"""MySQL or MariaDB: how it is started, what a run stores in it, and its counters."""
