"""Everything that opening and reading do not check: SHA-256 of all content, digests, overlaps, signatures."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from .decoding import decode_chunk
from .digests import Digested, package_digests
from .errors import KistError
from .index import Entry
from .layout import RAW, SIGNATURE, Chunk
from .opening import Opened
from .signatures import check_signature
from .threads import run_all

if TYPE_CHECKING:
    from .file import KistFile

_BATCH = 8  # chunks that a thread takes at once


def problems(file: KistFile, data: memoryview, opened: Opened) -> list[KistError]:
    """What is wrong with an opened file, in the order of its parts."""
    found = [KistError(file.path, slot, "damaged; the other slot is in force") for slot in opened.damaged_slots]
    for block in opened.root.blocks:
        if sha256(data[block.offset : block.offset + block.length]).digest() != block.digest:
            message = "does not match the block"
            found.append(KistError(file.path, f"{block.label} block: SHA-256", message, block.offset))
    entries = [file.index.entry(at) for at in range(len(file.index))]
    found += _content(file, entries)
    computed = package_digests(Digested(e.name.encode(), e.kind, e.dtype_code, e.shape, e.digest) for e in entries)
    stated = opened.root.weights_digest, opened.root.package_digest
    for what, ours, theirs in zip(("weights", "package"), computed, stated, strict=True):
        if ours != theirs:
            message = "does not match the entries"
            found.append(KistError(file.path, f"root: {what} digest", message, opened.slot.root_offset))
    found += _overlaps(file, entries, opened)
    checks: list[Any] = [file.metadata, file.provenance, partial(_check_set, file)]
    for name in file.records:
        if name.startswith(SIGNATURE):
            checks.append(partial(check_signature, file.path, name, partial(file.record, name), file.package_digest))
    for check in checks:
        try:
            check()
        except KistError as error:
            found.append(error)
    return found


def _check_set(file: KistFile) -> None:
    """Whether the set id is that of the manifest, which all files of a set have."""
    if file.shards and (
        "kist:manifest" not in file.index.records or sha256(file.record("kist:manifest")).digest()[:16] != file.set_id
    ):
        raise KistError(file.path, "root: set id", "is not that of kist:manifest")


def _content(file: KistFile, entries: list[Entry]) -> list[KistError]:
    """Reads every chunk and compares it with its leaf, and leaves with digests."""
    found: list[tuple[int, int, KistError]] = []  # entry, chunk: threads finish in any order
    jobs: list[tuple[int, Entry, int, Chunk]] = []
    for number, entry in enumerate(entries):
        leaves = sha256()
        try:
            for at, chunk in enumerate(file.chunks(entry)):
                leaves.update(chunk.leaf)
                jobs.append((number, entry, at, chunk))
        except KistError as error:
            found.append((number, -1, error))
            continue
        if leaves.digest() != entry.digest:
            found.append((number, -1, KistError(file.path, f"{entry}: digest", "does not match the leaves")))

    def check(batch: list[tuple[int, Entry, int, Chunk]]) -> None:
        for number, entry, at, chunk in batch:
            raw = np.empty(chunk.raw_length, np.uint8)
            try:
                decode_chunk(file.path, entry, at, chunk, file.stored(chunk), raw)
            except KistError as error:
                found.append((number, at, error))
                continue
            if sha256(raw.data).digest() != chunk.leaf:
                field = f"{entry}: chunk {at}: leaf"
                message = "SHA-256 does not match the raw bytes"
                found.append((number, at, KistError(file.path, field, message, chunk.offset)))

    run_all([partial(check, jobs[start : start + _BATCH]) for start in range(0, len(jobs), _BATCH)])
    return [error for _, _, error in sorted(found, key=lambda each: each[:2])]


def _overlaps(file: KistFile, entries: list[Entry], opened: Opened) -> list[KistError]:
    """Ranges that lie over one another without being shared."""
    slot = opened.slot
    # (start, end, what must agree to be shared): whose
    ranges: dict[tuple[int, int, str], str] = {}
    ranges[slot.root_offset, slot.root_offset + slot.root_length, "root"] = "the root"
    for at, block in enumerate(opened.root.blocks):
        if block.length:
            ranges[block.offset, block.offset + block.length, f"block {at}"] = f"the {block.label} block"
    for entry in entries:
        try:
            chunks = list(file.chunks(entry))
        except KistError:
            continue  # reported already
        if entry.codec == RAW:
            if chunks:
                ranges.setdefault((entry.run, entry.run + entry.raw_length, "run"), str(entry))
            continue
        for at, chunk in enumerate(chunks):
            packing = f"{chunk.raw_length} {entry.planes}"
            key = (chunk.offset, chunk.offset + chunk.stored_length, packing)
            ranges.setdefault(key, f"{entry}: chunk {at}")
    found: list[KistError] = []
    end, owner = 0, ""
    for (start, stop, _), this in sorted(ranges.items()):
        if start < end:
            found.append(KistError(file.path, this, f"overlap with {owner}", start))
        if stop > end:
            end, owner = stop, this
    return found
