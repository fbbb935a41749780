"""Modules of plug-ins: imported from beside a scenario file, or from where Python looks."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from emulator.errors import ScenarioError

__all__ = ["check_module", "import_module"]


def check_module(name: str, folder: Path | None) -> None:
    """Raise ScenarioError for a module beside the scenario whose name another one has already.

    Python holds one module of a name, so that it would silently be that of another folder.
    """
    beside, loaded = _beside(name, folder), sys.modules.get(name.partition(".")[0])
    if beside is None or loaded is None:
        return
    file = getattr(loaded, "__file__", None)
    if file is None or Path(file).resolve() != beside:
        raise ScenarioError(
            f'the module "{loaded.__name__}" in {beside.parent} cannot be imported, as '
            f"{file or 'a module of Python'} has its name; rename it"
        )


def import_module(name: str, folder: Path | None) -> ModuleType:
    """Import a module, first of all from ``folder``; what it imports may stand there too.

    The folder stays on Python's path, but behind all others once the module is there.
    """
    if _beside(name, folder) is None:
        return importlib.import_module(name)
    path = str(Path(folder or ".").resolve())
    known = path in sys.path
    sys.path.insert(0, path)
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(path)
        if not known:
            sys.path.append(path)


def _beside(name: str, folder: Path | None) -> Path | None:
    """File of the module, or of the package it is in, in ``folder``."""
    if folder is None:
        return None
    top = name.partition(".")[0]
    files = (folder / f"{top}.py", folder / top / "__init__.py")
    return next((file.resolve() for file in files if file.is_file()), None)
