"""The values that assets hand on: within a Dagster run, those of this run alone.

Dagster stores one value an asset for all runs of a home. Of two runs at a time (two load lock
files, two hosts on one home) each would measure and report what was stored last.
"""

import dagster as dg


class RunValues(dg.IOManager):
    """Hands on what was made in this run, and otherwise what the last run stored."""

    def __init__(self, stored: dg.IOManager) -> None:
        self._stored = stored
        self._made: dict[dg.AssetKey, object] = {}

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep the value for this run, and store it for a later one."""
        if context.has_asset_key:
            self._made[context.asset_key] = obj
        self._stored.handle_output(context, obj)

    def load_input(self, context: dg.InputContext) -> object:
        """Return the value of this run where it made one."""
        if context.has_asset_key and context.asset_key in self._made:
            return self._made[context.asset_key]
        return self._stored.load_input(context)


@dg.io_manager
def run_values(context: dg.InitResourceContext) -> dg.IOManager:
    """Return the values of one run; it is executed in one process, and so are all its steps."""
    return RunValues(dg.FilesystemIOManager().create_io_manager(context))
