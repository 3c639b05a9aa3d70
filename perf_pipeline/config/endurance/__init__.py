"""What an endurance campaign plays: the ``[endurance]`` table and its check."""
