"""Kist files with any field changed and every checksum above it made right again. Used by hostile_kist.py and odd_kist.py."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_intdigest as xxh3

ROOT_FOLDER = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT_FOLDER / "spec"))
from hex import assemble  # noqa: E402

Fields = dict[str, Any]

HEAD = (("magic", "16s"), ("version", "I"), ("reserved", "4068s"), ("xxh3", "Q"))
SLOT = (("generation", "Q"), ("incompatible", "Q"), ("read-only compatible", "Q"), ("compatible", "Q"),
        ("file length", "Q"), ("root offset", "Q"), ("root length", "Q"), ("root sha-256", "32s"),
        ("reserved", "4000s"), ("xxh3", "Q"))  # fmt: skip
ROOT = (("set id", "16s"), ("shard number", "I"), ("shards", "I"), ("block count", "I"), ("reserved", "I"),
        ("weights digest", "32s"), ("package digest", "32s"))  # fmt: skip
BLOCK = (("kind", "I"), ("reserved", "I"), ("record count", "Q"), ("offset", "Q"), ("length", "Q"), ("xxh3", "Q"),
         ("sha-256", "32s"))  # fmt: skip
ENTRY = (("name", "Q"), ("name length", "I"), ("kind", "B"), ("transform", "B"), ("codec", "B"), ("rank", "B"),
         ("dtype", "H"), ("chunks block", "H"), ("ordinal", "I"), ("first dim", "I"), ("first chunk", "I"),
         ("raw length", "Q"), ("raw bytes per chunk", "I"), ("chunk count", "I"), ("run", "Q"), ("reserved", "Q"),
         ("digest", "32s"))  # fmt: skip
CHUNK = (
    ("offset", "Q"),
    ("stored length", "I"),
    ("raw length", "I"),
    ("xxh3", "Q"),
    ("reserved", "Q"),
    ("leaf", "32s"),
)

KINDS = {"entries": 1, "names": 2, "dims": 3, "chunks": 4}
RECORD_SIZES = {1: 96, 2: 1, 3: 8, 4: 64}
# Positions in spec/tiny.hex.
METADATA, PROVENANCE, ASSET, NORM, PROJ = range(5)
NORM_CHUNK, PROJ_CHUNK, ASSET_CHUNK, METADATA_CHUNK, PROVENANCE_CHUNK = range(5)


def pack(layout: tuple[tuple[str, str], ...], fields: Fields) -> bytes:
    return struct.pack("<" + "".join(code for _, code in layout), *(fields[name] for name, _ in layout))


def unpack(layout: tuple[tuple[str, str], ...], data: bytes, offset: int) -> Fields:
    values = struct.unpack_from("<" + "".join(code for _, code in layout), data, offset)
    return dict(zip((name for name, _ in layout), values))


def aligned(offset: int, to: int = 64) -> int:
    return -(-offset // to) * to


class Kist:
    """spec/tiny.hex taken apart. Change any part, then `build`.

    A checksum or digest left as None is computed; one that is set is kept. The `fix_…` functions, when set, change what
    was computed before it is packed: `fix_blocks` the list of block descriptions, `fix_root` and `fix_slot` one dict.
    """

    def __init__(self) -> None:
        data = assemble((ROOT_FOLDER / "spec/tiny.hex").read_text(encoding="utf-8"))
        slot = unpack(SLOT, data, 4096)
        root = unpack(ROOT, data, slot["root offset"])
        blocks = [unpack(BLOCK, data, slot["root offset"] + 96 + 72 * at) for at in range(root["block count"])]
        entries, names, dims, chunks = blocks
        self.original = data
        self.content = bytearray(data[: chunks["offset"]])  # its first 16384 bytes are overwritten by `build`
        self.names = bytearray(data[names["offset"] : names["offset"] + names["length"]])
        self.dims = list(struct.unpack_from(f"<{dims['record count']}Q", data, dims["offset"]))
        self.entries = [unpack(ENTRY, data, entries["offset"] + 96 * at) for at in range(entries["record count"])]
        self.chunks = [unpack(CHUNK, data, chunks["offset"] + 64 * at) for at in range(chunks["record count"])]
        self.head = unpack(HEAD, data, 0)
        self.slot = slot
        self.root = root
        self.gap = 0  # bytes left free before the index blocks
        self.root_shift = 0  # bytes by which the root misses a multiple of 64
        self.tail = b""  # after the root
        self.fix_blocks: Callable[[list[Fields]], Any] | None = None
        self.fix_root: Callable[[Fields], Any] | None = None
        self.fix_slot: Callable[[Fields], Any] | None = None
        self.fix_file: Callable[[bytearray], Any] | None = None
        for fields in (self.head, slot, *self.chunks):
            fields["xxh3"] = None
        for entry in self.entries:
            entry["digest"] = None
        root["weights digest"] = root["package digest"] = slot["root sha-256"] = None

    # Changes that need more than one field.

    def store(self, chunk: int, stored: bytes, raw: bytes | None = None, offset: int | None = None) -> None:
        """Gives a chunk other stored bytes, at the end of the content unless an offset is given."""
        if offset is None:
            offset = aligned(len(self.content))
        end = offset + len(stored)
        self.content += bytes(max(0, end - len(self.content)))
        self.content[offset:end] = stored
        fields = self.chunks[chunk]
        fields.update({"offset": offset, "stored length": len(stored)})
        if raw is not None:
            fields.update({"raw length": len(raw), "leaf": sha256(raw).digest()})

    def raw_at(self, entry: int, chunk: int, offset: int, content: bytes) -> None:
        """Says that a raw entry of one chunk stands at `offset`, where its content already is or will be."""
        length = len(content)
        self.entries[entry].update({"run": offset, "raw length": length})
        self.chunks[chunk].update({"offset": offset, "stored length": length, "raw length": length})
        self.chunks[chunk]["leaf"] = sha256(content).digest()

    def shape(self, entry: int, *dims: int) -> None:
        self.entries[entry].update({"first dim": len(self.dims) if dims else 0, "rank": len(dims)})
        self.dims += dims

    def add(self, name: str, kind: int, content: bytes, dtype: int = 0, dims: tuple[int, ...] = ()) -> int:
        """Adds a raw entry of at most one chunk; gives its position."""
        at = len(self.entries)
        fields = dict.fromkeys((field for field, _ in ENTRY), 0)
        fields.update({"name": len(self.names), "name length": len(name.encode()), "kind": kind, "dtype": dtype,
                       "ordinal": at, "raw bytes per chunk": 1 << 20, "raw length": len(content), "digest": None})  # fmt: skip
        self.names += name.encode()
        self.entries.append(fields)
        self.shape(at, *dims)
        if content:
            self.chunks.append(dict.fromkeys((field for field, _ in CHUNK), 0) | {"xxh3": None})
            last = len(self.chunks) - 1
            fields.update({"chunk count": 1, "first chunk": last})
            self.store(last, content, content)
            fields["run"] = self.chunks[last]["offset"]
        self.entries.sort(key=lambda entry: (self.name(entry), entry["kind"]))
        return self.entries.index(fields)

    def name(self, entry: Fields) -> bytes:
        return bytes(self.names[entry["name"] : entry["name"] + entry["name length"]])

    # Putting it together.

    def build(self) -> bytes:
        out = bytearray(self.content) + bytes(self.gap)
        chunks_at = aligned(len(out))
        entries_at = aligned(chunks_at + 64 * len(self.chunks))
        names_at = aligned(entries_at + 96 * len(self.entries))
        dims_at = aligned(names_at + len(self.names))
        self._seal_chunks(out, {names_at: bytes(self.names)})
        parts = {
            "entries": (entries_at, b"".join(pack(ENTRY, entry) for entry in self.entries)),
            "names": (names_at, bytes(self.names)),
            "dims": (dims_at, struct.pack(f"<{len(self.dims)}Q", *self.dims)),
            "chunks": (chunks_at, b"".join(pack(CHUNK, chunk) for chunk in self.chunks)),
        }
        for offset, stored in parts.values():
            out += bytes(max(0, offset + len(stored) - len(out)))
            out[offset : offset + len(stored)] = stored
        blocks = [
            {
                "kind": KINDS[name],
                "reserved": 0,
                "record count": len(stored) // RECORD_SIZES[KINDS[name]],
                "offset": offset if stored else 0,
                "length": len(stored),
            }  # fmt: skip
            for name, (offset, stored) in parts.items()
        ]
        self.out = out
        if self.fix_blocks:
            self.fix_blocks(blocks)
        for block in blocks:
            stored = bytes(out[block["offset"] : block["offset"] + block["length"]])
            block.setdefault("xxh3", xxh3(stored))
            block.setdefault("sha-256", sha256(stored).digest())
        self._seal_root(out, blocks)
        return bytes(out)

    def _seal_chunks(self, out: bytearray, later: dict[int, bytes]) -> None:
        out[4096:16384] = bytes(12288)  # what a chunk that points there reads
        for chunk in self.chunks:
            start, length = chunk["offset"], chunk["stored length"]
            if chunk["xxh3"] is None:
                chunk["xxh3"] = xxh3(later[start][:length] if start in later else bytes(out[start : start + length]))
        for entry in self.entries:
            records = self.chunks[entry["first chunk"] :][: entry["chunk count"]]
            if entry["digest"] is None:
                entry["digest"] = sha256(b"".join(chunk["leaf"] for chunk in records)).digest()

    def _seal_root(self, out: bytearray, blocks: list[Fields]) -> None:
        root, slot = self.root, self.slot
        root["block count"] = len(blocks)
        for which in ("weights digest", "package digest"):
            if root[which] is None:
                root[which] = self._digest(which)
        if self.fix_root:
            self.fix_root(root)
        packed = pack(ROOT, root) + b"".join(pack(BLOCK, block) for block in blocks)
        root_at = aligned(len(out)) + self.root_shift
        out += bytes(root_at - len(out)) + packed + self.tail
        slot.update({"file length": len(out), "root offset": root_at, "root length": len(packed)})
        if self.fix_slot:
            self.fix_slot(slot)
        out[12288:16384] = bytes(4096)
        out[8192:12288] = bytes(4096)
        self._put_head(out)
        put_slot(out, 4096, slot)
        if self.fix_file:
            self.fix_file(out)

    def _put_head(self, out: bytearray) -> None:
        if self.head["xxh3"] is None:
            self.head["xxh3"] = xxh3(pack(HEAD, self.head | {"xxh3": 0})[:4088])
        out[0:4096] = pack(HEAD, self.head)

    def _digest(self, which: str) -> bytes:
        whole = sha256()
        for entry in self.entries:
            name = self.name(entry)
            if which == "weights digest" and entry["kind"] != 1:
                continue
            if entry["kind"] == 3 and name.startswith(b"kist:signature/"):
                continue
            dims = self.dims[entry["first dim"] : entry["first dim"] + entry["rank"]] if entry["rank"] else []
            whole.update(struct.pack("<I", len(name)) + name + struct.pack("<BH", entry["kind"], entry["dtype"]))
            whole.update(struct.pack(f"<I{len(dims)}Q", entry["rank"], *dims) + entry["digest"])
        return whole.digest()


def put_slot(out: bytearray, offset: int, slot: Fields) -> None:
    """Writes a commit slot; the root's SHA-256 and the slot's XXH3 are computed when they are None."""
    slot = dict(slot)
    if slot["root sha-256"] is None:
        root = bytes(out[slot["root offset"] : slot["root offset"] + slot["root length"]])
        slot["root sha-256"] = sha256(root).digest()
    if slot["xxh3"] is None:
        slot["xxh3"] = xxh3(pack(SLOT, slot | {"xxh3": 0})[:4088])
    out[offset : offset + 4096] = pack(SLOT, slot)


# zstd frames by hand (RFC 8878).

MAGIC_NUMBER = bytes.fromhex("28B52FFD")


def raw_block(content: bytes, last: bool = True) -> bytes:
    return struct.pack("<I", last | len(content) << 3)[:3] + content


def rle_block(byte: int, count: int, last: bool = True) -> bytes:
    return struct.pack("<I", last | 1 << 1 | count << 3)[:3] + bytes([byte])


def frame(blocks: bytes, size: int | None) -> bytes:
    """A frame that states its content's size in 8 bytes (single segment), or one that doesn't (2 MiB window)."""
    return MAGIC_NUMBER + (b"\x00\x58" if size is None else b"\xe0" + struct.pack("<Q", size)) + blocks


def rle_frame(byte: int, size: int) -> bytes:
    """A frame of `size` times one byte, in blocks of 128 KiB."""
    sizes = [1 << 17] * (size >> 17) + ([size & 0x1FFFF] if size & 0x1FFFF else [])
    return frame(b"".join(rle_block(byte, n, last=at == len(sizes) - 1) for at, n in enumerate(sizes)), size)


def packed_chunk(*frames: bytes) -> bytes:
    return struct.pack(f"<{len(frames)}I", *map(len, frames)) + b"".join(frames)


def two_chunks(kist: Kist, first_chunk_elements: int = 1 << 19) -> None:
    """Makes proj.weight a BF16 tensor of 1 MiB + 32 bytes, all 1.0, in two packed chunks of a few bytes."""
    elements = (1 << 19) + 16
    kist.shape(PROJ, elements)
    first = len(kist.chunks)
    kist.entries[PROJ].update({"raw length": 2 * elements, "chunk count": 2, "first chunk": first})
    for at, count in enumerate((first_chunk_elements, elements - first_chunk_elements)):
        kist.chunks.append(dict(kist.chunks[PROJ_CHUNK], xxh3=None))
        kist.store(first + at, packed_chunk(rle_frame(0x7F, count), rle_frame(0, count)), b"\x80\x3f" * count)
