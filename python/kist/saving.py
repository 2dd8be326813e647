"""All tensors of a model into one file, the way safetensors' `save_file` does it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

from numpy.typing import NDArray

from .dtypes import BY_NAME
from .errors import KistError
from .packing import Packing
from .records import HEADER, Declared, header_order, metadata_json, provenance_json, safetensors_header
from .writer import Writer

__all__ = ["Content", "write_tensors"]


class Content(NamedTuple):
    """A tensor to be written: its bytes, which are little-endian and in order."""

    dtype: str
    shape: tuple[int, ...]
    content: NDArray[Any]


def write_tensors(
    tensors: Mapping[str, Content],
    target: str | os.PathLike[str] | BinaryIO,
    metadata: Mapping[str, str] | None,
    packing: Packing,
) -> None:
    """Writes tensors in the order in which safetensors has them, with the header that it would write.

    Block dtypes, which safetensors does not have, leave the header out.
    """
    if metadata is not None and not isinstance(metadata, Mapping):
        raise TypeError(f"argument 'metadata': {type(metadata).__name__!r} object is not an instance of 'dict'")
    text = metadata_json(metadata) if metadata else b""
    if "__metadata__" in tensors:
        raise KistError("", "tensor '__metadata__': name", "safetensors keeps this name for metadata")
    plain = not any(BY_NAME[tensor.dtype].is_blocks for tensor in tensors.values())
    names = sorted(tensors, key=lambda name: header_order(name, tensors[name].dtype)) if plain else list(tensors)
    with Writer(target, packing=packing) as writer:
        declared: list[Declared] = []
        for name in names:
            dtype, shape, content = tensors[name]
            writer.add_tensor(name, content, dtype, shape)
            declared.append(Declared(name, BY_NAME[dtype], shape, content.nbytes))
        if plain:
            writer.add_asset(HEADER, safetensors_header(declared, metadata))
        if text:
            writer.add_record("kist:metadata", text)
        if plain:
            writer.add_record("kist:provenance", provenance_json())
