"""What finds out about each check of a run."""

from perf_pipeline.report.pools.pool_recovery import check_pools
from perf_pipeline.report.recovery.checks import check_faults_in_effect, check_recovery
from perf_pipeline.report.run import checks

FIND = {
    "validity": checks.check_validity,
    "writes_reconciled": checks.check_writes,
    "no_errors": checks.check_errors,
    "production_targets": checks.check_targets,
    "repeats_agree": checks.check_repeats,
    "objectives": checks.check_slos,
    "pools_recovered": check_pools,
    "faults_in_effect": check_faults_in_effect,
    "faults_recovered": check_recovery,
}
"""Name of a check (``assets/checks.py``) to what judges a run."""
