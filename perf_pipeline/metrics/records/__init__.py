"""What the records of a load level give: counts, in-flight, fairness, ends of workers."""
