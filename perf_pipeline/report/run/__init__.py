"""The part of the report that is about the whole run, and the files that it is written to."""
