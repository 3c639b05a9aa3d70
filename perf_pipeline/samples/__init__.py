"""The shared vocabulary: one record a workflow, and where records are kept until they are read."""
