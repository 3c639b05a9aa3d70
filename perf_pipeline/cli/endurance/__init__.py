"""Endurance on the command line: a campaign is played, and whether series leak."""
