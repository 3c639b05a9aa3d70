"""A worker process that outlives a load level: it plays one hour of a campaign after the other."""
