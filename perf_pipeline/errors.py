"""The errors that a user of perf_pipeline meets, as one tree.

PerfPipelineError            something that the user can act on; the text says how
├── ScenarioError            a scenario or flag is wrong; ``problems`` lists all of them
│   └── SeriesFileError      so is a file of series
├── ServiceUnavailableError  a server that the scenario needs is unavailable
├── TargetEnvironmentError   the target's interpreter or packages could not be made
├── GaveUpWaitingError       another load run used the host for longer than was allowed
├── RunFolderError           a run's folder is missing, or lacks a file that it must have
├── ShardMissingError        the shards of a run did not all meet before a level
├── CampaignError            there is no campaign, or it cannot play an hour
├── CatalogueError           the catalogue cannot be used, or has no such baseline
└── AlertError               there is no such alert, or nothing to acknowledge about it
"""

from __future__ import annotations

from perf_pipeline.redaction.redact import redacted


class PerfPipelineError(Exception):
    """Something that the user can act on; the text says what happened and what to do next.

    It often repeats what a driver or a server said, so passwords are removed from it here.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(redacted(text))


class ScenarioError(PerfPipelineError):
    """A scenario or flag is wrong.

    Attributes:
        problems: Every problem found, one sentence each, in the order of the file.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = [redacted(problem) for problem in problems]
        super().__init__("\n".join(problems))


class SeriesFileError(ScenarioError):
    """A file of series is wrong; ``problems`` lists all of them."""


class ServiceUnavailableError(PerfPipelineError):
    """A server that the scenario needs is unavailable on this machine."""


class TargetEnvironmentError(PerfPipelineError):
    """The target's interpreter or its packages could not be made."""


class GaveUpWaitingError(PerfPipelineError):
    """Another load run used the host for longer than this one was to wait; nothing was started."""


class RunFolderError(PerfPipelineError):
    """A run's folder is missing, or lacks a file that it must have."""


class ShardMissingError(PerfPipelineError):
    """The shards of a run did not all meet before a level, so this shard generates no load."""


class CampaignError(PerfPipelineError):
    """An hour cannot be played in this campaign, or there is no campaign."""


class CatalogueError(PerfPipelineError):
    """The results catalogue is damaged, of a newer version, out of reach, or lacks a baseline."""


class AlertError(PerfPipelineError):
    """There is no such alert, or it was cleared."""
