"""The part of the code location whose assets have partitions, and when it is left out."""
