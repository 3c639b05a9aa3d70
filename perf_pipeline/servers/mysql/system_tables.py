"""How the system tables of MySQL and MariaDB come into an empty data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SHARE_FOLDERS = ("share/mysql", "share/mariadb", "share")
_PLUGIN_FOLDERS = ("lib/mysql/plugin", "lib/plugin")

_SCRIPTS = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
)
"""Of MariaDB's own. The help texts and the sys schema are left out: nothing here reads
them, and they take longer than all the rest."""

_BEGIN = "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
"""Comes before the scripts, one statement a line, as MariaDB's bootstrap wants."""

_LIMITS = ("--max-allowed-packet=8M", "--net-buffer-length=16K", "--enforce-storage-engine=")


def own_folders(program: Path) -> list[str]:
    """Return the options with a program's own files, relative to where it is unpacked.

    Args:
        program: ``<base>/<folder>/<name>``, resolved.

    Returns:
        Nothing when its files are not found around it: then it must know by itself.
    """
    base = program.parent.parent
    share = next((base / one for one in _SHARE_FOLDERS if (base / one / "charsets").is_dir()), None)
    if share is None:
        return []
    plugins = [base / one for one in _PLUGIN_FOLDERS if (base / one).is_dir()]
    return [
        f"--basedir={base}",
        f"--lc-messages-dir={share}",
        f"--character-sets-dir={share}/charsets",
        *(f"--plugin-dir={path}" for path in plugins[:1]),
    ]


def mariadb_tables(program: Path, command: list[str]) -> list[list[str]]:
    """Return the commands that make MariaDB's system tables, run in the server's folder.

    Its installation script refuses to run from an unpacked package, so the server is given what
    that script would have given it.

    Args:
        program: The server.
        command: It with the options that say where its files and data are.
    """
    base = program.parent.parent
    scripts = []
    for name in _SCRIPTS:
        places = [base / one / name for one in _SHARE_FOLDERS]
        # One that is nowhere makes cat fail, and its message names it.
        scripts.append(str(next((path for path in places if path.is_file()), places[0])))
    gather = 'printf %s "$1" > begin.sql && shift && exec cat begin.sql "$@" > tables.sql'
    return [
        ["sh", "-c", gather, "sh", _BEGIN, *scripts],
        ["sh", "-c", 'exec "$@" < tables.sql', "sh", *command, "--bootstrap", *_LIMITS],
    ]


def mysql_tables(command: list[str]) -> list[list[str]]:
    """Return the command that makes MySQL's system tables.

    Args:
        command: The server with the options that say where its files and data are.
    """
    return [[*command, "--initialize-insecure", "--secure-file-priv=NULL"]]
