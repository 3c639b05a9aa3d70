"""How a process of ours starts and ends, whatever session it was started from."""
