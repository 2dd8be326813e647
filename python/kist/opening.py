"""What is checked when a file is opened: head, slots, root, index blocks. In the order of kist-format.md."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from xxhash import xxh3_64_intdigest as xxh3

from .errors import KistError
from .layout import (
    BLOCK,
    BLOCK_NAMES,
    BODY,
    CHUNKS,
    HAS_BLOCK_PLANES,
    HEAD,
    MAGIC,
    MAX_CHUNK_BLOCKS,
    MAX_ROOT,
    PAGE,
    PAGE_HASH,
    RECORD_SIZES,
    ROOT,
    SLOT,
    SLOTS,
    VERSION,
    Block,
    Slot,
)

_ZERO = bytes(PAGE)


class Root(NamedTuple):
    set_id: bytes
    shard: int
    shards: int
    weights_digest: bytes
    package_digest: bytes
    blocks: tuple[Block, ...]  # entries, names, dims, then chunks


class Opened(NamedTuple):
    slot: Slot
    root: Root
    damaged_slots: tuple[str, ...]


def open_root(file: str, data: memoryview) -> Opened:
    """Finds the commit in force and its index blocks."""
    _check_head(file, data)
    slot, damaged = _slot_in_force(file, data)
    return Opened(slot, _read_root(file, data, slot), damaged)


def within(slot: Slot, offset: int, length: int) -> bool:
    """Whether a range lies in the committed body."""
    return offset >= BODY and offset + length <= slot.file_length


def _check_head(file: str, data: memoryview) -> None:
    size = len(data)
    if not MAGIC.startswith(bytes(data[: len(MAGIC)])):
        raise KistError(file, "head: magic", "not a Kist file, or one changed by a text-mode transfer", 0)
    if size < BODY:
        raise KistError(file, "file length", f"{size} bytes; a Kist file has at least {BODY}")
    _, version, reserved, checksum = HEAD.unpack_from(data)
    if version != VERSION:
        raise KistError(file, "head: format version", f"{version}; this reader knows version {VERSION}", 16)
    if reserved != _ZERO[: len(reserved)]:
        raise KistError(file, "head: reserved", "bytes that are not zero", 20)
    if checksum != xxh3(data[:PAGE_HASH]):
        raise KistError(file, "head: XXH3", "does not match the head", PAGE_HASH)
    if data[SLOTS[1] + PAGE : BODY] != _ZERO:
        raise KistError(file, "reserved", f"bytes {SLOTS[1] + PAGE}..<{BODY} are not zero", SLOTS[1] + PAGE)


def _slot_in_force(file: str, data: memoryview) -> tuple[Slot, tuple[str, ...]]:
    valid: list[tuple[Slot, int]] = []
    damaged: list[str] = []
    for label, start in zip(("slot A", "slot B"), SLOTS, strict=True):
        page = data[start : start + PAGE]
        if page == _ZERO:
            continue
        *fields, reserved, checksum = SLOT.unpack(page)
        slot = Slot(*fields)
        if checksum == xxh3(page[:PAGE_HASH]) and reserved == _ZERO[: len(reserved)] and slot.generation != 0:
            valid.append((slot, start))
        else:
            damaged.append(label)
    if not valid:
        what = "damaged: " + ", ".join(damaged) if damaged else "both are empty"
        raise KistError(file, "slot", f"none is valid; {what}", SLOTS[0])
    if len(valid) == 2 and valid[0][0].generation == valid[1][0].generation:
        raise KistError(file, "slot: generation", "the same in both slots", SLOTS[0])
    slot, start = max(valid)
    unknown = slot.incompatible & ~HAS_BLOCK_PLANES
    if unknown:
        raise KistError(file, "slot: incompatible features", f"{unknown:#x}: unknown here; use a newer kist", start + 8)
    if not BODY <= slot.file_length <= len(data):
        raise KistError(file, "slot: file length", f"{slot.file_length}; the file has {len(data)}", start + 32)
    return slot, tuple(damaged)


def _read_root(file: str, data: memoryview, slot: Slot) -> Root:
    offset, length = slot.root_offset, slot.root_length
    if not within(slot, offset, length):
        raise KistError(file, "slot: root", f"{offset} + {length} lies outside the committed body")
    if offset % 64:
        raise KistError(file, "slot: root offset", f"{offset} is not a multiple of 64")
    if not ROOT.size <= length <= MAX_ROOT:
        raise KistError(file, "slot: root length", f"{length} is not in {ROOT.size}...{MAX_ROOT}")
    stored = data[offset : offset + length]
    if sha256(stored).digest() != slot.root_digest:
        raise KistError(file, "root: SHA-256", "does not match the root", offset)
    set_id, shard, shards, count, reserved, weights, package = ROOT.unpack_from(stored)
    if reserved:
        raise KistError(file, "root: reserved", "bytes that are not zero", offset + 28)
    if not (any(set_id) == (shard != 0) == (shards != 0)):
        raise KistError(file, "root: set id", "half part of a set", offset)
    if shard > shards:
        raise KistError(file, "root: shard number", f"{shard} of {shards}", offset + 16)
    if length != ROOT.size + count * BLOCK.size:
        raise KistError(file, "root: block count", f"{count} in {length} bytes", offset + 24)
    if not 3 <= count <= 3 + MAX_CHUNK_BLOCKS:
        raise KistError(file, "root: block count", f"{count} is not in 3...{3 + MAX_CHUNK_BLOCKS}", offset + 24)
    blocks = tuple(_read_block(file, data, slot, at) for at in range(count))
    return Root(set_id, shard, shards, weights, package, blocks)


def _read_block(file: str, data: memoryview, slot: Slot, at: int) -> Block:
    place = slot.root_offset + ROOT.size + at * BLOCK.size
    kind, reserved, count, offset, length, checksum, digest = BLOCK.unpack_from(data, place)
    expected = min(at + 1, CHUNKS)
    label = BLOCK_NAMES[expected] + (f" {at - 3}" if at >= 3 else "")

    def refuse(field: str, message: str) -> KistError:
        return KistError(file, f"{label} block: {field}", message, place)

    if kind != expected:
        raise refuse("kind", f"{kind} in place {at} of the root")
    if reserved:
        raise refuse("reserved", "bytes that are not zero")
    if length != count * RECORD_SIZES[kind]:
        raise refuse("length", f"{length} is not {count} records of {RECORD_SIZES[kind]}")
    if offset % 64:
        raise refuse("offset", f"{offset} is not a multiple of 64")
    if not (within(slot, offset, length) if length else offset == 0):
        raise refuse("offset", f"{offset} + {length} lies outside the committed body")
    if xxh3(data[offset : offset + length]) != checksum:
        raise refuse("XXH3", "does not match the block")
    return Block(label, count, offset, length, digest)
