"""What is not good on a machine is shown with what to do; what is good is only named."""

from __future__ import annotations

from perf_pipeline.cli.lines.doctor_lines import doctor_lines
from perf_pipeline.host.finding import Finding

THREADS = Finding(
    "largest level, threads", "4000 in flight", "1 to 20000", "a thread each", "", "ok"
)
CORES = Finding("cores", "2 usable", "2 or more", "2 worker processes", "", "ok")
LOAD = Finding("load", "9.7", "0.5 a core", "others are at work", "wait", "warning")
DISK = Finding("disk", "0.1 GB free", "3 GB", "no room", "free disk space " * 9, "problem")


def test_the_answer_comes_first_and_what_is_good_is_named_in_one_line() -> None:
    assert doctor_lines([THREADS, CORES, LOAD], 100) == [
        "0 problems, 1 warning; this machine holds 4000 in flight with threads",
        "warning  load: 9.7 (0.5 a core)",
        "         others are at work",
        "         wait",
        "ok       cores (--explain shows each)",
    ]


def test_each_finding_is_explained_where_it_is_asked() -> None:
    lines = doctor_lines([THREADS, CORES], 100, explain=True)
    assert "ok       cores: 2 usable (2 or more)" in lines
    assert "         2 worker processes" in lines
    assert not any("--explain" in line for line in lines)


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = doctor_lines([THREADS, DISK], 80)
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()).count("free disk space") == 9
