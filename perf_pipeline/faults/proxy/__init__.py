"""A TCP proxy before a server, with the HTTP API of Toxiproxy, whose random choices are seeded."""
