"""What failures did to a load level, as figures."""
