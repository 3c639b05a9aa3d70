"""Commands of a load run in shards."""
