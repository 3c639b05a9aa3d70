"""Makes every worker that has this folder on its path hold the interpreter lock by itself.

Python imports it when it starts, so it is there whatever the target is: a fault of the generator.
"""

from perf_pipeline.selftest.known.hogging import start_hogs

start_hogs()
