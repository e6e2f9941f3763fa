"""Run the service, and log the path of every file that Python opens: `python -m deploy.tracer LOG`.

A line is `import PATH` for a module that is imported, `read PATH` for any other file.

Before it serves, it imports every module that any line of `service/` imports, also those that no request needs.
"""

import ast
import importlib
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LEFT_OUT = ("PIL._imagingft",)
"""Extension modules that their packages can do without: scalable fonts."""


def main() -> None:
    """Log opened files, import, serve. Forked workers inherit the hook and the log."""
    log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def record(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            is_import = sys._getframe(1).f_code.co_filename.startswith("<frozen importlib")
            os.write(log, f"{'import' if is_import else 'read'} {arguments[0]}\n".encode())

    sys.addaudithook(record)
    for name in LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail
    for path in sorted(Path("service").rglob("*.py")):
        for name in imported_names(ast.parse(path.read_bytes())):
            import_as_far_as_possible(name)
    runpy.run_module("service", run_name="__main__", alter_sys=True)


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports from other packages, at any depth. A name may lead to a module or into one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if not _is_own(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and not _is_own(node.module):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_as_far_as_possible(name: str) -> None:
    """Import `a`, `a.b` and `a.b.c` of `a.b.c`: the last may be a function, and optional packages may be missing."""
    parts = name.split(".")
    with suppress(ImportError):
        for count in range(1, len(parts) + 1):
            importlib.import_module(".".join(parts[:count]))


def _is_own(name: str) -> bool:
    return name.split(".")[0] == "service"


if __name__ == "__main__":
    main()
