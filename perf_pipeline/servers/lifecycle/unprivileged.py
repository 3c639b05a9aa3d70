"""How a server runs as an ordinary user when root starts it, as PostgreSQL demands."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

NOBODY = 65534


@dataclass(frozen=True)
class UserSwitch:
    """How a command is run as another user.

    Attributes:
        prefix: Words before the command.
        run_as: Numeric user who must own the server's folder; None when the owner stays the same.
    """

    prefix: tuple[str, ...]
    run_as: int | None


NO_SWITCH = UserSwitch((), None)


def unprivileged() -> UserSwitch:
    """Return how this process runs a command as somebody other than root.

    A user namespace keeps the real owner, so that the programs and the data folder may lie where
    only root can read. Where namespaces are forbidden (Docker's default profile), the user is
    really changed, and the programs must then be readable by everybody.
    """
    if os.geteuid() != 0:
        return NO_SWITCH
    namespace = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    try:
        tried = subprocess.run([*namespace, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return changed_user()
    return UserSwitch(namespace, None) if tried.returncode == 0 else changed_user()


def changed_user() -> UserSwitch:
    """Return the switch that really changes the user, and keeps the parent-death signal."""
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return UserSwitch((*user, "--pdeathsig", "keep"), NOBODY)
