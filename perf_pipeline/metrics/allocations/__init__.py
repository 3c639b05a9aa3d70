"""The places in a target's code whose memory grew, and their file."""
