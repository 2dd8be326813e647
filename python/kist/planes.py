"""The transforms of kist-format.md ("Transforms"): a chunk's bytes, sorted into planes and back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dtypes import Dtype, Field
from .layout import BLOCK_PLANES, FLOAT_PLANES, NO_TRANSFORM

__all__ = ["PlaneLayout", "merge", "split"]

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


class PlaneLayout(NamedTuple):
    """What the planes of a chunk hold.

    A chunk is a run of units, a unit a row of fields: numbers of some bytes, side by side. Each field gives a plane for each
    byte of its numbers.
    """

    transform: int
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, transform: int, dtype: Dtype) -> PlaneLayout:
        if transform == BLOCK_PLANES:
            return cls(transform, dtype.fields)
        return cls(transform, ((dtype.component if transform != NO_TRANSFORM else 1, 1),))

    @property
    def unit(self) -> int:
        """Bytes of a unit."""
        return sum(width * count for width, count in self.fields)

    @property
    def widths(self) -> list[int]:
        """For each plane, the bytes that it has of a unit."""
        return [count for width, count in self.fields for _ in range(width)]


def merge(planes: Sequence[Sequence[Bytes]], layout: PlaneLayout, out: Bytes) -> None:
    """Undoes a transform, into `out`: a chunk. Each plane comes in parts, one after the other."""
    if layout.transform != BLOCK_PLANES:
        _merge_numbers(planes, layout.transform == FLOAT_PLANES, out)
        return
    units = out.reshape(-1, layout.unit)
    rest = iter(planes)
    for field in _field_bytes(units, layout):
        for byte in field:
            byte[:] = _joined(next(rest)).reshape(byte.shape)


def split(raw: Bytes, layout: PlaneLayout) -> list[Bytes]:
    """The planes of a chunk."""
    if layout.transform == NO_TRANSFORM:
        return [raw]
    if layout.transform != BLOCK_PLANES:
        return _split_numbers(raw, layout.unit, layout.transform == FLOAT_PLANES)
    units = raw.reshape(-1, layout.unit)
    return [np.ascontiguousarray(byte).reshape(-1) for field in _field_bytes(units, layout) for byte in field]


def _field_bytes(units: NDArray[np.uint8], layout: PlaneLayout) -> list[list[Bytes]]:
    """For each field, a view for each byte of its numbers, the most significant first: [units, numbers]."""
    views = []
    start = 0
    for width, count in layout.fields:
        end = start + width * count
        views.append([units[:, start + byte : end : width] for byte in reversed(range(width))])
        start = end
    return views


def _joined(parts: Sequence[Bytes]) -> Bytes:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _merge_numbers(planes: Sequence[Sequence[Bytes]], rotated: bool, out: Bytes) -> None:
    """Undoes *planes*, and the rotation of *float planes*, into `out`.

    The first plane has the highest byte of each component. NumPy multiplies twice as fast as it shifts.
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


def _split_numbers(raw: Bytes, width: int, rotated: bool) -> list[Bytes]:
    """The planes of numbers, the most significant first."""
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
