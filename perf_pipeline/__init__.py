"""Load tests and benchmarks of Python workflow runtimes.

The public names are loaded on first use: worker processes import this package inside the
target's environment, where none of what the harness needs is installed.
"""
