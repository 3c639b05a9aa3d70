"""How much CPU a worker may still use, in virtual time."""

from perf_pipeline.loadgen.limits.watchdog import CpuBucket


def test_the_bucket_is_empty_exactly_while_more_was_used_than_its_share() -> None:
    bucket = CpuBucket(0.5)
    assert not bucket.is_empty(0.0, 0.0)

    assert not bucket.is_empty(0.2, 0.05)  # 0.1 s earned, 0.05 used: 0.05 saved, the most there is
    assert bucket.is_empty(0.3, 0.16)  # 0.05 saved + 0.05 earned - 0.11 used
    assert not bucket.is_empty(0.34, 0.16)


def test_a_process_that_rested_cannot_save_up_more_than_a_period() -> None:
    """After 10 s of rest a share of a half allows 0.05 s at once, not 5 s."""
    bucket = CpuBucket(0.5)
    bucket.is_empty(0.0, 0.0)
    bucket.is_empty(10.0, 0.0)

    assert bucket.is_empty(10.1, 0.11)
