"""The bytes of a new file's index and of the commit that puts it in force."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from xxhash import xxh3_64_intdigest as xxh3

from .digests import Digested, package_digests
from .dtypes import Dtype
from .layout import (
    BLOCK,
    BLOCK_PLANES,
    CHUNK,
    CHUNKS,
    DIMS,
    ENTRIES,
    ENTRY,
    HAS_BLOCK_PLANES,
    HEAD,
    MAGIC,
    NAMES,
    PAGE_HASH,
    RECORD_SIZES,
    ROOT,
    SLOT,
    VERSION,
    Chunk,
)

__all__ = ["Draft", "block_description", "head_page", "index_blocks", "root", "slot_page"]


class Draft(NamedTuple):
    """An entry whose content is written."""

    name: bytes
    kind: int
    dtype: Dtype
    shape: tuple[int, ...]
    transform: int
    codec: int
    ordinal: int
    raw_length: int
    first_chunk: int
    chunk_count: int
    run: int
    digest: bytes


def index_blocks(drafts: Sequence[Draft], chunks: Sequence[Chunk]) -> list[tuple[int, bytes]]:
    """The index blocks, by kind, in the order in which they are written. Drafts are in entry order."""
    names = b"".join(draft.name for draft in drafts)
    dims = b"".join(struct.pack(f"<{len(draft.shape)}Q", *draft.shape) for draft in drafts)
    records = bytearray()
    name_offset = first_dim = 0
    for draft in drafts:
        rank = len(draft.shape)
        records += ENTRY.pack(
            name_offset, len(draft.name), draft.kind, draft.transform, draft.codec, rank, draft.dtype.code, 0,
            draft.ordinal, first_dim if rank else 0, draft.first_chunk, draft.raw_length, draft.dtype.chunk_length,
            draft.chunk_count, draft.run, 0, draft.digest,
        )  # fmt: skip
        name_offset += len(draft.name)
        first_dim += rank
    blocks = [(ENTRIES, bytes(records)), (NAMES, names), (DIMS, dims)]
    if chunks:
        blocks.insert(0, (CHUNKS, b"".join(CHUNK.pack(*chunk) for chunk in chunks)))
    return blocks


def block_description(kind: int, offset: int, content: bytes) -> bytes:
    """What the root says of a block; an empty one has offset 0."""
    count = len(content) // RECORD_SIZES[kind]
    return BLOCK.pack(kind, 0, count, offset, len(content), xxh3(content), sha256(content).digest())


def root(drafts: Sequence[Draft], descriptions: dict[int, bytes]) -> bytes:
    """The root of a file that is in no set."""
    digests = package_digests(Digested(d.name, d.kind, d.dtype.code, d.shape, d.digest) for d in drafts)
    header = ROOT.pack(bytes(16), 0, 0, len(descriptions), 0, *digests)
    return header + b"".join(descriptions[kind] for kind in sorted(descriptions))


def head_page() -> bytes:
    return _closed(HEAD.pack(MAGIC, VERSION, bytes(4068), 0))


def slot_page(drafts: Sequence[Draft], file_length: int, root_offset: int, root: bytes) -> bytes:
    """Generation 1, which is written to slot A."""
    digest = sha256(root).digest()
    incompatible = HAS_BLOCK_PLANES if any(draft.transform == BLOCK_PLANES for draft in drafts) else 0
    return _closed(SLOT.pack(1, incompatible, 0, 0, file_length, root_offset, len(root), digest, bytes(4000), 0))


def _closed(page: bytes) -> bytes:
    """A page with its XXH3 at the end."""
    return page[:PAGE_HASH] + struct.pack("<Q", xxh3(page[:PAGE_HASH]))
