"""One file a failure, behind the protocol of ``perf_pipeline.faults.fault``."""
