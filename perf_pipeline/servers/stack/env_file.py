"""The file with the passwords of the stack, generated once and then kept.

::

    python -m perf_pipeline.servers.stack.env_file

A database takes its password when its data are made, so a file that is there is never changed.
"""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.stack_ports import PASSWORD_VARIABLES
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.redaction.redact import remember_secrets
from perf_pipeline.servers.lifecycle.persistent_servers import write_private

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 18
_HEAD = """# Passwords of the stack (infra/compose.yaml), generated once; never committed.
# Ports can be moved here as well: PERF_PIPELINE_POSTGRES_PORT=5436.
"""


def ensure_env_file(path: Path) -> bool:
    """Write the file if there is none, for the user alone to read; return whether it was written.

    Raises:
        PerfPipelineError: It cannot be written.
    """
    try:
        if path.exists():
            return False
        passwords = {name: secrets.token_urlsafe(_BYTES) for name in PASSWORD_VARIABLES}
        remember_secrets(passwords.values())
        lines = [f"{name}={password}\n" for name, password in passwords.items()]
        write_private(path, _HEAD + "".join(lines))
    except OSError as error:
        raise PerfPipelineError(
            f"{path}, which has the passwords of the stack, cannot be written: {error.strerror}"
        ) from error
    return True


def main(_arguments: list[str]) -> int:
    """Write the file that the settings name, unless it is there."""
    try:
        path = current_settings().stack.env_file
        written = ensure_env_file(path)
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    if written:
        sys.stdout.write(f"passwords of the stack generated: {path}\n")
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
