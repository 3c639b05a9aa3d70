"""The folder of an endurance campaign: its plan, its hours, their signals; and their readers."""
