"""Structured logs of every process: ECS JSON lines in bounded files. Standard library only."""
