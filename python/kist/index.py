"""The entries of a file. All of them are checked at once, column by column; one becomes an object when it is asked for."""

from __future__ import annotations

import operator
import struct
from itertools import compress, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dtypes import BYTES, DTYPES, MAX_CHUNK, Dtype
from .errors import KistError
from .layout import (
    ASSET,
    BLOCK_PLANES,
    BODY,
    ENTRY,
    ENTRY_COLUMNS,
    FLOAT_PLANES,
    HAS_BLOCK_PLANES,
    KINDS,
    MAX_NAME,
    MAX_RANK,
    NO_TRANSFORM,
    PAGE_ALIGNED,
    RAW,
    RECORD,
    RUN_ALIGNMENT,
    TENSOR,
    ZSTD,
)
from .opening import Opened
from .planes import PlaneLayout

Columns = NDArray[Any]


class Entry(NamedTuple):
    """Something with a name and content. From `name_offset` on, the fields of an entry record in their order."""

    name: str
    dtype: Dtype
    shape: tuple[int, ...]
    name_offset: int
    name_length: int
    kind: int
    transform: int
    codec: int
    rank: int
    dtype_code: int  # what `dtype` does not say of a dtype that this reader does not know
    chunk_block: int
    ordinal: int
    first_dim: int
    first_chunk: int
    raw_length: int
    chunk_length: int
    chunk_count: int
    run: int
    reserved: int
    digest: bytes

    @property
    def planes(self) -> PlaneLayout:
        """What the planes of a packed chunk hold."""
        return PlaneLayout.of(self.transform, self.dtype)

    @property
    def dtype_name(self) -> str:
        return self.dtype.name if self.dtype is not BYTES or not self.dtype_code else f"dtype {self.dtype_code}"

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name!r}"


def _table(value: Any) -> NDArray[np.uint32]:
    """A number for each dtype code below 512; 0 where the code is unknown."""
    table = np.zeros(512, np.uint32)
    for dtype in (BYTES, *DTYPES.values()):
        table[dtype.code] = value(dtype)
    return table


_UNIT = _table(lambda dtype: dtype.unit)
_ELEMENTS = _table(lambda dtype: dtype.elements)
_COMPONENT = _table(lambda dtype: dtype.component)
_CHUNK_LENGTH = _table(lambda dtype: dtype.chunk_length)
_ROTATES = _table(lambda dtype: dtype.rotates)
_IS_BLOCKS = _table(lambda dtype: dtype.is_blocks)


_SHAPES = [struct.Struct(f"<{rank}Q") for rank in range(MAX_RANK + 1)]


class Index:
    """The entries of an opened file, by name and kind."""

    def __init__(self, file: str, data: memoryview, opened: Opened) -> None:
        self._file = file
        self._opened = opened
        entries, names, dims, *chunks = opened.root.blocks
        self._records = data[entries.offset : entries.offset + entries.length]
        self._start = entries.offset
        self._columns: Columns = np.frombuffer(self._records, ENTRY_COLUMNS)
        self._dims = np.frombuffer(data[dims.offset : dims.offset + dims.length], "<u8")
        self._chunk_counts = np.array([block.record_count for block in chunks], np.uint64)
        self._good = np.ones(len(self._columns), bool)
        self._checks: list[tuple[Columns, str, str]] = []
        self.names: list[str] = []
        self.names = self._read_names(bytes(data[names.offset : names.offset + names.length]))
        self._check_packing()
        self._check_shapes()
        self._check_content()
        kinds = self._columns["kind"]
        self.tensors, self.assets, self.records = (self._places(kinds == kind) for kind in (TENSOR, ASSET, RECORD))

    def _places(self, which: Columns) -> dict[str, int]:
        """Where the entries of one kind are, by name."""
        if which.all():
            return dict(zip(self.names, range(len(which)), strict=True))
        return dict(zip(compress(self.names, which.tolist()), np.flatnonzero(which).tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.names)

    def entry(self, at: int) -> Entry:
        fields = ENTRY.unpack_from(self._records, at * ENTRY.size)
        rank, code, first_dim = fields[5], fields[6], fields[9]
        shape = _SHAPES[rank].unpack_from(self._dims, 8 * first_dim)
        return Entry._make((self.names[at], DTYPES.get(code, BYTES), shape, *fields))

    def by_ordinal(self, places: dict[str, int]) -> list[str]:
        """Names in the order of the source; entries of one ordinal by name."""
        ordinals = self._columns["ordinal"].tolist()
        return sorted(places, key=lambda name: ordinals[places[name]])  # stable, and places are sorted by name

    # Checks. Each is a column of truths; they are looked at together, and the first that is false somewhere names the entry.

    def _need(self, good: Columns, field: str, message: str) -> None:
        self._good &= good
        self._checks.append((good, field, message))

    def _settle(self) -> None:
        """Raises what the checks so far found; what follows may rely on them."""
        if self._good.all():
            self._checks.clear()
            return
        good, field, message = next(check for check in self._checks if not check[0].all())
        at = int(np.argmin(good))
        row = self._columns[at]
        owner = f"{KINDS[int(row['kind'])]} {self.names[at]!r}" if at < len(self.names) else f"entry {at}"
        values = {name: int(row[name]) for name in ENTRY_COLUMNS.names or () if name != "digest"}
        raise KistError(self._file, f"{owner}: {field}", message.format_map(values), self._start + at * ENTRY.size)

    def _refuse(self, at: int, field: str, message: str) -> None:
        """Raises what is wrong with one entry."""
        self._need(np.arange(len(self._columns)) != at, field, message)
        self._settle()

    def _read_names(self, text: bytes) -> list[str]:
        columns = self._columns
        offset, length, kind = columns["name"], columns["name_length"], columns["kind"]
        self._need((kind >= 1) & (kind <= 3), "kind", "{kind} is unknown")
        self._need((length >= 1) & (length <= MAX_NAME), "name length", f"{{name_length}} is not in 1...{MAX_NAME}")
        size = np.uint64(len(text))
        inside = (offset <= size) & (length <= size - np.minimum(offset, size))
        self._need(inside, "name", "{name} + {name_length} lies outside the names block")
        self._settle()
        bounds = list(zip(offset.tolist(), (offset + length).tolist(), strict=True))
        if text.isascii():
            characters = text.decode("ascii")
            names = [characters[start:end] for start, end in bounds]
            if all(map(operator.lt, names, names[1:])):
                return names
        raw = [text[start:end] for start, end in bounds]
        names = []
        try:
            for name in raw:
                names.append(name.decode())
        except UnicodeDecodeError:
            self._refuse(len(names), "name", "not valid UTF-8")
        if not all(map(operator.lt, raw, raw[1:])):
            self._check_order(names, list(zip(raw, kind.tolist(), strict=True)))
        return names

    def _check_order(self, names: list[str], keys: list[tuple[bytes, int]]) -> None:
        """Entries are sorted by name, those of one name by kind."""
        self.names = names
        for at, (last, this) in enumerate(pairwise(keys), 1):
            if last >= this:
                self._refuse(at, "name", "stands twice" if last == this else "not sorted: the one before it is greater")

    def _check_packing(self) -> None:
        columns = self._columns
        kind, transform, codec, dtype = (columns[name] for name in ("kind", "transform", "codec", "dtype"))
        self._need(columns["reserved"] == 0, "reserved", "bytes that are not zero")
        self._need(transform <= BLOCK_PLANES, "transform", "{transform} is unknown")
        self._need(codec <= ZSTD, "codec", "{codec} is unknown")
        none = transform == NO_TRANSFORM
        self._need((codec == ZSTD) | none, "transform", "{transform} with codec raw")
        self._need((kind == TENSOR) == (dtype != 0), "dtype", "{dtype} in an entry of this kind")
        self._code = np.where(dtype < 512, dtype, 511)  # 511 is no dtype
        self._known = _UNIT[self._code] != 0
        self._need(none | (kind == TENSOR), "transform", "{transform} in an entry of this kind")
        self._need(none | self._known, "dtype", "{dtype} is unknown, and the content is transformed")
        blocks = transform == BLOCK_PLANES
        wide = _COMPONENT[self._code] > 1
        self._need(none | blocks | wide, "transform", "{transform} with components of one byte")
        self._need(~blocks | (_IS_BLOCKS[self._code] != 0), "transform", "block planes of dtype {dtype}")
        said = bool(self._opened.slot.incompatible & HAS_BLOCK_PLANES)
        self._need(~blocks | said, "transform", "block planes, which the slot does not say")
        rotates = _ROTATES[self._code] != 0
        self._need((transform != FLOAT_PLANES) | rotates, "transform", "float planes of dtype {dtype}")
        self._settle()

    def _check_shapes(self) -> None:
        columns = self._columns
        kind, rank, first = columns["kind"], columns["rank"], columns["first_dim"].astype(np.uint64)
        self._need(rank <= MAX_RANK, "rank", f"{{rank}} is over {MAX_RANK}")
        self._need((rank == 0) | (kind == TENSOR), "rank", "{rank} in an entry of this kind")
        self._need((rank > 0) | (first == 0), "dims", "index {first_dim} with rank 0")
        self._need(first + rank <= len(self._dims), "dims", "{first_dim} + {rank} lies outside the dims block")
        self._settle()
        units = np.ones(len(columns), np.uint64)  # elements, then units
        for each in np.flatnonzero(np.bincount(rank, minlength=1)[1:]) + 1:
            where = np.flatnonzero(rank == each)
            dims = self._dims[first[where][:, None] + np.arange(each, dtype=np.uint64)]
            if int(dims.max()) >= 1 << (62 // int(each)):
                self._check_products(where, dims)
            product = dims[:, 0].copy()
            for column in range(1, each):
                product *= dims[:, column]
            units[where] = product
        tensor = (kind == TENSOR) & self._known
        elements = np.maximum(_ELEMENTS[self._code], 1).astype(np.uint64)
        length = np.maximum(_UNIT[self._code], 1).astype(np.uint64)
        raw = columns["raw_length"]
        fits = (units % elements == 0) & (raw % length == 0) & (raw // length == units // elements)
        self._need(fits | ~tensor, "raw length", "{raw_length} does not follow from shape and dtype")

    def _check_products(self, where: Columns, dims: Columns) -> None:
        """Whether dimensions, and their product at every step, stay below 2⁶³."""
        for at, sizes in zip(where.tolist(), dims.tolist(), strict=True):
            product = 1
            for size in sizes:
                product *= size
                if max(product, size) >= 1 << 63:
                    self._refuse(at, "dims", "they or their product reach 2⁶³")

    def _check_content(self) -> None:
        columns = self._columns
        codec, raw, length, run = (columns[name] for name in ("codec", "raw_length", "chunk_length", "run"))
        count, block, first = (columns[name] for name in ("chunk_count", "chunk_block", "first_chunk"))
        in_bounds = (length >= 1) & (length <= MAX_CHUNK)
        self._need(in_bounds, "raw bytes per chunk", f"{{chunk_length}} is not in 1...{MAX_CHUNK}")
        self._settle()
        expected = (length == _CHUNK_LENGTH[self._code]) | ~self._known
        self._need(expected, "raw bytes per chunk", "{chunk_length} does not follow from dtype {dtype}")
        chunks = raw // length + (raw % length != 0)
        self._need(count == chunks, "chunk count", "{chunk_count} does not follow from {raw_length} bytes")
        self._need((codec == RAW) | (run == 0), "run", "{run} in an entry that is not raw")
        empty = count == 0
        self._need(~empty | (codec == RAW), "codec", "{codec} in an empty entry")
        self._need(~empty | (run == 0), "run", "{run} in an empty entry")
        self._need(~empty | ((block == 0) & (first == 0)), "first chunk", "not 0 in an empty entry")
        blocks = self._chunk_counts
        self._need(empty | (block < len(blocks)), "chunks block", f"{{chunk_block}} of {len(blocks)}")
        available = np.append(blocks, np.uint64(0))[np.minimum(block, len(blocks))]
        inside = first.astype(np.uint64) + count <= available
        self._need(empty | inside, "first chunk", "{first_chunk} + {chunk_count} lies outside the chunks block")
        packed = empty | (codec != RAW)
        alignment = np.where((columns["kind"] == TENSOR) & (raw >= PAGE_ALIGNED), RUN_ALIGNMENT, 64).astype(np.uint64)
        self._need(packed | (run % alignment == 0), "run", "{run} is not aligned")
        limit = np.uint64(self._opened.slot.file_length)
        inside = (run >= BODY) & (run <= limit) & (raw <= limit - np.minimum(run, limit))
        self._need(packed | inside, "run", "{run} + {raw_length} lies outside the committed body")
        self._settle()
