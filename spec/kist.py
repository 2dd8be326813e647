"""An independent reader of Kist files, made from kist-format.md alone.

    tensors = kist.load_file("model.kist")          # {name: numpy array}
    problems = kist.verify("model.kist")            # [] when every byte is as it was written

    python spec/kist.py FILE                        # list the entries
    python spec/kist.py --verify FILE               # exit status 0 or 1

It favours being read over speed. Needs numpy, ml_dtypes, zstandard, xxhash; signatures are checked when `cryptography`
can be imported. Section names in the comments are those of kist-format.md.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import struct
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import zstandard
from xxhash import xxh3_64_intdigest as xxh3

MAGIC = bytes.fromhex("894B4953540D0A1A0A00000000000000")
BODY = 16384
MIB = 1 << 20
MAX_ROOT = 65536
MAX_CHUNK_BLOCKS = 512
MAX_STORED = MIB + (64 << 10)

HEAD = struct.Struct("<16sI4068sQ")
SLOT = struct.Struct("<QQQQQQQ32s4000sQ")
ROOT = struct.Struct("<16sIIII32s32s")
BLOCK = struct.Struct("<IIQQQQ32s")
ENTRY = struct.Struct("<QIBBBBHHIIIQIIQQ32s")
CHUNK = struct.Struct("<QIIQQ32s")

ENTRIES, NAMES, DIMS, CHUNKS = 1, 2, 3, 4
BLOCKS = {ENTRIES: ("entries", ENTRY.size), NAMES: ("names", 1), DIMS: ("dims", 8), CHUNKS: ("chunks", CHUNK.size)}
TENSOR, ASSET, RECORD = 1, 2, 3
KINDS = {TENSOR: "tensor", ASSET: "asset", RECORD: "record"}
NO_TRANSFORM, PLANES, FLOAT_PLANES, BLOCK_PLANES = 0, 1, 2, 3
HAS_BLOCK_PLANES = 1  # the one incompatible feature
RAW, ZSTD = 0, 1


class Field(NamedTuple):
    """Numbers side by side, of which the transforms make planes."""

    width: int  # bytes of a number
    count: int


class Dtype(NamedTuple):
    name: str
    bits: int  # per element; 0 where elements share scales
    unit: int  # bytes: the least that holds whole elements, or a block
    component: int  # bytes: what the transforms take apart
    numpy: Any  # None: blocks are given as rows of bytes
    block: int = 0  # elements of a block
    fields: tuple[Field, ...] = ()  # of a block

    @property
    def elements(self) -> int:
        """Elements of a unit."""
        return self.block or 8 * self.unit // self.bits


DTYPES = {
    1: Dtype("BOOL", 8, 1, 1, np.bool_),
    2: Dtype("U8", 8, 1, 1, np.uint8),
    3: Dtype("I8", 8, 1, 1, np.int8),
    4: Dtype("U16", 16, 2, 2, "<u2"),
    5: Dtype("I16", 16, 2, 2, "<i2"),
    6: Dtype("U32", 32, 4, 4, "<u4"),
    7: Dtype("I32", 32, 4, 4, "<i4"),
    8: Dtype("U64", 64, 8, 8, "<u8"),
    9: Dtype("I64", 64, 8, 8, "<i8"),
    16: Dtype("F16", 16, 2, 2, "<f2"),
    17: Dtype("BF16", 16, 2, 2, ml_dtypes.bfloat16),
    18: Dtype("F32", 32, 4, 4, "<f4"),
    19: Dtype("F64", 64, 8, 8, "<f8"),
    20: Dtype("C64", 64, 8, 4, "<c8"),
    32: Dtype("F8_E4M3", 8, 1, 1, ml_dtypes.float8_e4m3fn),
    33: Dtype("F8_E5M2", 8, 1, 1, ml_dtypes.float8_e5m2),
    34: Dtype("F8_E8M0", 8, 1, 1, ml_dtypes.float8_e8m0fnu),
    35: Dtype("F8_E4M3FNUZ", 8, 1, 1, ml_dtypes.float8_e4m3fnuz),
    36: Dtype("F8_E5M2FNUZ", 8, 1, 1, ml_dtypes.float8_e5m2fnuz),
    40: Dtype("F6_E2M3", 6, 3, 1, ml_dtypes.float6_e2m3fn),
    41: Dtype("F6_E3M2", 6, 3, 1, ml_dtypes.float6_e3m2fn),
    42: Dtype("F4", 4, 1, 1, ml_dtypes.float4_e2m1fn),
}
# GGML's block types: ggml_type, elements of a block, its fields as the page writes them.
BLOCK_TYPES = {
    "Q4_0": (2, 32, "2 16×1"),
    "Q4_1": (3, 32, "2 2 16×1"),
    "Q5_0": (6, 32, "2 4×1 16×1"),
    "Q5_1": (7, 32, "2 2 4×1 16×1"),
    "Q8_0": (8, 32, "2 32×1"),
    "Q8_1": (9, 32, "2 2 32×1"),
    "Q2_K": (10, 256, "16×1 64×1 2 2"),
    "Q3_K": (11, 256, "32×1 64×1 8×1 4×1 2"),
    "Q4_K": (12, 256, "2 2 4×1 4×1 4×1 128×1"),
    "Q5_K": (13, 256, "2 2 4×1 4×1 4×1 32×1 128×1"),
    "Q6_K": (14, 256, "128×1 64×1 16×1 2"),
    "Q8_K": (15, 256, "4 256×1 16×2"),
    "IQ2_XXS": (16, 256, "2 8×8"),
    "IQ2_XS": (17, 256, "2 32×2 8×1"),
    "IQ3_XXS": (18, 256, "2 64×1 8×4"),
    "IQ1_S": (19, 256, "2 32×1 8×2"),
    "IQ4_NL": (20, 32, "2 16×1"),
    "IQ3_S": (21, 256, "2 64×1 8×1 32×1 4×1"),
    "IQ2_S": (22, 256, "2 32×1 32×1 8×1 8×1"),
    "IQ4_XS": (23, 256, "2 2×1 4×1 128×1"),
    "IQ1_M": (29, 256, "32×1 16×1 8"),
    "TQ1_0": (34, 256, "48×1 4×1 2"),
    "TQ2_0": (35, 256, "64×1 2"),
    "MXFP4": (39, 32, "1 16×1"),
    "NVFP4": (40, 64, "4×1 32×1"),
    "Q1_0": (41, 128, "2 16×1"),
    "Q2_0": (42, 64, "2 16×1"),
}


def block_dtype(name: str, elements: int, text: str) -> Dtype:
    pairs = [field.split("×") for field in text.split()]
    fields = tuple(Field(int(width), int(*count or "1")) for *count, width in pairs)
    return Dtype(name, 0, sum(width * count for width, count in fields), 1, None, elements, fields)


DTYPES |= {256 + kind: block_dtype(name, count, fields) for name, (kind, count, fields) in BLOCK_TYPES.items()}
ROTATED = {"F16", "BF16", "F32", "F64", "C64"}  # the dtypes that float planes are for
BYTES = Dtype("-", 8, 1, 1, np.uint8)


class KistError(Exception):
    """What is wrong (`message`), in which field of which file."""

    def __init__(self, file: str, field: str, message: str):
        super().__init__(f"{file}: {field}: {message}")
        self.file, self.field, self.message = file, field, message


class Slot(NamedTuple):
    generation: int
    incompatible: int
    read_only_compatible: int
    compatible: int
    file_length: int
    root_offset: int
    root_length: int
    root_digest: bytes


class Block(NamedTuple):
    label: str
    record_count: int
    offset: int
    length: int
    digest: bytes


class Chunk(NamedTuple):
    offset: int
    stored_length: int
    raw_length: int
    xxh3: int
    leaf: bytes


class Entry(NamedTuple):
    name: str
    shape: tuple[int, ...]
    name_offset: int  # from here on, the fields of an entry record in their order
    name_length: int
    kind: int
    transform: int
    codec: int
    rank: int
    dtype: int
    chunk_block: int
    ordinal: int
    first_dim: int
    first_chunk: int
    raw_length: int
    chunk_length: int  # raw bytes per chunk
    chunk_count: int
    run: int
    reserved: int
    digest: bytes

    @property
    def type(self) -> Dtype:
        return DTYPES.get(self.dtype, BYTES)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the transform takes apart (Transforms)."""
        if self.transform == BLOCK_PLANES:
            return self.type.fields
        return (Field(self.type.component if self.transform != NO_TRANSFORM else 1, 1),)

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name!r}"


class KistFile:
    """An opened file: the head, the slots, the root and every index block have been checked; content has not."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        try:
            with open(self.path, "rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""
        except OSError as error:
            raise KistError(self.path, "file", error.strerror or str(error)) from error
        self._data = memoryview(self._map)
        self.damaged_slots: list[str] = []
        self._check_head()
        self.slot = self._slot_in_force()
        self.blocks = self._read_root()
        self.entries = self._read_entries()
        self.tensors, self.assets, self.records = ([e for e in self.entries if e.kind == kind] for kind in KINDS)

    def find(self, name: str, kind: int) -> Entry | None:
        return next((entry for entry in self.entries if (entry.name, entry.kind) == (name, kind)), None)

    def metadata(self) -> dict[str, dict[str, Any]]:
        """The members of `kist:metadata`, in order: `{key: {"type": …, "value": …}}`."""
        return self._json_record("kist:metadata")

    def provenance(self) -> dict[str, Any]:
        return self._json_record("kist:provenance")

    def read(self, entry: Entry) -> bytes:
        """The content of an entry; its chunks are checked against their XXH3, not against their SHA-256."""
        return b"".join(self._unpacked(entry, at, chunk) for at, chunk in enumerate(self._chunks(entry)))

    def array(self, entry: Entry) -> np.ndarray[Any, Any]:
        """A tensor as a read-only array, one element to an item also for F6 and F4.

        Bytes for an unknown dtype; for a block type bytes too, one block to a row."""
        content = np.frombuffer(self.read(entry), np.uint8)
        if entry.dtype not in DTYPES:
            return content
        kind = entry.type
        values: np.ndarray[Any, Any]
        if kind.numpy is None:
            return content.reshape(-1, kind.unit)
        if kind.name == "BOOL":
            values = content != 0
        elif kind.bits < 8:
            values = unpack_bits(content, kind.bits).view(kind.numpy)
        else:
            values = content.view(kind.numpy)
        try:
            return values.reshape(entry.shape)
        except (ValueError, OverflowError) as error:  # such as 0 × 2⁶², which is well-formed but not for numpy
            raise KistError(self.path, f"{entry}: dims", f"numpy has no shape {entry.shape}") from error

    def content_digests(self) -> tuple[bytes, bytes]:
        """The weights digest and the package digest that follow from the entries (Digests)."""
        weights, package = sha256(), sha256()
        for entry in self.entries:
            name = entry.name.encode()
            text = struct.pack("<I", len(name)) + name
            text += struct.pack(f"<BHI{len(entry.shape)}Q", entry.kind, entry.dtype, len(entry.shape), *entry.shape)
            if entry.kind == TENSOR:
                weights.update(text + entry.digest)
            if not (entry.kind == RECORD and entry.name.startswith("kist:signature/")):
                package.update(text + entry.digest)
        return weights.digest(), package.digest()

    def verify(self) -> list[KistError]:
        """Everything that opening did not check: all content, every SHA-256, overlaps, digests, signatures."""
        problems = [KistError(self.path, name, "damaged; the other slot is in force") for name in self.damaged_slots]

        def check(good: bool, field: str, message: str) -> None:
            if not good:
                problems.append(KistError(self.path, field, message))

        for block in self.blocks:
            stored = self._data[block.offset : block.offset + block.length]
            check(sha256(stored).digest() == block.digest, f"{block.label} block: SHA-256", "does not match the block")
        for entry in self.entries:
            leaves = sha256()
            try:
                for at, chunk in enumerate(self._chunks(entry)):
                    leaves.update(chunk.leaf)
                    leaf = sha256(self._unpacked(entry, at, chunk)).digest()
                    check(leaf == chunk.leaf, f"{entry}: chunk {at}: leaf", "SHA-256 does not match the raw bytes")
            except KistError as error:
                problems.append(error)
            else:
                check(leaves.digest() == entry.digest, f"{entry}: digest", "does not match the leaves")
        weights, package = self.content_digests()
        check(weights == self.weights_digest, "root: weights digest", "does not match the tensors")
        check(package == self.package_digest, "root: package digest", "does not match the entries")
        problems += self._overlaps()
        for check_record in (self.metadata, self.provenance, self._check_signatures, self._check_manifest):
            try:
                check_record()
            except KistError as error:
                problems.append(error)
        return problems

    # Opening, in the order of the page.

    def _need(self, good: bool, field: str, message: str) -> None:
        if not good:
            raise KistError(self.path, field, message)

    def _of(self, owner: str) -> Callable[[bool, str, str], None]:
        """`_need` for the fields of one thing."""
        return lambda good, field, message: self._need(good, f"{owner}: {field}", message)

    def _check_head(self) -> None:
        start = bytes(self._data[: len(MAGIC)])
        self._need(MAGIC.startswith(start), "head: magic", "not a Kist file, or one changed by a text-mode transfer")
        self._need(self.size >= BODY, "file length", f"{self.size} bytes; a Kist file has at least {BODY}")
        _, version, reserved, checksum = HEAD.unpack_from(self._data)
        self._need(version == 1, "head: format version", f"{version}; this reader knows version 1")
        self._need(not any(reserved), "head: reserved", "bytes that are not zero")
        self._need(checksum == xxh3(self._data[:4088]), "head: XXH3", "does not match the head")
        self._need(not any(self._data[12288:BODY]), "reserved", "bytes 12288..<16384 are not zero")

    def _slot_in_force(self) -> Slot:
        valid: list[Slot] = []
        for label, start in (("slot A", 4096), ("slot B", 8192)):
            page = self._data[start : start + 4096]
            *fields, reserved, checksum = SLOT.unpack(page)
            slot = Slot(*fields)
            if checksum == xxh3(page[:4088]) and not any(reserved) and slot.generation != 0:
                valid.append(slot)
            elif any(page):
                self.damaged_slots.append(label)
        self._need(bool(valid), "slot", f"none is valid; damaged: {self.damaged_slots}")
        self._need(len({slot.generation for slot in valid}) == len(valid), "slot: generation", "the same in both slots")
        slot = max(valid)
        unknown = slot.incompatible & ~HAS_BLOCK_PLANES
        self._need(unknown == 0, "slot: incompatible features", f"{unknown:#x}: unknown here")
        fits = BODY <= slot.file_length <= self.size
        self._need(fits, "slot: file length", f"{slot.file_length}; the file has {self.size}")
        return slot

    def _within(self, offset: int, length: int) -> bool:
        """Whether a range lies in the committed body."""
        return BODY <= offset and offset + length <= self.slot.file_length

    def _read_root(self) -> list[Block]:
        _, _, _, _, _, offset, length, digest = self.slot
        self._need(self._within(offset, length), "slot: root", f"{offset} + {length} lies outside the committed body")
        self._need(offset % 64 == 0, "slot: root offset", f"{offset} is not a multiple of 64")
        self._need(ROOT.size <= length <= MAX_ROOT, "slot: root length", f"{length} is not in {ROOT.size}...{MAX_ROOT}")
        root = self._data[offset : offset + length]
        self._need(sha256(root).digest() == digest, "root: SHA-256", "does not match the root")
        self.set_id, self.shard, self.shards, count, reserved, weights, package = ROOT.unpack_from(root)
        self.weights_digest, self.package_digest = weights, package
        self._need(reserved == 0, "root: reserved", "bytes that are not zero")
        in_set = self.shards != 0
        self._need(in_set == any(self.set_id) == (self.shard != 0), "root: set id", "half part of a set")
        self._need(self.shard <= self.shards, "root: shard number", f"{self.shard} of {self.shards}")
        self._need(length == ROOT.size + count * BLOCK.size, "root: block count", f"{count} in {length} bytes")
        self._need(3 <= count <= 3 + MAX_CHUNK_BLOCKS, "root: block count", f"{count} is not in 3...515")
        return [self._read_block(root, at) for at in range(count)]

    def _read_block(self, root: memoryview, at: int) -> Block:
        kind, reserved, count, offset, length, checksum, digest = BLOCK.unpack_from(root, ROOT.size + at * BLOCK.size)
        label, record_size = BLOCKS[min(at + 1, CHUNKS)]
        if at >= 3:
            label += f" {at - 3}"
        need = self._of(f"{label} block")
        need(kind == min(at + 1, CHUNKS), "kind", f"{kind} in place {at} of the root")
        need(reserved == 0, "reserved", "bytes that are not zero")
        need(length == count * record_size, "length", f"{length} is not {count} records of {record_size}")
        need(offset % 64 == 0, "offset", f"{offset} is not a multiple of 64")
        inside = self._within(offset, length) if length else offset == 0
        need(inside, "offset", f"{offset} + {length} lies outside the committed body")
        need(checksum == xxh3(self._data[offset : offset + length]), "XXH3", "does not match the block")
        return Block(label, count, offset, length, digest)

    # Entries.

    def _read_entries(self) -> list[Entry]:
        entries: list[Entry] = []
        last: tuple[bytes, int] = (b"", 0)
        for at in range(self.blocks[0].record_count):
            fields = ENTRY.unpack_from(self._data, self.blocks[0].offset + at * ENTRY.size)
            entry = Entry("", (), *fields)
            name = self._name(f"entry {at}", entry)
            entry = entry._replace(name=str(name, "utf-8"))
            self._check_packing(entry)
            entry = entry._replace(shape=self._shape(entry))
            self._check_content(entry)
            self._need((name, entry.kind) != last, f"{entry}: name", "stands twice")
            self._need((name, entry.kind) > last, f"{entry}: name", "not sorted: the one before it is greater")
            last = (name, entry.kind)
            entries.append(entry)
        return entries

    def _name(self, field: str, entry: Entry) -> bytes:
        offset, length, block = entry.name_offset, entry.name_length, self.blocks[1]
        self._need(entry.kind in KINDS, f"{field}: kind", f"{entry.kind} is unknown")
        self._need(1 <= length <= 65535, f"{field}: name length", f"{length} is not in 1...65535")
        inside = offset + length <= block.length
        self._need(inside, f"{field}: name", f"{offset} + {length} lies outside the names block")
        name = bytes(self._data[block.offset + offset : block.offset + offset + length])
        try:
            name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise KistError(self.path, f"{field}: name", "not valid UTF-8") from error
        return name

    def _check_packing(self, entry: Entry) -> None:
        kind, transform, codec, dtype, type = entry.kind, entry.transform, entry.codec, entry.dtype, entry.type
        need = self._of(str(entry))
        need(entry.reserved == 0, "reserved", "bytes that are not zero")
        need(transform <= BLOCK_PLANES, "transform", f"{transform} is unknown")
        need(codec in (RAW, ZSTD), "codec", f"{codec} is unknown")
        need(codec == ZSTD or transform == NO_TRANSFORM, "transform", f"{transform} with codec raw")
        need((kind == TENSOR) == (dtype != 0), "dtype", f"{dtype} in an entry of this kind")
        if transform != NO_TRANSFORM:
            need(kind == TENSOR, "transform", f"{transform} in an entry of this kind")
            need(dtype in DTYPES, "dtype", f"{dtype} is unknown, and the content is transformed")
        if transform in (PLANES, FLOAT_PLANES):
            need(type.component > 1, "transform", f"{transform} with components of one byte")
            need(transform == PLANES or type.name in ROTATED, "transform", f"float planes of {type.name}")
        if transform == BLOCK_PLANES:
            need(bool(type.fields), "transform", f"block planes of {type.name}")
            need(self.slot.incompatible & HAS_BLOCK_PLANES != 0, "transform", "block planes, which the slot does not say")

    def _shape(self, entry: Entry) -> tuple[int, ...]:
        first, rank, type, block = entry.first_dim, entry.rank, entry.type, self.blocks[2]
        need = self._of(str(entry))
        need(rank <= 64, "rank", f"{rank} is over 64")
        need(rank == 0 or entry.kind == TENSOR, "rank", f"{rank} in an entry of this kind")
        need(rank > 0 or first == 0, "dims", f"index {first} with rank 0")
        need(first + rank <= block.record_count, "dims", f"{first} + {rank} lies outside the dims block")
        shape = struct.unpack_from(f"<{rank}Q", self._data, block.offset + 8 * first)
        product = 1
        for dim in shape:
            product *= dim
            need(max(product, dim) < 1 << 63, "dims", "they or their product reach 2⁶³")
        fits = product % type.elements == 0 and product // type.elements * type.unit == entry.raw_length
        need(fits or entry.dtype not in DTYPES, "raw length", f"{entry.raw_length} for {list(shape)} of {type.name}")
        return shape

    def _check_content(self, entry: Entry) -> None:
        raw_length, chunk_length, chunk_count, run = entry.raw_length, entry.chunk_length, entry.chunk_count, entry.run
        need = self._of(str(entry))
        expected = MIB // entry.type.unit * entry.type.unit
        known = entry.dtype in DTYPES or entry.dtype == 0
        need(1 <= chunk_length <= MIB, "raw bytes per chunk", f"{chunk_length} is not in 1...{MIB}")
        need(chunk_length == expected or not known, "raw bytes per chunk", f"{chunk_length} instead of {expected}")
        expected = -(-raw_length // chunk_length)
        need(chunk_count == expected, "chunk count", f"{chunk_count} instead of {expected}")
        need(entry.codec == RAW or run == 0, "run", f"{run} in an entry that is not raw")
        if chunk_count == 0:
            need(entry.codec == RAW, "codec", f"{entry.codec} in an empty entry")
            need(run == 0, "run", f"{run} in an empty entry")
            need(entry.chunk_block == entry.first_chunk == 0, "first chunk", "not 0 in an empty entry")
            return
        blocks = self.blocks[3:]
        need(entry.chunk_block < len(blocks), "chunks block", f"{entry.chunk_block} of {len(blocks)}")
        inside = entry.first_chunk + chunk_count <= blocks[entry.chunk_block].record_count
        need(inside, "first chunk", f"{entry.first_chunk} + {chunk_count} lies outside the chunks block")
        if entry.codec == RAW:
            alignment = 16384 if entry.kind == TENSOR and raw_length >= 65536 else 64
            need(run % alignment == 0, "run", f"{run} is not a multiple of {alignment}")
            need(self._within(run, raw_length), "run", f"{run} + {raw_length} lies outside the committed body")

    # Chunks, as they are read.

    def _chunks(self, entry: Entry) -> Iterator[Chunk]:
        """The chunk records of an entry, checked."""
        run, left = entry.run, entry.raw_length
        for at in range(entry.chunk_count):
            record = self.blocks[3 + entry.chunk_block].offset + (entry.first_chunk + at) * CHUNK.size
            offset, stored, raw, checksum, reserved, leaf = CHUNK.unpack_from(self._data, record)
            expected = min(left, entry.chunk_length)
            need = self._of(f"{entry}: chunk {at}")
            need(reserved == 0, "reserved", "bytes that are not zero")
            need(raw == expected, "raw length", f"{raw} instead of {expected}")
            need(stored <= MAX_STORED, "stored length", f"{stored} is over {MAX_STORED}")
            need(self._within(offset, stored), "offset", f"{offset} + {stored} lies outside the body")
            if entry.codec == RAW:
                need(stored == raw, "stored length", f"{stored} instead of {raw}")
                need(offset == run, "offset", f"{offset} leaves the run, which is at {run}")
            else:
                need(offset % 64 == 0, "offset", f"{offset} is not a multiple of 64")
            yield Chunk(offset, stored, raw, checksum, leaf)
            run += raw
            left -= raw

    def _unpacked(self, entry: Entry, at: int, chunk: Chunk) -> bytes | memoryview:
        """The raw bytes of a chunk."""
        field = f"{entry}: chunk {at}"
        stored = self._data[chunk.offset : chunk.offset + chunk.stored_length]
        self._need(xxh3(stored) == chunk.xxh3, f"{field}: XXH3", "does not match the stored bytes")
        if entry.codec == RAW:
            return stored
        fields = entry.fields
        units = chunk.raw_length // sum(width * count for width, count in fields)
        sizes = [units * count for width, count in fields for _ in range(width)]
        table = 4 * len(sizes)
        self._need(len(stored) >= table, f"{field}: stored length", f"{len(stored)} has no plane table")
        lengths = struct.unpack_from(f"<{len(sizes)}I", stored)
        whole = table + sum(lengths) == len(stored)
        self._need(whole, f"{field}: stored length of each plane", f"{list(lengths)} do not fill {len(stored)} bytes")
        planes, start = [], table
        for plane, (length, size) in enumerate(zip(lengths, sizes, strict=True)):
            planes.append(self._frame(f"{field}: plane {plane}", stored[start : start + length], size))
            start += length
        return join_planes(planes, fields, entry.transform == FLOAT_PLANES)

    def _frame(self, field: str, frame: memoryview, size: int) -> bytes:
        """The content of one zstd frame, known to be `size` bytes; never decodes more than that."""
        self._need(bytes(frame[:4]) == b"\x28\xb5\x2f\xfd", f"{field}: frame", "not a zstd frame")
        try:
            header = zstandard.get_frame_parameters(frame)
            self._need(header.dict_id == 0, f"{field}: frame", "needs a dictionary")
            stated = header.content_size
            unstated = stated == zstandard.CONTENTSIZE_UNKNOWN
            self._need(unstated or stated == size, f"{field}: frame", f"states {stated} bytes instead of {size}")
            content = zstandard.ZstdDecompressor().decompress(frame, max_output_size=size, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise KistError(self.path, f"{field}: frame", str(error)) from error
        self._need(len(content) == size, f"{field}: frame", f"holds {len(content)} bytes instead of {size}")
        return content

    # What only `verify` looks at.

    def _overlaps(self) -> list[KistError]:
        """Ranges that lie over one another without being shared."""
        ranges: dict[tuple[Any, ...], str] = {}  # (start, end, what must agree to be shared): who
        ranges[self.slot.root_offset, self.slot.root_offset + self.slot.root_length, "root"] = "the root"
        for at, block in enumerate(self.blocks):
            if block.length:
                ranges[block.offset, block.offset + block.length, f"block {at}"] = f"the {block.label} block"
        for entry in self.entries:
            try:
                chunks = list(self._chunks(entry))
            except KistError:
                continue  # reported already
            if entry.codec == RAW and chunks:
                ranges.setdefault((entry.run, entry.run + entry.raw_length, "run"), str(entry))
            elif chunks:
                for at, (offset, stored, raw, *_) in enumerate(chunks):
                    packing = f"{raw} {entry.transform} {entry.fields}"
                    ranges.setdefault((offset, offset + stored, packing), f"{entry}: chunk {at}")
        problems, end, owner = [], 0, ""
        for (start, this_end, _), this in sorted(ranges.items()):
            if start < end:
                problems.append(KistError(self.path, this, f"overlap with {owner} at {start}"))
            if this_end > end:
                end, owner = this_end, this
        return problems

    def _check_signatures(self) -> None:
        for entry in self.records:
            if not entry.name.startswith("kist:signature/"):
                continue
            content = self.read(entry)
            self._need(len(content) == 96, f"{entry}: raw length", f"{len(content)} instead of 96")
            key, signature = content[:32], content[32:]
            expected = f"kist:signature/{sha256(key).hexdigest()[:16]}"
            self._need(entry.name == expected, f"{entry}: name", f"its public key makes it {expected!r}")
            try:
                from cryptography.exceptions import InvalidSignature
                from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            except ImportError:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, self.package_digest)
            except (InvalidSignature, ValueError) as error:
                raise KistError(self.path, f"{entry}: signature", "not one of this package digest") from error

    def _check_manifest(self) -> None:
        if self.shards == 0:
            return
        entry = self.find("kist:manifest", RECORD)
        self._need(entry is not None, "kist:manifest", "is not there, in a file of a set")
        assert entry is not None
        matches = sha256(self.read(entry)).digest()[:16] == self.set_id
        self._need(matches, "root: set id", "is not that of the manifest")

    def _json_record(self, name: str) -> dict[str, Any]:
        entry = self.find(name, RECORD)
        if entry is None:
            return {}
        try:
            value: Any = json.loads(self.read(entry).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise KistError(self.path, str(entry), f"not JSON: {error}") from error
        if not isinstance(value, dict):
            raise KistError(self.path, str(entry), "not a JSON object")
        return value


def join_planes(planes: list[bytes], fields: tuple[Field, ...], rotated: bool) -> bytes:
    """Undoes a transform, and the rotation of *float planes* (Transforms)."""
    columns, rest = [], iter(planes)
    for width, count in fields:
        parts = [np.frombuffer(next(rest), np.uint8) for _ in range(width)]
        # The first plane is the most significant byte, so the last byte of each little-endian number.
        numbers: np.ndarray[Any, Any] = np.stack(parts[::-1], axis=1).view(f"<u{width}")
        if rotated:
            numbers = (numbers >> 1) | (numbers << (8 * width - 1))
        columns.append(numbers.view(np.uint8).reshape(-1, count * width))
    return np.concatenate(columns, axis=1).tobytes()


def unpack_bits(content: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """Elements of 4 or 6 bits, the first in the lowest bits, as one byte each."""
    each = np.unpackbits(content, bitorder="little").reshape(-1, bits)
    return np.packbits(each, axis=1, bitorder="little").reshape(-1)


def load_file(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of a file, in the order of their source."""
    file = KistFile(path)
    return {entry.name: file.array(entry) for entry in sorted(file.tensors, key=lambda entry: entry.ordinal)}


def verify(path: str | os.PathLike[str]) -> list[KistError]:
    """Everything that is wrong with a file; empty when nothing is."""
    try:
        return KistFile(path).verify()
    except KistError as error:
        return [error]


def main() -> int:
    parser = argparse.ArgumentParser(description="List or verify a Kist file.")
    parser.add_argument("--verify", action="store_true", help="check every byte; exit status 1 if something is wrong")
    parser.add_argument("file")
    arguments = parser.parse_args()
    try:
        file = KistFile(arguments.file)
        problems = file.verify() if arguments.verify else []
    except KistError as error:
        problems = [error]
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    for entry in file.entries:
        packing = ("raw", "zstd", "planes, zstd", "float planes, zstd", "block planes, zstd")[entry.codec + entry.transform]
        dtype = entry.type.name if entry.dtype in DTYPES or entry.kind != TENSOR else f"dtype {entry.dtype}"
        shape = "×".join(map(str, entry.shape))
        name = entry.name if entry.name.isprintable() else repr(entry.name)
        print(f"{KINDS[entry.kind]:6}  {dtype:11}  {shape:16}  {entry.raw_length:12}  {packing:18}  {name}")
    print(f"weights digest {file.weights_digest.hex()}\npackage digest {file.package_digest.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
