"""What a file says of where it comes from: `kist:metadata`, `kist:provenance`, and the header that safetensors would write.

With that header among its assets, a file from Python is what `kist convert` makes of the safetensors file: the digests are
equal, and `kist convert model.kist -o model.safetensors` gives that file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .dtypes import Dtype

__all__ = ["HEADER", "Declared", "header_order", "metadata_json", "provenance_json", "safetensors_header"]

HEADER = "model.safetensors"

# The order in which safetensors writes dtypes; tensors of one dtype are sorted by name.
_ORDER = ("U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16", "F8_E5M2FNUZ", "F8_E4M3FNUZ",
          "F8_E8M0", "F8_E4M3", "F8_E5M2", "I8", "U8", "F6_E3M2", "F6_E2M3", "F4", "BOOL")  # fmt: skip


class Declared(NamedTuple):
    """What a header says of a tensor."""

    name: str
    dtype: Dtype
    shape: Sequence[int]
    length: int  # bytes


def header_order(name: str, dtype: str) -> tuple[int, str]:
    """Sorts tensors as safetensors does."""
    return _ORDER.index(dtype), name


def safetensors_header(tensors: Sequence[Declared], metadata: Mapping[str, str] | None) -> bytes:
    """The length field and the JSON header of the safetensors file of these tensors, in this order."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    start = 0
    for name, dtype, shape, length in tensors:
        header[name] = {"dtype": dtype.name, "shape": list(shape), "data_offsets": [start, start + length]}
        start += length
    text = _json(header)
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def metadata_json(metadata: Mapping[str, str]) -> bytes:
    """The content of `kist:metadata`."""
    for key, value in metadata.items():
        for text in (key, value):
            if not isinstance(text, str):
                raise TypeError(f"metadata: {type(text).__name__} object is not an instance of 'str'")
    return _json({key: {"type": "string", "value": value} for key, value in metadata.items()})


def provenance_json() -> bytes:
    """The content of `kist:provenance` of a file that is like a safetensors file."""
    return _json({"source": "safetensors", "weights": [HEADER]})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
