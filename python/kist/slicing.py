"""Parts of tensors: only the chunks that hold them are read.

For NumPy an index is what safetensors takes: integers, slices with a positive step, one `...`; what lies outside is an
error. For PyTorch it is what PyTorch takes.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import KistError, KistIndexError
from .file import KistFile
from .index import Entry
from .values import Array, array_shape, as_array, view_bytes

__all__ = ["KistSlice", "NumpySlice"]

Axis = int | slice


class Selection(NamedTuple):
    """Rows of a tensor that are read, and what is then taken from them."""

    start: int
    stop: int
    then: tuple[Axis, ...]


class KistSlice:
    """A tensor that has not been read: shape and dtype are known, indexing reads a part."""

    def __init__(self, file: KistFile, entry: Entry, check: bool) -> None:
        self._file = file
        self._entry = entry
        self._check = check

    def get_shape(self) -> list[int]:
        """The tensor's shape, in elements."""
        return list(self._entry.shape)

    def get_dtype(self) -> str:
        """The tensor's dtype by its name in the file: `F32`, `BF16`, `Q4_K`."""
        return self._entry.dtype_name

    def _bytes_of_rows(self, start: int, stop: int, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """The bytes of rows along the first dimension; None where a row is no whole number of them."""
        entry = self._entry
        if not shape or not shape[0] or entry.raw_length % shape[0]:
            return None
        row = entry.raw_length // shape[0]
        if row % entry.dtype.unit:
            return None
        return self._file.read(entry, start * row, stop * row, check=self._check)

    def _whole(self) -> Array:
        return as_array(self._file.path, self._entry, self._file.read(self._entry, check=self._check))


class NumpySlice(KistSlice):
    """What `get_slice` gives for framework `np`."""

    def __getitem__(self, index: Any) -> Array:
        shape = array_shape(self._entry)
        axes = _resolved(self._file.path, index, shape)
        if not axes:
            return self._whole()
        selection = select_rows(axes, shape)
        content = self._bytes_of_rows(selection.start, selection.stop, shape)
        if content is None:
            part = self._whole()[axes]
        else:
            rows = view_bytes(self._entry, content).reshape(selection.stop - selection.start, *shape[1:])
            part = rows[selection.then]
        return np.array(part, copy=True, order="C") if part.base is not None or not part.shape else part


def select_rows(axes: tuple[Axis, ...], shape: tuple[int, ...]) -> Selection:
    """The rows of the first dimension that an index reaches."""
    first, rest = axes[0], axes[1:]
    if isinstance(first, slice):
        numbers = range(*first.indices(shape[0]))
        if not numbers:
            return Selection(0, 0, (slice(0, 0), *rest))
        return Selection(numbers[0], numbers[-1] + 1, (slice(None, None, numbers.step), *rest))
    return Selection(first, first + 1, (0, *rest))


def _resolved(file: str, index: Any, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """An index as numbers from 0 and slices, without `...`; refuses what safetensors refuses."""
    if isinstance(index, list):
        if index:
            raise KistError(file, "slice", "Non empty lists are not implemented")
        index = ()
    parts: Sequence[Any] = index if isinstance(index, tuple) else (index,)
    parts = [_part(file, at, part) for at, part in enumerate(parts)]
    ellipses = [at for at, part in enumerate(parts) if isinstance(part, EllipsisType)]
    if len(ellipses) > 1:
        raise KistError(file, "slice", "Only one ellipsis (...) is allowed in slice index")
    if ellipses:
        at = ellipses[0]
        missing = len(shape) - (len(parts) - 1)
        parts = [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]
    text = ", ".join(_text(part) for part in parts)
    owner = f"Error during slicing [{text}] with shape {list(shape)}"
    if len(parts) > len(shape):
        raise KistIndexError(file, owner, "more slicing indexes than dimensions in tensor")
    return tuple(_in_bounds(file, owner, part, axis, shape[axis]) for axis, part in enumerate(parts))


def _part(file: str, at: int, part: Any) -> Axis | EllipsisType:
    if isinstance(part, EllipsisType):
        return part
    if isinstance(part, slice):
        start, stop, step = (None if value is None else operator.index(value) for value in
                             (part.start, part.stop, part.step))  # fmt: skip
        if step is not None and step <= 0:
            raise KistError(file, "slice", f"Slice step must be a positive integer, got {step}")
        return slice(start, stop, step)
    try:
        return operator.index(part)
    except TypeError:
        message = f"Unsupported slice index at position {at}: expected slice, int, or ellipsis"
        raise KistError(file, "slice", message) from None


def _in_bounds(file: str, owner: str, part: Axis, axis: int, size: int) -> Axis:
    where = f"out of bounds for tensor dimension #{axis} of size {size}"
    if isinstance(part, slice):
        start, stop = part.start, part.stop
        if start is not None and start > 0 and start >= size:
            raise KistIndexError(file, owner, f"index {start} {where}")
        if stop is not None and stop > size:
            raise KistIndexError(file, owner, f"index {stop - 1} {where}")
        return part
    if part >= size:
        raise KistIndexError(file, owner, f"index {part} {where}")
    if part < -size:
        raise KistIndexError(file, "slice", f"Invalid index {part} for dimension {axis} of size {size}")
    return part % size


def _text(part: Axis) -> str:
    """A part of an index as it was typed."""
    if not isinstance(part, slice):
        return str(part)
    text = ":".join("" if value is None else str(value) for value in (part.start, part.stop))
    return text if part.step is None else f"{text}:{part.step}"
