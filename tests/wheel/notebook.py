"""Runs a notebook and writes it with its outputs: python notebook.py NOTEBOOK OUT.

Uses nothing of this repository, so that any environment with nbclient and ipykernel may run it.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(notebook: Path, out: Path) -> None:
    """Run ``notebook`` in the folder of ``out``; raises what a cell raises."""
    read = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(out.parent)}}
    NotebookClient(read, timeout=600, resources=where).execute()
    nbformat.write(read, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
