"""How each service's connections are opened and counted, to hold all that it accepts."""
