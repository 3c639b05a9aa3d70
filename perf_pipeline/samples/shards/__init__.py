"""What is stored of a run whose load came from several hosts."""
