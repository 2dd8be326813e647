"""The transforms of kist-format.md ("Transforms"): a chunk's bytes, sorted into planes and back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["merge", "split"]

Bytes = NDArray[np.uint8]

# Components taken at once: few enough for what is made of them to stay in a core's cache.
_STEP = 32768


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.memory: tuple[NDArray[Any], NDArray[Any]] = (np.empty(_STEP, "<u8"), np.empty(_STEP, "<u8"))

    def numbers(self, width: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        first, second = self.memory
        return first.view(f"<u{width}")[:count], second.view(f"<u{width}")[:count]


_scratch = _Scratch()


def merge(planes: Sequence[Bytes], rotated: bool, out: Bytes) -> None:
    """Undoes *planes*, and the rotation of *float planes*, into `out`.

    Plane k has the bits from 8 (w − 1 − k) up of each component; rotating right by one moves them one down, and the
    lowest bit to the top.
    """
    width = len(planes)
    numbers = out.view(f"<u{width}")
    top = 8 * width - 1
    for start in range(0, len(numbers), _STEP):
        x = numbers[start : start + _STEP]
        y, z = _scratch.numbers(width, len(x))
        np.copyto(x, planes[0][start : start + _STEP])
        np.left_shift(x, 8 * (width - 1) - rotated, out=x)
        for k in range(1, width):
            np.copyto(y, planes[k][start : start + _STEP])
            shift = 8 * (width - 1 - k) - rotated
            if shift > 0:
                np.left_shift(y, shift, out=y)
            elif shift < 0:
                np.right_shift(y, 1, out=z)
                np.bitwise_or(x, z, out=x)
                np.left_shift(y, top, out=y)
            np.bitwise_or(x, y, out=x)


def split(raw: Bytes, width: int, rotated: bool) -> list[Bytes]:
    """The planes of a chunk, the most significant first."""
    numbers = raw.view(f"<u{width}")
    planes = [np.empty(len(numbers), np.uint8) for _ in range(width)]
    for start in range(0, len(numbers), _STEP):
        x = numbers[start : start + _STEP]
        y, z = _scratch.numbers(width, len(x))
        if rotated:
            np.right_shift(x, 8 * width - 1, out=z)
            np.left_shift(x, 1, out=y)
            np.bitwise_or(y, z, out=y)
            x = y
        for k, plane in enumerate(planes):
            np.right_shift(x, 8 * (width - 1 - k), out=z)
            np.copyto(plane[start : start + _STEP], z, casting="unsafe")
    return planes
