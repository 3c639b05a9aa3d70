"""Facts about this machine: limits, calibration, the load lock, the doctor."""
