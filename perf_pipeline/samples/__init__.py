"""The shared vocabulary: one record for each workflow, and the files that hold the records."""
