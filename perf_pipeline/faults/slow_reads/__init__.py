"""Clients of each service that ask for much and read little."""
