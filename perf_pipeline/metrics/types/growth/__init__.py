"""Where memory grows."""
