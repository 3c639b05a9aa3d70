"""What a user's function looks like, read from its source: nothing of it is imported or run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.keys import FUNCTION
from perf_pipeline.config.wording import printable, shown
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_SOURCE_BYTES = 5_000_000
_SOURCE_FOLDERS = (".", "src")
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_WANTED = "it is called with the workflow's number: def {name}(number)"


@dataclass(frozen=True)
class FunctionSource:
    """A function as its source has it.

    Attributes:
        text: ``module:function``.
        folder: Folder from which the module is imported.
        file: The module's file.
        is_async: It is a coroutine function; None where the source does not show it.
        summary: First line of its docstring; empty without one.
    """

    text: str
    folder: Path
    file: Path
    is_async: bool | None
    summary: str

    @property
    def target(self) -> str:
        """The target that calls such a function."""
        return "callable_async" if self.is_async else "callable"


def read_function(text: str, here: Path) -> FunctionSource:
    """Find a function's source and check that the target can call it.

    Args:
        text: ``module:function``.
        here: Folder in which, or in whose ``src``, the module is.

    Raises:
        ScenarioError: It is not there, or cannot be a workflow; the text says what to do.
    """
    if not FUNCTION.fullmatch(text):
        raise _problem(f"{shown(text)} is not module:function, such as shop:order")
    module, _, name = text.partition(":")
    folder, file = _module(module, here)
    tree = _parsed(file)
    found = _find(tree, name.split("."), f"{text}: {printable(str(file))}")
    is_bound = False
    if isinstance(found, ast.Assign | ast.AnnAssign):
        found, is_bound = _method(tree, found, name) or found, True
    if isinstance(found, _Function):
        _check_arguments(text, found, is_bound=is_bound)
        is_async = isinstance(found, ast.AsyncFunctionDef)
        return FunctionSource(text, folder, file, is_async, _summary(found))
    return FunctionSource(text, folder, file, None, "")


def _problem(text: str) -> ScenarioError:
    return ScenarioError([f"{text}."])


def _module(module: str, here: Path) -> tuple[Path, Path]:
    """Return the folder from which a module is imported, and its file."""
    parts = module.split(".")
    for name in _SOURCE_FOLDERS:
        folder = here / name
        for file in (
            folder.joinpath(*parts).with_suffix(".py"),
            folder.joinpath(*parts, "__init__.py"),
        ):
            if file.is_file():
                return folder.resolve(), file.resolve()
    raise _problem(
        f"there is no {'/'.join(parts)}.py in {printable(str(here))} or its folder src: call init "
        "in the folder of your module"
    )


def _parsed(file: Path) -> ast.Module:
    shown_file = printable(str(file))
    try:
        source = file.read_bytes()
        if len(source) > MAX_SOURCE_BYTES:
            raise _problem(f"{shown_file} has more than {MAX_SOURCE_BYTES:,} bytes")
        return ast.parse(source, str(file))
    except SyntaxError as error:
        raise _problem(f"{shown_file} line {error.lineno} is not Python: {error.msg}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _problem(f"{shown_file} cannot be read: {error}") from error


def _find(tree: ast.Module, names: Sequence[str], where: str) -> ast.AST:
    """Return what a dotted name is bound to; a method of an instance is not looked into."""
    found: ast.AST | None = None
    scope: Sequence[ast.stmt] = tree.body
    for at, name in enumerate(names):
        found = next((node for node in _statements(scope) if name in _bound(node)), None)
        if found is None:
            raise _problem(f"{where} has no {'.'.join(names[: at + 1])}")
        if isinstance(found, ast.ClassDef):
            scope = found.body
        elif at + 1 < len(names):
            return found  # an attribute of an object
    if isinstance(found, ast.ClassDef):
        raise _problem(
            f"{where}: {names[-1]} is a class, and calling it would only make an instance: make "
            f"one in the module (engine = {names[-1]}()) and name its method (engine.run), or "
            "write a function that uses it"
        )
    if len(names) > 1 and isinstance(found, _Function) and not _is_static(found):
        raise _problem(
            f"{where}: {names[-1]} is a method without an instance to call it on: make one in the "
            f"module (engine = {names[0]}()) and name engine.{names[-1]}"
        )
    assert found is not None  # a name has at least one part
    value = getattr(found, "value", None)
    if isinstance(found, ast.Assign | ast.AnnAssign) and isinstance(value, ast.Constant):
        raise _problem(f"{where}: {names[-1]} is {shown(value.value)}, which cannot be called")
    return found


def _method(tree: ast.Module, made: ast.Assign | ast.AnnAssign, name: str) -> _Function | None:
    """Return the method of ``engine.run`` where ``engine = Engine()`` is in the module."""
    _, _, method = name.partition(".")
    value = made.value
    if not method or not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return None
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef) and node.name == value.func.id:
            for inner in _statements(node.body):
                if isinstance(inner, _Function) and inner.name == method:
                    return None if inner.decorator_list else inner
    return None


def _statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the statements of a scope, those inside of ``if`` and ``try`` too, the last first."""
    for statement in reversed(body):
        if not isinstance(statement, _Function | ast.ClassDef):
            for field in ("finalbody", "orelse", "handlers", "body"):
                yield from _statements(getattr(statement, field, ()))
        yield statement


def _bound(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Assign():
            return {one.id for one in statement.targets if isinstance(one, ast.Name)}
        case ast.AnnAssign(target=ast.Name() as target):
            return {target.id}
        case ast.Import() | ast.ImportFrom():
            return {(one.asname or one.name).partition(".")[0] for one in statement.names}
        case _:
            return set()


def _is_static(function: _Function) -> bool:
    names = {one.id for one in function.decorator_list if isinstance(one, ast.Name)}
    return "staticmethod" in names


def _check_arguments(text: str, function: _Function, *, is_bound: bool) -> None:
    """Refuse a function that cannot be called with one number.

    Raises:
        ScenarioError: It takes no argument, needs more than one, or is a generator.
    """
    given = function.args
    positional = [*given.posonlyargs, *given.args][int(is_bound) :]
    wanted = _WANTED.format(name=function.name)
    if not positional and not given.vararg:
        raise _problem(f"{text} takes no argument: {wanted}")
    required = positional[: len(positional) - len(given.defaults)]
    if len(required) > 1:
        names = ", ".join(one.arg for one in required)
        raise _problem(f"{text} needs {len(required)} arguments ({names}): {wanted}")
    needed = [
        one.arg
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    if needed:
        raise _problem(f"{text} needs the keyword {', '.join(needed)}: {wanted}")
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
        raise _problem(
            f"{text} is a generator, of which a call runs nothing: write a function that uses it"
        )


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _summary(function: _Function) -> str:
    text = ast.get_docstring(function) or ""
    line = text.partition("\n")[0].strip()
    return line if line.isprintable() and len(line) <= 100 else ""  # noqa: PLR2004 - a title's length
