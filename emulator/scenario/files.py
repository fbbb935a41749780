"""The files a scenario names: found beside it, in the current folder, or among what comes along."""

from collections.abc import Iterator
from pathlib import Path

from emulator import resources
from emulator.scenario.checks import KeyPath, Mistake
from emulator.scenario.layers import Table

__all__ = ["locate_files"]

_CODE_KEYS = ("circuit", "detections", "observables", "model", "sweep", "folder")


def locate_files(tables: Table, folder: Path | None) -> list[Mistake]:
    """Replace every relative path in ``tables`` by where the file is; list those that are nowhere.

    A path is relative to ``folder``, the scenario file's, or else to the current folder. A model
    of a pre-decoder that is in neither is the one of that name that comes with the program. What
    the scenario does not use, such as the model of a pre-decoder of kind ``none``, may be missing.
    """
    mistakes = []
    for table, key, path, needed in _named(tables):
        name = table[key]
        if not isinstance(name, str):
            continue
        candidates = _candidates(name, folder)
        places = candidates + (_models_along(name) if path == ("predecoder", "model") else [])
        wants_folder = path == ("code", "folder")
        is_there = Path.is_dir if wants_folder else Path.is_file
        found = next((place for place in places if is_there(place)), None)
        if found is not None:
            table[key] = str(found)
        elif needed:
            mistakes.append(Mistake(path, _nowhere(name, candidates, wants_folder)))
    return mistakes


def _candidates(name: str, folder: Path | None) -> list[Path]:
    here = Path(name)
    beside = here if folder is None else folder / name
    return list(dict.fromkeys([beside, here]))


def _models_along(name: str) -> list[Path]:
    """Where a file of no folder, or of a folder ``models``, is among the models that come along."""
    path = Path(name)
    if path.is_absolute() or path.parent.name not in {"", "models"}:
        return []
    return [resources.ROOT / "models" / path.name]


def _nowhere(name: str, candidates: list[Path], wants_folder: bool) -> str:
    other = next((candidate for candidate in candidates if candidate.exists()), None)
    if other is not None and other.is_dir():
        return f'"{name}" is a folder, "{other.resolve()}"; give the path of a file'
    if other is not None and wants_folder:
        return f'"{name}" is no folder: "{other}" is a file; give the path of a folder'
    looked = " nor ".join(f'"{candidate}"' for candidate in candidates)
    neither = "neither " if len(candidates) > 1 else "not "
    advice = "correct the path"
    if name.endswith(".onnx"):
        along = sorted(file.name for file in (resources.ROOT / "models").glob("*.onnx"))
        advice += f" or take a model that comes along: {', '.join(along)}"
    return f'"{name}" does not exist: there is {neither}{looked}; {advice}'


def _named(tables: Table) -> Iterator[tuple[Table, str, KeyPath, bool]]:
    """Every (table, key) that names a file, its key path, and whether the file is needed."""
    code = tables.get("code")
    if isinstance(code, dict):
        yield from ((code, key, ("code", key), True) for key in _CODE_KEYS if key in code)
    for name in ("predecoder", "decoder"):
        stage = tables.get(name)
        if isinstance(stage, dict):
            idle = name == "predecoder" and stage.get("kind", "none") == "none"
            if "model" in stage:
                yield stage, "model", (name, "model"), stage.get("kind") == "onnx"
            if "profile" in stage:
                used = stage.get("timing") == "profile" and not idle
                yield stage, "profile", (name, "profile"), used
    yield from _recordings(tables, ())


def _recordings(value: object, path: KeyPath) -> Iterator[tuple[Table, str, KeyPath, bool]]:
    """The ``file`` of every empirical delay, wherever it is."""
    if isinstance(value, dict):
        if value.get("kind") == "empirical" and "file" in value:
            yield value, "file", (*path, "file"), True
        for key, inner in value.items():
            yield from _recordings(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _recordings(inner, (*path[:-1], f"{path[-1]}[{number}]"))
