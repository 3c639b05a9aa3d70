"""What the metrics mean: objectives, targets, grades, bottleneck, repeats, capacity."""
