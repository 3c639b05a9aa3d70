"""One load run on several hosts: cut into shards, met at a barrier, merged without loss."""
