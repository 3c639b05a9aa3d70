"""The samples of a whole run are followed, not those of one level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.compat.monitor_resources import follow_samples
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE

if TYPE_CHECKING:
    from pathlib import Path


class Course:
    """A run that goes one step further each time that it is looked at."""

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder)
        self.run.begin("baseline")
        self._steps = [
            lambda: self.write("00-10", '{"at": 2}\n{"at"'),
            lambda: self.write("00-10", ": 3}\n"),
            lambda: self.write("01-50", '{"at": 4}\n'),
            lambda: self.run.end(COMPLETE),
        ]

    def write(self, level: str, text: str) -> None:
        file = self.run.root / "levels" / level / "resources.jsonl"
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(text)

    def sleep(self, _seconds: float) -> None:
        self._steps.pop(0)()


def test_samples_of_every_level_are_followed_until_the_run_ends(tmp_path: Path) -> None:
    """A line that is half written is shown when it is complete; what was before is not."""
    course = Course(tmp_path / "run")
    course.write("00-10", '{"at": 0}\n{"at": 1}\n')
    levels = course.run.root / "levels"
    assert list(follow_samples(course.run, course.sleep)) == [
        str(levels / "00-10/resources.jsonl"),
        '{"at": 1}',
        '{"at": 2}',
        '{"at": 3}',
        str(levels / "01-50/resources.jsonl"),
        '{"at": 4}',
    ]


def test_a_run_that_has_no_level_yet_is_waited_for(tmp_path: Path) -> None:
    course = Course(tmp_path / "run")
    shown = list(follow_samples(course.run, course.sleep))
    assert shown[1:] == [
        '{"at": 2}',
        '{"at": 3}',
        str(tmp_path / "run/levels/01-50/resources.jsonl"),
        '{"at": 4}',
    ]


def test_of_a_run_that_has_ended_the_last_sample_is_shown(tmp_path: Path) -> None:
    course = Course(tmp_path / "run")
    course.write("00-10", '{"at": 0}\n')
    course.write("01-50", '{"at": 1}\n{"at": 2}\n')
    course.run.end(COMPLETE)
    assert list(follow_samples(course.run, course.sleep))[1:] == ['{"at": 2}']
