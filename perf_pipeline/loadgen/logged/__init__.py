"""What a run logs of its load levels: their course, and a sample of their workflows."""
