"""Times of this machine's decoders, stored in a JSON file to draw from later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emulator.errors import ScenarioError
from emulator.units import MAX_TIME_PS

__all__ = ["Profile", "read_profile", "write_profile"]


@dataclass(frozen=True)
class Profile:
    """What was measured on which machine.

    ``stages`` has, by stage name, the time of each job in ps, int64 of shape (jobs,), in the order
    of the jobs; ``machine`` and ``versions`` describe the computer and the software in words.
    """

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    stages: Mapping[str, NDArray[np.int64]]


_Time = Annotated[int, Field(ge=0, le=MAX_TIME_PS)]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    machine: dict[str, str]
    versions: dict[str, str]
    stages: dict[str, Annotated[list[_Time], Field(min_length=1)]]


def read_profile(path: Path) -> Profile:
    """Read a stored profile; raises ScenarioError for a file that is missing or is not one."""
    try:
        stored = _Stored.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ScenarioError(
            f'profile "{path}" cannot be read: {error.strerror}; write one with roundtrip profile.'
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        value = first["input"]
        given = f" {value!r:.40}:" if isinstance(value, int | float | str) else ""
        raise ScenarioError(
            f'profile "{path}": {place}:{given} {first["msg"]}; write it with roundtrip profile.'
        ) from error
    stages = {name: np.array(times, dtype=np.int64) for name, times in stored.stages.items()}
    return Profile(stored.machine, stored.versions, stages)


def write_profile(profile: Profile, path: Path) -> None:
    """Write a profile so that no reader ever sees half of it."""
    stored = {
        "schema_version": 1,
        "machine": dict(profile.machine),
        "versions": dict(profile.versions),
        "stages": {name: times.tolist() for name, times in profile.stages.items()},
    }
    draft = path.with_name(f"{path.name}.tmp")
    try:
        draft.write_text(json.dumps(stored) + "\n", encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
