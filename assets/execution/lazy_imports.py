"""Modules that are imported when something of them is used, and not before.

Dagster imports its daemons for two types that its storage shares with them, and Alembic dialects
that no storage of Dagster and no catalogue has. The process of one run uses neither, and whoever
runs a load would wait for them.
"""

import sys
from collections.abc import Collection, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType

SELDOM_USED = (
    "alembic.ddl.mssql",
    "alembic.ddl.oracle",
    "dagster._daemon",
    "mako.exceptions",
)
"""What the process of a run imports through Dagster and does not use. A package's own modules are
not meant: ``dagster._daemon.types`` is imported when it is asked for.
"""

_lock = RLock()
_waiting: dict[str, Loader] = {}
"""Modules that are imported and wait for their first use."""


def import_lazily(names: Collection[str]) -> None:
    """From now on, execute each of these modules when an attribute of it is asked for.

    Args:
        names: Full names; a module that is imported already stays as it is.
    """
    sys.meta_path.insert(0, _LazyFinder(frozenset(names)))


class _WaitingModule(ModuleType):
    """A module whose code is executed when an attribute is asked for that it does not have.

    Name, path and specification are there from the start, so that modules below it can be imported.
    """

    def __getattr__(self, name: str) -> object:
        with _lock:  # another thread waits until the module is complete
            loader = _waiting.pop(self.__name__, None)
            if loader is not None:
                self.__loader__ = loader
                if self.__spec__ is not None:
                    self.__spec__.loader = loader
                loader.exec_module(self)
                self.__class__ = ModuleType  # type: ignore[assignment]
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


class _LazyLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        _waiting[module.__name__] = self._loader
        module.__class__ = _WaitingModule


class _LazyFinder(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _LazyLoader(spec.loader)
        return spec
