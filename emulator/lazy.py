"""Names of a package that are imported when they are used, so that no command pays for others."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["attributes"]


def attributes(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of ``package``: each name of ``homes`` lives in the module given.

    Module names are relative to the package. For type checkers the package imports the same names
    under ``TYPE_CHECKING``.
    """
    if clash := homes.keys() & set(homes.values()):
        raise ValueError(f"{package}: {clash} would be the module once that is imported.")

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return find
