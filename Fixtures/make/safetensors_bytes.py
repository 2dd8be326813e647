"""Safetensors files made from bytes, as the safetensors library lays them out. Used by the other scripts here."""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


class Tensor(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    content: bytes


def header_of(tensors: dict[str, Tensor], metadata: dict[str, str] | None) -> dict[str, Any]:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    offset = 0
    for name, (dtype, shape, content) in tensors.items():
        end = offset + len(content)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    return header


def in_order(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Widest dtypes first, then by name: the library's order, in which every tensor is aligned."""
    return dict(sorted(tensors.items(), key=lambda item: (-BITS[item[1].dtype], item[0])))


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    tensors = in_order(tensors)
    text = json.dumps(header_of(tensors, metadata), separators=(",", ":"), ensure_ascii=False).encode()
    return with_header(text, b"".join(tensor.content for tensor in tensors.values()))


def with_header(text: bytes, data: bytes = b"", pad: bool = True) -> bytes:
    """A file with this JSON header, padded with spaces so that the data begins on a multiple of 8."""
    if pad:
        text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data
