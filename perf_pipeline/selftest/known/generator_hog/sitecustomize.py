"""Makes every worker that has this folder on its path hold the interpreter lock by itself.

Python imports it when it starts, so it is there whatever the target is: a fault of the generator.
"""

from perf_pipeline.selftest.known.hogging import start_hog

start_hog(delay_s=0.3)  # the imports of a worker take less, and one beside the hog takes seconds
