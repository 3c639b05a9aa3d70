"""One load run as a Dagster run of several steps: a shard each, on this machine or on others."""
