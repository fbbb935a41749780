"""What comes with the program besides code: scenarios, models and Verilog."""

from pathlib import Path

__all__ = ["ROOT"]

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "shipped"

ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""Folder that has ``scenarios``, ``models`` and ``hdl``: one inside an installed package, where the
wheel puts them, or else the checkout that this package stands in.
"""
