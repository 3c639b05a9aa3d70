"""The modules of the project import each other in one direction only."""

from __future__ import annotations

import grimp


def test_no_module_imports_itself_through_others_not_even_for_type_checking() -> None:
    """A circle keeps dataclasses from being read back: their annotations cannot be resolved.

    Modules that import nothing of the project are taken away until none is left; what then
    remains lies on a circle, or imports one.
    """
    graph = grimp.build_graph("perf_pipeline", "assets", cache_dir=None)
    imports = {
        module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules
    }
    while leaves := {module for module, imported in imports.items() if not imported}:
        imports = {
            module: imported - leaves
            for module, imported in imports.items()
            if module not in leaves
        }
    assert not imports, {module: sorted(imported) for module, imported in imports.items()}
