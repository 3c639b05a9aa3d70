"""The part of the report that is about one load level."""
