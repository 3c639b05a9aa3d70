"""How each service is locked, so that writes to it wait."""
