"""Sets: a model that is divided among several files. See kist-format.md, "Sets"."""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from pathlib import Path

from .errors import KistError, KistMissingError
from .file import KistFile

__all__ = ["open_set"]

_NUMBERED = re.compile(r"^(?P<name>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.kist$")


def open_set(path: str | os.PathLike[str]) -> list[KistFile]:
    """All files of a set, by their numbers, of which one is named, or their folder. A file that is in no set is alone."""
    path = Path(path)
    first = KistFile(_first_in(path) if path.is_dir() else path)
    if not first.shards:
        return [first]
    matched = _NUMBERED.match(Path(first.path).name)
    if matched is None:
        message = f"is one of {first.shards}, and its name does not say how the others are called"
        raise KistError(first.path, "set", message)
    files: list[KistFile] = []
    for number in range(1, first.shards + 1):
        name = f"{matched['name']}-{number:05}-of-{first.shards:05}.kist"
        file = KistFile(Path(first.path).with_name(name))
        if file.set_id != first.set_id:
            raise KistError(file.path, "set id", f"is not that of {first.path}")
        if file.shard != number:
            raise KistError(file.path, "shard number", f"{file.shard} instead of {number}")
        files.append(file)
    _check_manifest(files[0])
    return files


def _first_in(folder: Path) -> Path:
    """The one model in a folder."""
    found = sorted(folder.glob("*.kist"))
    models = {matched["name"] if (matched := _NUMBERED.match(path.name)) else path.name for path in found}
    if not found:
        raise KistMissingError(str(folder), "", "has no .kist file in it")
    if len(models) > 1:
        raise KistError(str(folder), "", f"has several models in it: {', '.join(sorted(models))}; name one")
    return found[0]


def _check_manifest(file: KistFile) -> None:
    content = file.record("kist:manifest")
    if sha256(content).digest()[:16] != file.set_id:
        raise KistError(file.path, "root: set id", "is not that of kist:manifest")
    try:
        kind = json.loads(content)["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise KistError(file.path, "record 'kist:manifest'", f"says no kind: {error}") from error
    if kind != "shards":
        raise KistError(file.path, "record 'kist:manifest'", f"is one of {kind}; make one file of them with kist join")
