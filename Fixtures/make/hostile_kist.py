"""python Fixtures/make/hostile_kist.py [--all FOLDER]    (pip install xxhash; rewrites Fixtures/hostile/kist)

Kist files with one thing wrong. Each is spec/tiny.hex with one field changed and every checksum above that field made right
again, so that only the check under test can catch it. Stages: `open` opening refuses the file; `read` it opens, and reading
an entry is refused; `verify` only a full verification finds it. The error holds every word of the manifest's third column.
Near twins and large files are left out of Fixtures; `--all` writes them too, with a manifest, to another folder.
"""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from kist_builder import (
    ASSET,
    METADATA,
    METADATA_CHUNK,
    NORM,
    NORM_CHUNK,
    PROJ,
    PROJ_CHUNK,
    PROVENANCE,
    ROOT_FOLDER,
    Kist,
    frame,
    packed_chunk,
    put_slot,
    raw_block,
    rle_block,
    rle_frame,
    two_chunks,  # fmt: skip
    xxh3,
)

FOLDER = ROOT_FOLDER / "Fixtures/hostile/kist"
END = 18240  # the length of spec/tiny.hex
TENSOR, ASSET_KIND, RECORD = 1, 2, 3
U8, U16, BF16, F32, F4, Q4_0, UNKNOWN = 2, 4, 17, 18, 42, 258, 300
RAW, ZSTD = 0, 1
NONE, PLANES, FLOAT_PLANES, BLOCK_PLANES = range(4)
HAS_BLOCK_PLANES = 1  # an incompatible feature
MIB = 1 << 20

CASES: list[tuple[str, str, str, str, Callable[[Kist], object]]] = []


def case(name: str, stage: str, words: str, note: str, change: Callable[[Kist], object]) -> None:
    CASES.append((name, stage, words, note, change))


def set_byte(offset: int, value: int) -> Callable[[Kist], None]:
    def fix(out: bytearray) -> None:
        out[offset] = value

    return lambda kist: setattr(kist, "fix_file", fix)


# Head and the reserved page.

case("magic-wrong", "open", "magic", "first byte 00", lambda k: k.head.update(magic=bytes(1) + k.head["magic"][1:]))


def text_mode(k: Kist) -> None:
    def fix(out: bytearray) -> None:
        out[:] = out.replace(b"\r\n", b"\n")

    k.fix_file = fix


case("magic-text-mode", "open", "magic", "CR LF became LF, as in a text-mode transfer", text_mode)
case("magic-tail", "open", "magic", "byte 15 is 1", lambda k: k.head.update(magic=k.head["magic"][:15] + b"\1"))
case("version-0", "open", "version", "format version 0", lambda k: k.head.update(version=0))
case("version-2", "open", "version", "format version 2", lambda k: k.head.update(version=2))
case(
    "head-reserved",
    "open",
    "reserved",
    "a byte of the head is 1",
    lambda k: k.head.update(reserved=bytes(4067) + b"\1"),
)
case("head-xxh3", "open", "head xxh3", "the checksum is 0", lambda k: k.head.update(xxh3=0))
case("page-reserved", "open", "reserved", "byte 16383 is 1", set_byte(16383, 1))

# Slots.


def no_slot(k: Kist) -> None:
    def fix(out: bytearray) -> None:
        out[4096:8192] = bytes(4096)

    k.fix_file = fix


def both_slots(**changes: object) -> Callable[[Kist], None]:
    """Puts a second slot with the same root into slot B."""

    def change(k: Kist) -> None:
        k.fix_file = lambda out: put_slot(out, 8192, k.slot | {n.replace("_", " "): v for n, v in changes.items()})

    return change


def slot(**changes: object) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        k.fix_slot = lambda fields: fields.update({n.replace("_", " "): v for n, v in changes.items()})

    return change


def root_place(offset: Callable[[dict], int], length: Callable[[dict], int]) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        k.fix_slot = lambda s: s.update({"root offset": offset(s), "root length": length(s)})

    return change


case("slots-empty", "open", "slot", "neither slot was written", no_slot)
case("slot-xxh3", "open", "slot", "the only slot's checksum is 0", slot(xxh3=0))
case("slot-reserved", "open", "slot", "the only slot has a reserved byte that is 1", slot(reserved=b"\1"))
case("slot-generation-0", "open", "slot", "the only slot has generation 0", slot(generation=0))
case("slots-same-generation", "open", "generation", "both slots are valid, generation 1", both_slots())
case("slot-incompatible-1", "open", "incompatible", "feature bit 1", slot(incompatible=2))
case("slot-incompatible-63", "open", "incompatible", "feature bit 63", slot(incompatible=1 << 63))
case("slot-incompatible-newer", "open", "incompatible", "slot B is in force and needs a feature; slot A does not count",
     both_slots(generation=2, incompatible=2))  # fmt: skip
case("slot-b-damaged", "verify", "slot", "slot B's checksum is wrong; slot A is in force",
     both_slots(generation=2, xxh3=1))  # fmt: skip
case("file-length-past-end", "open", "file length", "one byte more than there are", slot(file_length=END + 1))
case("file-length-max", "open", "file length", "2^64 - 1", slot(file_length=(1 << 64) - 1))
case("file-length-16383", "open", "length", "less than head, slots and reserved page; so the root lies outside too",
     slot(file_length=16383))  # fmt: skip
case("file-length-0", "open", "length", "so the root lies outside too", slot(file_length=0))
case("root-in-slot-b", "open", "root", "offset 8192; its SHA-256 is that of the zeros there",
     root_place(lambda s: 8192, lambda s: s["root length"]))  # fmt: skip
case("root-misaligned", "open", "root", "offset not a multiple of 64", lambda k: setattr(k, "root_shift", 8))
case("root-past-end", "open", "root", "begins 64 bytes before the end",
     root_place(lambda s: s["file length"] - 64, lambda s: s["root length"]))  # fmt: skip
case("root-offset-overflow", "open", "root", "offset + length wraps to 320",
     root_place(lambda s: (1 << 64) - 64, lambda s: s["root length"]))  # fmt: skip
case(
    "root-length-overflow",
    "open",
    "root",
    "length 2^64 - 64",
    root_place(lambda s: s["root offset"], lambda s: -64 % (1 << 64)),
)
case("root-length-0", "open", "root", "length 0", root_place(lambda s: s["root offset"], lambda s: 0))
case("root-length-95", "open", "root", "less than its fixed part", root_place(lambda s: s["root offset"], lambda s: 95))
case("root-length-odd", "open", "root", "one byte less than its blocks need",
     root_place(lambda s: s["root offset"], lambda s: s["root length"] - 1))  # fmt: skip
case("root-sha256", "open", "root sha-256", "the slot has another", slot(**{"root_sha-256": bytes(32)}))

# Root and block descriptions.


def root(**changes: object) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        k.fix_root = lambda fields: fields.update({n.replace("_", " "): v for n, v in changes.items()})

    return change


def blocks(change: Callable[[list[dict]], object]) -> Callable[[Kist], None]:
    return lambda k: setattr(k, "fix_blocks", change)


def move_names(k: Kist) -> None:
    def fix(descriptions: list[dict]) -> None:
        names = descriptions[1]
        k.out[names["offset"] + 8 : names["offset"] + 8 + names["length"]] = k.names
        names["offset"] += 8

    k.names = k.names[:40]  # so that the block has room to move; the entries behind it are left out
    k.entries = k.entries[:2]
    k.fix_blocks = fix


def swap_blocks(descriptions: list[dict]) -> None:
    descriptions[0], descriptions[1] = descriptions[1], descriptions[0]


EMPTY_CHUNKS = {"kind": 4, "reserved": 0, "record count": 0, "offset": 0, "length": 0}

case("root-reserved", "open", "root reserved", "1", root(reserved=1))
case("block-count-3", "open", "block count", "3, with room for 4", root(block_count=3))
case("block-count-5", "open", "block count", "5, with room for 4", root(block_count=5))
case("block-count-max", "open", "block count", "2^32 - 1", root(block_count=(1 << 32) - 1))
case("block-count-2", "open", "block", "entries and names alone", blocks(lambda d: d.__delitem__(slice(2, 4))))
case("block-count-516", "open", "block count", "513 chunks blocks, all but one empty",
     blocks(lambda d: d.extend(dict(EMPTY_CHUNKS) for _ in range(512))))  # fmt: skip
case("blocks-out-of-order", "open", "kind", "names before entries", blocks(swap_blocks))
case("block-kind-0", "open", "kind", "0 for the chunks block", blocks(lambda d: d[3].update(kind=0)))
case("block-kind-5", "open", "kind", "5 for the chunks block", blocks(lambda d: d[3].update(kind=5)))
case(
    "block-second-dims",
    "open",
    "kind",
    "a dims block in place of the chunks",
    blocks(lambda d: d.__setitem__(3, dict(d[2]))),
)
case("block-reserved", "open", "reserved", "1", blocks(lambda d: d[1].update(reserved=1)))
case("block-misaligned", "open", "names offset", "names moved by 8 bytes", move_names)
case(
    "block-past-end",
    "open",
    "dims offset",
    "begins at the end of the file",
    blocks(lambda d: d[2].update(offset=18240)),
)
case("block-offset-overflow", "open", "names offset", "offset + length wraps",
     blocks(lambda d: d[1].update(offset=(1 << 64) - 64)))  # fmt: skip
case(
    "block-in-page", "open", "dims offset", "at 12288, where 24 zeros are", blocks(lambda d: d[2].update(offset=12288))
)
case("block-length", "open", "length", "entries: 5 records, length of 4", blocks(lambda d: d[0].update(length=384)))
case("block-length-overflow", "open", "length", "2^58 chunk records of 64 bytes wrap to length 0, offset 0",
     blocks(lambda d: d[3].update({"record count": 1 << 58, "offset": 0, "length": 0})))  # fmt: skip
case(
    "block-record-count-max",
    "open",
    "length",
    "2^64 - 1 chunk records",
    blocks(lambda d: d[3].update({"record count": (1 << 64) - 1})),
)
case("block-empty-offset", "open", "offset", "an empty chunks block at 16384",
     blocks(lambda d: d.append(EMPTY_CHUNKS | {"offset": 16384})))  # fmt: skip
for _at, _name in enumerate(("entries", "names", "dims", "chunks")):
    case(f"block-xxh3-{_name}", "open", f"{_name} xxh3", "0", blocks(lambda d, at=_at: d[at].update(xxh3=0)))
case("block-sha256", "verify", "sha-256", "of the dims block", blocks(lambda d: d[2].update({"sha-256": bytes(32)})))

# Entry records.


def entry(at: int, **changes: object) -> Callable[[Kist], None]:
    return lambda k: k.entries[at].update({n.replace("_", " "): v for n, v in changes.items()})


def rename(at: int, name: bytes) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        k.entries[at].update({"name": len(k.names), "name length": len(name)})
        k.names += name

    return change


def all_of(*changes: Callable[[Kist], object]) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        for each in changes:
            each(k)

    return change


def dims(at: int, *shape: int, **changes: object) -> Callable[[Kist], None]:
    return all_of(lambda k: k.shape(at, *shape), entry(at, **changes))


def swap_entries(k: Kist) -> None:
    k.entries[NORM], k.entries[PROJ] = k.entries[PROJ], k.entries[NORM]


def same_name(k: Kist, at: int, as_at: int, **changes: object) -> None:
    k.entries[at].update({n: k.entries[as_at][n] for n in ("name", "name length")} | changes)


case("name-past-end", "open", "name", "leaves the names block by one byte", entry(PROJ, name=57))
case("name-offset-overflow", "open", "name", "offset + length wraps", entry(PROJ, name=(1 << 64) - 4))
case("name-length-0", "open", "name length", "of the first entry", entry(METADATA, name_length=0))
case("name-length-65536", "open", "name length", "and the names block has them", rename(PROJ, b"q" * 65536))
case("name-not-utf-8", "open", "utf-8", "FF in it", rename(PROJ, b"proj.weight\xff"))
case("name-overlong", "open", "utf-8", "C1 81 for A", rename(PROJ, b"proj.weight\xc1\x81"))
case("name-surrogate", "open", "utf-8", "ED A0 80", rename(PROJ, b"proj.weight\xed\xa0\x80"))
case("name-cut", "open", "utf-8", "ends inside a character", rename(PROJ, b"proj.weight\xc3"))
case("names-duplicate", "open", "name", "two tensors of one name", lambda k: same_name(k, PROJ, NORM))
case("names-unsorted", "open", "sorted", "the two tensors swapped", swap_entries)
case("kinds-unsorted", "open", "sorted", "a record before an asset of the same name",
     lambda k: same_name(k, PROVENANCE, METADATA, kind=ASSET_KIND))  # fmt: skip
case("kind-0", "open", "kind", "0", entry(PROVENANCE, kind=0))
case("kind-4", "open", "kind", "4", entry(PROVENANCE, kind=4))
case("transform-4", "open", "transform", "4", entry(PROJ, transform=4))
case("transform-255", "open", "transform", "255", entry(PROJ, transform=255))
case("transform-of-raw", "open", "transform", "planes with codec raw", entry(NORM, transform=PLANES))
case("transform-of-record", "open", "transform", "planes", entry(METADATA, transform=PLANES))
case(
    "transform-of-u8",
    "open",
    "transform",
    "planes of components of one byte",
    dims(PROJ, 32, dtype=U8, transform=PLANES),
)
case("float-planes-of-u16", "open", "transform", "they are for floats", entry(PROJ, dtype=U16))
case("codec-2", "open", "codec", "2", entry(PROJ, codec=2, transform=NONE))
case("dtype-0-tensor", "open", "dtype", "a tensor without one", entry(PROJ, dtype=0, transform=NONE))
case("dtype-of-asset", "open", "dtype", "F32", entry(ASSET, dtype=F32))
case(
    "dtype-unknown-transform",
    "open",
    "dtype",
    "300 with planes: no component width",
    entry(PROJ, dtype=UNKNOWN, transform=PLANES),
)
case("rank-65", "open", "rank", "65 dimensions, all there", dims(NORM, 4, *[1] * 64))
case("rank-of-asset", "open", "rank", "1", dims(ASSET, 176))
case("dim-index-with-rank-0", "open", "dim", "an asset with first dimension 1", entry(ASSET, first_dim=1))
case("dims-past-end", "open", "dim", "the second dimension lies outside the dims block", entry(PROJ, first_dim=2))
case("dims-index-max", "open", "dim", "2^32 - 1", entry(PROJ, first_dim=(1 << 32) - 1))
case("dims-product-wraps", "open", "dim", "4 x (2^62 + 1) wraps to 4", dims(NORM, 4, (1 << 62) + 1))
case("dims-product-2-63", "open", "dim", "2^63 x 0: too large on the way", dims(NORM, 1 << 62, 2, 0, raw_length=0,
     chunk_count=0, run=0))  # fmt: skip
case("dims-bits-wrap", "open", "raw length", "(2^59 + 4) x 32 bits wrap to 16 bytes", dims(NORM, (1 << 59) + 4))
case("raw-length-short", "open", "raw length", "12 bytes for 4 F32", entry(NORM, raw_length=12))
case("raw-length-odd-bits", "open", "raw length", "31 F4 in 16 bytes", dims(NORM, 31, dtype=F4))
case("chunk-length-64k", "open", "raw bytes per chunk", "65536 for BF16", entry(PROJ, **{"raw_bytes_per_chunk": 65536}))
case(
    "chunk-length-f6",
    "open",
    "raw bytes per chunk",
    "1048576 for a unit of 3",
    dims(ASSET, 40, dtype=40, kind=TENSOR, raw_length=30),
)
case(
    "chunk-length-0",
    "open",
    "raw bytes per chunk",
    "0 for an unknown dtype",
    entry(NORM, dtype=UNKNOWN, raw_bytes_per_chunk=0),
)
case("chunk-length-over", "open", "raw bytes per chunk", "1 MiB + 1 for an unknown dtype",
     entry(NORM, dtype=UNKNOWN, raw_bytes_per_chunk=MIB + 1))  # fmt: skip
case("chunk-count-0", "open", "chunk count", "0 for 32 bytes", entry(PROJ, chunk_count=0))
case("chunk-count-2", "open", "chunk count", "2 for 32 bytes", entry(PROJ, chunk_count=2))
case("chunk-count-wraps", "open", "chunk count", "0 for 2^64 - 1 bytes of an unknown dtype",
     entry(NORM, dtype=UNKNOWN, codec=ZSTD, raw_length=(1 << 64) - 1, chunk_count=0, run=0))  # fmt: skip
case("chunks-block-1", "open", "chunks block", "there is one, at position 0", entry(PROJ, chunks_block=1))
case("first-chunk-past-end", "open", "chunk", "5 of 5", entry(PROJ, first_chunk=5))
case("first-chunk-max", "open", "chunk", "2^32 - 1", entry(PROJ, first_chunk=(1 << 32) - 1))
case("entry-reserved", "open", "reserved", "1", entry(PROJ, reserved=1))
case("run-of-packed", "open", "run", "64 in a packed entry", entry(PROJ, run=16448))
case("run-misaligned", "open", "run", "not a multiple of 64", lambda k: (k.store(NORM_CHUNK, b"\0" * 16, b"\0" * 16, 16400),
     k.raw_at(NORM, NORM_CHUNK, 16400, b"\0" * 16)))  # fmt: skip


def off_page(k: Kist) -> None:
    content = bytes(65536)
    k.store(NORM_CHUNK, content, content)
    k.raw_at(NORM, NORM_CHUNK, k.chunks[NORM_CHUNK]["offset"], content)
    k.shape(NORM, 16384)


case("run-off-page", "open", "run", "a tensor of 65536 bytes not on 16 KiB", off_page)
case("run-past-end", "open", "run", "begins at the end", lambda k: k.raw_at(NORM, NORM_CHUNK, END, bytes(16)))
case(
    "run-offset-overflow",
    "open",
    "run",
    "offset + length wraps",
    lambda k: k.raw_at(NORM, NORM_CHUNK, -64 % (1 << 64), bytes(16)),
)
case("run-in-page", "open", "run", "at 12288, where zeros are", lambda k: k.raw_at(NORM, NORM_CHUNK, 12288, bytes(16)))
EMPTY = {"raw_length": 0, "chunk_count": 0, "run": 0, "first_chunk": 0}
case("empty-with-run", "open", "run", "16384", dims(NORM, 0, **EMPTY | {"run": 16384}))
case("empty-packed", "open", "codec", "zstd", dims(PROJ, 0, 4, **EMPTY, transform=NONE))
case("empty-with-first-chunk", "open", "chunk", "1", dims(NORM, 0, **EMPTY | {"first_chunk": 1}))
case("empty-with-chunks-block", "open", "chunk", "1", dims(NORM, 0, **EMPTY, chunks_block=1))

# Chunk records.


def chunk(at: int, **changes: object) -> Callable[[Kist], None]:
    return lambda k: k.chunks[at].update({n.replace("_", " "): v for n, v in changes.items()})


case("chunk-reserved", "read", "reserved", "1", chunk(PROJ_CHUNK, reserved=1))
case("chunk-past-end", "read", "offset", "begins at the end", chunk(PROJ_CHUNK, offset=END))
case(
    "chunk-offset-overflow", "read", "offset", "offset + stored length wraps", chunk(PROJ_CHUNK, offset=-64 % (1 << 64))
)
case("chunk-in-page", "read", "offset", "at 12288, where zeros are", chunk(PROJ_CHUNK, offset=12288))
case("chunk-misaligned", "read", "offset", "not a multiple of 64",
     lambda k: k.store(PROJ_CHUNK, bytes(k.content[16448:16491]), offset=16456))  # fmt: skip
case("stored-length-0", "read", "stored length", "0", chunk(PROJ_CHUNK, stored_length=0))
case("stored-length-7", "read", "stored length", "less than the plane table", chunk(PROJ_CHUNK, stored_length=7))
case("stored-length-max", "read", "stored length", "2^32 - 1", chunk(PROJ_CHUNK, stored_length=(1 << 32) - 1))
case("stored-length-of-raw", "read", "stored length", "12 for 16 raw bytes", chunk(NORM_CHUNK, stored_length=12))
case("chunk-raw-length-30", "read", "raw length", "30 of 32 bytes", chunk(PROJ_CHUNK, raw_length=30))
case("chunk-raw-length-max", "read", "raw length", "2^32 - 1", chunk(PROJ_CHUNK, raw_length=(1 << 32) - 1))
case("chunk-raw-length-of-raw", "read", "raw length", "12 of 16 bytes", chunk(NORM_CHUNK, raw_length=12))
case("chunks-uneven", "read", "raw length", "first chunk 32 bytes short, second 32 too long; the frames agree",
     lambda k: two_chunks(k, (1 << 19) - 16))  # fmt: skip
case(
    "run-broken",
    "read",
    "offset",
    "the raw chunk lies elsewhere than the run",
    lambda k: k.store(NORM_CHUNK, b"\1" * 16, b"\1" * 16),
)
case("chunk-xxh3", "read", "xxh3", "a stored byte of a packed chunk changed",
     lambda k: (k.chunks[PROJ_CHUNK].update(xxh3=xxh3(bytes(k.content[16448:16491]))), k.content.__setitem__(16490, 0)))  # fmt: skip
case("raw-byte", "verify", "norm.weight", "a byte of a raw tensor changed; reading without a copy may not notice",
     lambda k: (k.chunks[NORM_CHUNK].update(xxh3=xxh3(bytes(k.content[16384:16400]))), k.content.__setitem__(16399, 1)))  # fmt: skip

# Packed chunks and frames. Plane 0 of proj.weight is 16 times 7F, plane 1 sixteen different bytes.

PLANE_0, PLANE_1 = rle_frame(0x7F, 16), frame(raw_block(bytes(range(16))), 16)


def stored(content: bytes) -> Callable[[Kist], None]:
    return lambda k: k.store(PROJ_CHUNK, content)


def plane_0(content: bytes) -> Callable[[Kist], None]:
    return stored(packed_chunk(content, PLANE_1))


def table(*lengths: int) -> Callable[[Kist], None]:
    return stored(struct.pack("<2I", *lengths) + PLANE_0 + PLANE_1)


L0, L1 = len(PLANE_0), len(PLANE_1)
SKIPPABLE = bytes.fromhex("502A4D1804000000") + b"skip"
BOMB = b"".join(rle_block(0x7F, 1 << 17, last=False) for _ in range(4096)) + rle_block(0x7F, 1)

case("planes-short", "read", "plane", "the lengths leave a byte", table(L0, L1 - 1))
case("planes-long", "read", "plane", "the lengths need a byte more", table(L0, L1 + 1))
case("planes-wrap", "read", "plane", "the lengths add up modulo 2^32", table((1 << 32) - 1, L0 + L1 + 1))
case("planes-shifted", "read", "frame", "plane 0 has a byte of plane 1", table(L0 + 1, L1 - 1))
case("plane-empty", "read", "frame", "plane 0 has no bytes", stored(packed_chunk(b"", PLANE_1)))
case("frame-garbage", "read", "frame", "64 random bytes", plane_0(random.Random(1).randbytes(64)))
case("frame-garbage-block", "read", "frame", "a right header, then a block of random bytes",
     plane_0(frame(struct.pack("<I", 1 | 2 << 1 | 60 << 3)[:3] + random.Random(2).randbytes(60), 16)))  # fmt: skip
case("frame-states-1-tib", "read", "frame", "states 2^40 bytes, holds 16", plane_0(frame(rle_block(0x7F, 16), 1 << 40)))
case("frame-states-max", "read", "frame", "states 2^64 - 3 bytes", plane_0(frame(rle_block(0x7F, 16), (1 << 64) - 3)))
case("frame-bomb", "read", "frame", "states no size, holds 512 MiB in 16 KiB", plane_0(frame(BOMB, None)))
case("frame-bomb-states-16", "read", "frame", "states 16 bytes, holds 512 MiB", plane_0(frame(BOMB, 16)))
case("frame-17", "read", "frame", "holds 17 bytes and says so", plane_0(rle_frame(0x7F, 17)))
case("frame-17-unstated", "read", "frame", "holds 17 bytes, states no size", plane_0(frame(rle_block(0x7F, 17), None)))
case("frame-15", "read", "frame", "holds 15 bytes and says so", plane_0(rle_frame(0x7F, 15)))
case("frame-15-unstated", "read", "frame", "holds 15 bytes, states no size", plane_0(frame(rle_block(0x7F, 15), None)))
case("frame-15-states-16", "read", "frame", "holds 15 bytes, states 16", plane_0(frame(rle_block(0x7F, 15), 16)))
case("frame-0", "read", "frame", "holds nothing", plane_0(frame(raw_block(b""), 0)))
case("frames-two", "read", "frame", "two frames of 8 bytes in one plane", plane_0(rle_frame(0x7F, 8) * 2))
case("frame-then-empty-frame", "read", "frame", "the right frame, then one that holds nothing",
     plane_0(PLANE_0 + frame(raw_block(b""), 0)))  # fmt: skip
case("frame-trailing", "read", "frame", "the right frame, then a byte", plane_0(PLANE_0 + b"\0"))
case("frame-skippable-before", "read", "frame", "a skippable frame first", plane_0(SKIPPABLE + PLANE_0))
case("frame-skippable-after", "read", "frame", "a skippable frame last", plane_0(PLANE_0 + SKIPPABLE))
case("frame-skippable", "read", "frame", "a skippable frame of 16 bytes alone",
     plane_0(bytes.fromhex("502A4D1810000000") + b"\x7f" * 16))  # fmt: skip
case(
    "frame-dictionary",
    "read",
    "frame",
    "names dictionary 5",
    plane_0(bytes.fromhex("28B52FFD 21 05 10") + rle_block(0x7F, 16)),
)
case("frame-checksum", "read", "frame", "its own checksum is wrong",
     plane_0(bytes.fromhex("28B52FFD 24 10") + rle_block(0x7F, 16) + b"\0\0\0\0"))  # fmt: skip
case("frame-cut", "read", "frame", "ends inside its last block", plane_0(frame(raw_block(b"\x7f" * 16), 16)[:-1]))
case(
    "frame-no-last-block", "read", "frame", "no block is the last", plane_0(frame(rle_block(0x7F, 16, last=False), 16))
)
case(
    "frame-of-record",
    "read",
    "frame",
    "kist:metadata: 40 of 41 bytes",
    lambda k: k.store(METADATA_CHUNK, packed_chunk(rle_frame(32, 40))),
)

# Block planes. Two blocks of Q4_0: a 16-bit scale and 16 bytes of quants each, so planes of 2, 2 and 32 bytes.


def block_planes(*frames: bytes, incompatible: int = HAS_BLOCK_PLANES, **changes: object) -> Callable[[Kist], None]:
    """Makes proj.weight two blocks that are all zero; their planes are these frames, or right."""
    content = packed_chunk(*(frames or (rle_frame(0, 2), rle_frame(0, 2), rle_frame(0, 32))))
    blocks = {"dtype": Q4_0, "transform": BLOCK_PLANES, "raw_length": 36, "raw_bytes_per_chunk": MIB // 18 * 18}
    return all_of(
        dims(PROJ, 2, 32, **blocks | changes),
        lambda k: k.store(PROJ_CHUNK, content, bytes(36)),
        slot(incompatible=incompatible),
    )


case("block-planes-unsaid", "open", "transform", "the slot has no bit for them", block_planes(incompatible=0))
case("block-planes-of-bf16", "open", "transform", "BF16 has no blocks",
     all_of(entry(PROJ, transform=BLOCK_PLANES), slot(incompatible=HAS_BLOCK_PLANES)))  # fmt: skip
case("planes-of-q4-0", "open", "transform", "planes of a block type", block_planes(transform=PLANES))
case("float-planes-of-q4-0", "open", "transform", "float planes of a block type", block_planes(transform=FLOAT_PLANES))
case("block-planes-unknown", "open", "transform", "of an unknown dtype", block_planes(dtype=UNKNOWN))
case("block-planes-two", "read", "plane", "two of the three planes", block_planes(rle_frame(0, 4), rle_frame(0, 32)))
case("block-planes-equal", "read", "plane", "three planes of 12 bytes", block_planes(*[rle_frame(0, 12)] * 3))
case("block-planes-turned", "read", "plane", "the quants first, though all add up",
     block_planes(rle_frame(0, 32), rle_frame(0, 2), rle_frame(0, 2)))  # fmt: skip
case("block-planes-31", "read", "plane", "the last plane holds 31 of 32 bytes",
     block_planes(rle_frame(0, 2), rle_frame(0, 2), rle_frame(0, 31)))  # fmt: skip
case("block-planes-cut", "read", "plane", "the last plane ends inside its frame",
     block_planes(rle_frame(0, 2), rle_frame(0, 2), frame(raw_block(bytes(32)), 32)[:-1]))  # fmt: skip
case("block-planes-swapped", "verify", "leaf", "high and low bytes of the scales changed places",
     block_planes(rle_frame(1, 2), rle_frame(0, 2), rle_frame(0, 32)))  # fmt: skip

# What only a full verification sees.


def flip_leaf(at: int) -> Callable[[Kist], None]:
    return lambda k: k.chunks[at].update(leaf=bytes(32))


case("leaf-packed", "verify", "leaf", "0", flip_leaf(PROJ_CHUNK))
case("leaf-raw", "verify", "leaf", "0", flip_leaf(NORM_CHUNK))
case("digest-entry", "verify", "digest", "0", entry(PROJ, digest=bytes(32)))
case("digest-weights", "verify", "weights digest", "0", root(weights_digest=bytes(32)))
case("digest-package", "verify", "package digest", "0", root(package_digest=bytes(32)))

ASSET_RUN, NAMES_BLOCK, ROOT_OFFSET = 16512, 17664, 17856


def norm_over(offset: int, length: int = 16) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        content = bytes(k.content[offset : offset + length])
        if offset == NAMES_BLOCK:
            content = bytes(k.names[:length])
        if offset == ROOT_OFFSET:  # the set id
            content = bytes(length)
            k.chunks[NORM_CHUNK]["xxh3"] = xxh3(content)
        k.raw_at(NORM, NORM_CHUNK, offset, content)
        k.entries[NORM]["dtype"] = U8
        k.shape(NORM, length)

    return change


def two_transforms(k: Kist) -> None:
    k.chunks[NORM_CHUNK] = dict(k.chunks[PROJ_CHUNK])
    plane_1 = bytes(k.content[16475:16491])
    raw = b"".join(bytes([low, 0x7F]) for low in plane_1)
    k.chunks[NORM_CHUNK]["leaf"] = sha256(raw).digest()
    dims(NORM, 16, dtype=BF16, transform=PLANES, codec=ZSTD, run=0, raw_length=32)(k)


case("overlap-inside", "verify", "overlap", "norm.weight lies inside the asset's run", norm_over(ASSET_RUN + 64))
case(
    "overlap-same-start",
    "verify",
    "overlap",
    "norm.weight is the first 16 bytes of the asset's run",
    norm_over(ASSET_RUN),
)
case(
    "overlap-tail", "verify", "overlap", "norm.weight begins in the asset's run and ends after it", norm_over(16640, 56)
)
case("overlap-raw-packed", "verify", "overlap", "norm.weight is the packed bytes of proj.weight", norm_over(16448, 43))
case("overlap-transforms", "verify", "overlap", "one packed chunk, read as planes and as float planes", two_transforms)
case(
    "overlap-block", "verify", "overlap", "norm.weight is the first 16 bytes of the names block", norm_over(NAMES_BLOCK)
)
case("overlap-root", "verify", "overlap", "norm.weight is the first 16 bytes of the root", norm_over(ROOT_OFFSET))

PUBLIC_KEY = bytes(range(32))
KEY_NAME = sha256(PUBLIC_KEY).hexdigest()[:16]


def signature(name: str, content: bytes) -> Callable[[Kist], None]:
    return lambda k: k.add(f"kist:signature/{name}", RECORD, content)


case("signature-short", "verify", "signature", "95 bytes", signature(KEY_NAME, PUBLIC_KEY + bytes(63)))
case("signature-name", "verify", "signature", "named for another key", signature("0" * 16, PUBLIC_KEY + bytes(64)))
case(
    "signature-wrong",
    "verify",
    "signature",
    "64 zeros; finding it takes Ed25519",
    signature(KEY_NAME, PUBLIC_KEY + bytes(64)),
)

# Sets.

SET = {"set id": bytes(range(16)), "shard number": 2, "shards": 3}
MANIFEST = b'{"kind":"shards","count":3,"source":"","writer":"","options":{}}'


def in_set(manifest: bytes | None) -> Callable[[Kist], None]:
    def change(k: Kist) -> None:
        if manifest is not None:
            k.add("kist:manifest", RECORD, manifest)
        k.fix_root = lambda fields: fields.update(SET)

    return change


case("set-id-alone", "open", "set", "an id without number and count", root(set_id=bytes(range(16))))
case("set-number-4-of-3", "open", "shard number", "4 of 3", root(set_id=bytes(range(16)), shard_number=4, shards=3))
case("set-without-manifest", "verify", "manifest", "shard 2 of 3, and no manifest", in_set(None))
case("set-id-of-another", "verify", "set id", "not of its manifest", in_set(MANIFEST))

# Cut files.

for _length in (0, 8, 9, 100, 4096, 8192, 12288, 16383, 16384, 16448, 17152, 17856, END - 1):
    case(f"cut-{_length:05}", "open", "length", f"the first {_length} bytes",
         lambda k, length=_length: setattr(k, "fix_file", lambda out: out.__delitem__(slice(length, None))))  # fmt: skip


LEFT_OUT = set(
    """
    magic-tail version-0 file-length-0 root-length-95 root-length-overflow slot-incompatible-1 slot-generation-0
    block-count-5 block-count-516 block-kind-0 block-second-dims block-record-count-max block-xxh3-names block-xxh3-dims
    name-cut name-length-65536 kind-0 transform-255 dims-index-max first-chunk-max chunk-raw-length-max run-off-page
    empty-with-chunks-block planes-long stored-length-7 frame-states-max frame-bomb-states-16 frame-15 frame-0
    frame-skippable-after frame-no-last-block cut-00008 cut-00100 cut-04096 cut-12288 cut-16448 cut-17856
    overlap-same-start frame-17-unstated transform-of-record leaf-raw cut-00009 stored-length-of-raw signature-short
    planes-shifted frame-garbage empty-with-first-chunk block-length
    planes-of-q4-0 float-planes-of-q4-0 block-planes-unknown block-planes-two block-planes-equal block-planes-31
    block-planes-swapped
""".split()
)


def write(folder: Path, left_out: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.kist"):
        old.unlink()
    rows = ["file\tstage\twords\tnote"]
    seen: dict[bytes, str] = {}
    for name, stage, words, note, change in CASES:
        kist = Kist()
        change(kist)
        content = kist.build()
        assert content != kist.original and content not in seen, f"{name} is the same file as {seen.get(content)}"
        seen[content] = name
        if name not in left_out:
            (folder / f"{name}.kist").write_bytes(content)
            rows.append(f"{name}.kist\t{stage}\t{words}\t{note}")
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    assert Kist().build() == Kist().original and len(Kist().original) == END
    assert LEFT_OUT <= {name for name, *_ in CASES}
    if sys.argv[1:2] == ["--all"]:
        write(Path(sys.argv[2]), set())
    else:
        write(FOLDER, LEFT_OUT)
