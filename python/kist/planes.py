"""The transforms of kist-format.md ("Transforms"): a chunk's bytes, sorted into planes and back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["merge", "split"]

Bytes = NDArray[np.uint8]

# Bytes of components taken at once: a chunk. Smaller steps cost more in calls than they save.
_STEP = 1 << 20


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.memory: tuple[Bytes, Bytes] = (np.empty(_STEP, np.uint8), np.empty(_STEP, np.uint8))

    def numbers(self, width: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        first, second = self.memory
        return first.view(f"<u{width}")[:count], second.view(f"<u{width}")[:count]


_scratch = _Scratch()


def merge(planes: Sequence[Sequence[Bytes]], rotated: bool, out: Bytes) -> None:
    """Undoes *planes*, and the rotation of *float planes*, into `out`: a chunk.

    Each plane comes in parts, one after the other; the first plane has the highest byte of each component. NumPy multiplies
    twice as fast as it shifts.
    """
    width = len(planes)
    dtype = np.dtype(f"<u{width}")
    x = out.view(dtype)
    y, _ = _scratch.numbers(width, len(x))
    _widen(planes[0], x)
    for plane in planes[1:]:
        np.multiply(x, dtype.type(256), out=x)
        _widen(plane, y)
        np.bitwise_or(x, y, out=x)
    if rotated:
        np.multiply(x, dtype.type(1 << (8 * width - 1)), out=y)
        np.right_shift(x, dtype.type(1), out=x)
        np.bitwise_or(x, y, out=x)


def _widen(parts: Sequence[Bytes], numbers: NDArray[Any]) -> None:
    start = 0
    for part in parts:
        np.copyto(numbers[start : start + len(part)], part)
        start += len(part)


def split(raw: Bytes, width: int, rotated: bool) -> list[Bytes]:
    """The planes of a chunk, the most significant first."""
    numbers = raw.view(f"<u{width}")
    planes = [np.empty(len(numbers), np.uint8) for _ in range(width)]
    for start in range(0, len(numbers), _STEP // width):
        x = numbers[start : start + _STEP // width]
        y, z = _scratch.numbers(width, len(x))
        if rotated:
            np.right_shift(x, 8 * width - 1, out=z)
            np.add(x, x, out=y)
            np.bitwise_or(y, z, out=y)
            x = y
        for k, plane in enumerate(planes):
            shift = 8 * (width - 1 - k)
            byte = np.right_shift(x, shift, out=z) if shift else x
            np.copyto(plane[start : start + len(x)], byte, casting="unsafe")
    return planes
