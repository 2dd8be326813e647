"""The records of kist-format.md, each written once, with the numbers that the page fixes."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

MAGIC = bytes.fromhex("894B4953540D0A1A0A00000000000000")
VERSION = 1
PAGE = 4096
PAGE_HASH = 4088  # where a page's own XXH3 stands
SLOTS = (4096, 8192)
BODY = 16384
ALIGNMENT = 64
PAGE_ALIGNED = 65536  # raw tensors of at least so many bytes begin on a multiple of …
RUN_ALIGNMENT = 16384
MAX_ROOT = 65536
MAX_CHUNK_BLOCKS = 512
MAX_NAME = 65535
MAX_RANK = 64
MAX_STORED = (1 << 20) + (64 << 10)
MAX_WINDOW = 8 << 20

HEAD = struct.Struct("<16sI4068sQ")
SLOT = struct.Struct("<QQQQQQQ32s4000sQ")
ROOT = struct.Struct("<16sIIII32s32s")
BLOCK = struct.Struct("<IIQQQQ32s")
ENTRY = struct.Struct("<QIBBBBHHIIIQIIQQ32s")
CHUNK = struct.Struct("<QIIQQ32s")

# Kinds of index blocks, in the order in which the root lists them; then the size of their records.
ENTRIES, NAMES, DIMS, CHUNKS = 1, 2, 3, 4
RECORD_SIZES = {ENTRIES: ENTRY.size, NAMES: 1, DIMS: 8, CHUNKS: CHUNK.size}
BLOCK_NAMES = {ENTRIES: "entries", NAMES: "names", DIMS: "dims", CHUNKS: "chunks"}

TENSOR, ASSET, RECORD = 1, 2, 3
KINDS = {TENSOR: "tensor", ASSET: "asset", RECORD: "record"}
NO_TRANSFORM, PLANES, FLOAT_PLANES, BLOCK_PLANES = 0, 1, 2, 3
HAS_BLOCK_PLANES = 1  # a bit of `incompatible`; no other is defined
RAW, ZSTD = 0, 1
SIGNATURE = "kist:signature/"
MANIFEST = "kist:manifest"

# Entry records as columns, so that a whole index is checked without a loop.
ENTRY_COLUMNS = np.dtype(
    [
        ("name", "<u8"), ("name_length", "<u4"), ("kind", "u1"), ("transform", "u1"), ("codec", "u1"), ("rank", "u1"),
        ("dtype", "<u2"), ("chunk_block", "<u2"), ("ordinal", "<u4"), ("first_dim", "<u4"), ("first_chunk", "<u4"),
        ("raw_length", "<u8"), ("chunk_length", "<u4"), ("chunk_count", "<u4"), ("run", "<u8"), ("reserved", "<u8"),
        ("digest", "V32"),
    ]
)  # fmt: skip
CHUNK_COLUMNS = np.dtype(
    [("offset", "<u8"), ("stored", "<u4"), ("raw", "<u4"), ("xxh3", "<u8"), ("reserved", "<u8"), ("leaf", "V32")]
)
assert CHUNK_COLUMNS.itemsize == CHUNK.size
assert ENTRY_COLUMNS.itemsize == ENTRY.size


class Slot(NamedTuple):
    """A commit."""

    generation: int
    incompatible: int
    read_only_compatible: int
    compatible: int
    file_length: int
    root_offset: int
    root_length: int
    root_digest: bytes


class Block(NamedTuple):
    """Where an index block lies, and its SHA-256."""

    label: str
    record_count: int
    offset: int
    length: int
    digest: bytes


class Chunk(NamedTuple):
    """Where the stored bytes of a chunk lie, what they hash to, and the SHA-256 of the raw ones."""

    offset: int
    stored_length: int
    raw_length: int
    xxh3: int
    reserved: int
    leaf: bytes


def aligned(offset: int, to: int = ALIGNMENT) -> int:
    return -(-offset // to) * to


def run_alignment(kind: int, raw_length: int) -> int:
    """What the run of a raw entry is a multiple of."""
    return RUN_ALIGNMENT if kind == TENSOR and raw_length >= PAGE_ALIGNED else ALIGNMENT
