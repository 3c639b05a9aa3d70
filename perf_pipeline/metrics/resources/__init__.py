"""What processes, host and servers use, sampled about once a second."""
