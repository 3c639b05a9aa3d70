"""Where alerts are announced: one file a kind, behind one protocol."""
