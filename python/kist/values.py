"""From the bytes of a tensor to an array of its dtype and shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import KistError
from .index import Entry

__all__ = ["Array", "array_shape", "as_array", "pack_bits", "unpack_bits", "view_bytes"]

Array = NDArray[Any]


def array_shape(entry: Entry) -> tuple[int, ...]:
    """The shape of the array that a tensor becomes: its own, save for what is given as bytes.

    Blocks: the last dimension counts bytes, where its blocks are whole; else one dimension. Unknown dtypes: one dimension.
    """
    dtype = entry.dtype
    if dtype.numpy is not None and dtype.code:
        return entry.shape
    if dtype.is_blocks and entry.shape and entry.shape[-1] % dtype.elements == 0:
        return (*entry.shape[:-1], entry.shape[-1] // dtype.elements * dtype.unit)
    return (entry.raw_length,)


def as_array(file: str, entry: Entry, content: NDArray[np.uint8]) -> Array:
    """A tensor's bytes as an array that shares their memory, save for F4 and F6, which get a byte an element."""
    try:
        if entry.dtype.is_plain and entry.dtype.numpy is not None:
            return content.view(entry.dtype.numpy).reshape(entry.shape)
        return view_bytes(entry, content).reshape(array_shape(entry))
    except (ValueError, OverflowError) as error:  # such as 0 × 2⁶², which is well-formed but not for NumPy
        raise KistError(file, f"{entry}: dims", f"NumPy has no shape {list(entry.shape)}") from error


def view_bytes(entry: Entry, content: NDArray[np.uint8]) -> Array:
    """Bytes of whole units as one dimension of elements."""
    dtype = entry.dtype
    if dtype.numpy is None or not dtype.code:
        return content
    if dtype.is_packed:
        return unpack_bits(content, 8 * dtype.unit // dtype.elements).view(dtype.numpy)
    if dtype.name == "BOOL" and (content > 1).any():
        content = (content != 0).view(np.uint8)
    return content.view(dtype.numpy)


def unpack_bits(content: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Elements of 4 or 6 bits, the first in the lowest bits, as one byte each."""
    if bits == 4:
        return np.stack([content & 15, content >> 4], axis=-1).reshape(-1)
    a, b, c = (content[k::3] for k in range(3))
    elements = [a & 63, (a >> 6) | ((b & 15) << 2), (b >> 4) | ((c & 3) << 4), c >> 2]
    return np.stack(elements, axis=-1).reshape(-1)


def pack_bits(elements: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Undoes `unpack_bits`."""
    if bits == 4:
        return ((elements[0::2] & 15) | (elements[1::2] << 4)).astype(np.uint8)
    a, b, c, d = (elements[k::4] & 63 for k in range(4))
    return np.stack([a | (b << 6), (b >> 2) | (c << 4), (c >> 4) | (d << 2)], axis=-1).reshape(-1)
