"""Fields of blocks, for many blocks at once: `b` is always [n, bytes]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Numbers = NDArray[Any]


def half(b: Bytes, offset: int) -> Floats:
    """An f16 at an offset: [n, 1]."""
    return np.ascontiguousarray(b[:, offset : offset + 2]).view("<f2").astype(np.float32)


def words(b: Bytes, offset: int, count: int, width: int = 2) -> Numbers:
    """`count` unsigned numbers of `width` bytes: [n, count]."""
    return np.ascontiguousarray(b[:, offset : offset + count * width]).view(f"<u{width}")


def fields(b: Bytes, offset: int, bits: int, count: int) -> Bytes:
    """`count` numbers of 1, 2 or 4 bits, the first in the lowest bits: [n, count]."""
    each = 8 // bits
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    packed = b[:, offset : offset + count // each, None]
    return ((packed >> shifts) & np.uint8((1 << bits) - 1)).reshape(len(b), count)


def halves(b: Bytes, offset: int, width: int, groups: int = 1) -> Numbers:
    """Numbers of 4 bits: of each group of `width` bytes the low halves, then the high ones: [n, 2 · width · groups]."""
    packed = b[:, offset : offset + width * groups].reshape(len(b), groups, 1, width)
    return ((packed >> np.array([[0], [4]], np.uint8)) & 15).reshape(len(b), -1)


def quarters(b: Bytes, offset: int, width: int, groups: int) -> Numbers:
    """Numbers of 2 bits: of each group of `width` bytes the lowest bits, then the next, and so on."""
    packed = b[:, offset : offset + width * groups].reshape(len(b), groups, 1, width)
    return ((packed >> np.array([[0], [2], [4], [6]], np.uint8)) & 3).reshape(len(b), -1)


def repeated(values: Numbers, times: int) -> Numbers:
    """Each column `times` times: scales of sub-blocks, one an element."""
    return np.repeat(values, times, axis=1)
