"""All tensors of a file as NumPy arrays, and back: safetensors' `numpy` module, for Kist files."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from .dtypes import of_numpy
from .errors import KistError
from .file import KistFile
from .packing import Packing
from .saving import Content, write_tensors
from .sets import open_set
from .writer import tensor_bytes

__all__ = ["load", "load_file", "save", "save_file"]

Array = NDArray[Any]


def load_file(filename: str | os.PathLike[str], *, check: bool = True) -> dict[str, Array]:
    """All tensors, in the order of the source. Raw ones are mapped, packed ones unpacked by all cores.

    Arrays can be written to; that changes memory, never the file. With `check=False` what is mapped is not read.
    A folder stands for the model in it, of however many shards.
    """
    files = open_set(filename) if os.path.isdir(filename) else [KistFile(filename)]
    return {name: array for file in files for name, array in file.arrays(check=check).items()}


def load(data: bytes) -> dict[str, Array]:
    """All tensors of a file that is in memory."""
    return KistFile(data).arrays()


def save_file(
    tensor_dict: Mapping[str, Array],
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    *,
    packing: Packing = "auto",
) -> None:
    """Writes tensors to a file, which appears when it is complete and replaces what was there."""
    write_tensors(_contents(tensor_dict, os.fspath(filename)), filename, metadata, packing)


def save(tensor_dict: Mapping[str, Array], metadata: Mapping[str, str] | None = None, *, packing: Packing = "auto") -> bytes:
    """The bytes of a file with these tensors."""
    stream = io.BytesIO()
    write_tensors(_contents(tensor_dict, ""), stream, metadata, packing)
    return stream.getvalue()


def _contents(tensors: Mapping[str, Array], file: str) -> dict[str, Content]:
    contents: dict[str, Content] = {}
    for name, array in tensors.items():
        dtype = of_numpy(array.dtype)
        if dtype is None:
            raise KistError(file, f"tensor {name!r}: dtype", f'Unknown dtype "{array.dtype.name}"')
        contents[name] = Content(dtype.name, array.shape, tensor_bytes(file, name, array, dtype))
    return contents
