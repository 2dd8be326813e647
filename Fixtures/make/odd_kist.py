"""python Fixtures/make/odd_kist.py    (pip install xxhash; rewrites Fixtures/odd)

Kist files that look wrong and are right: each opens, reads and passes a full verification. spec/tiny.hex with something
changed that kist-format.md allows.
"""

from __future__ import annotations

from collections.abc import Callable

from hostile_kist import BF16, BLOCK_PLANES, EMPTY, HAS_BLOCK_PLANES, MIB, U8, UNKNOWN, all_of, dims, entry, slot
from kist_builder import (
    NORM,
    NORM_CHUNK,
    PROJ,
    PROJ_CHUNK,
    ROOT_FOLDER,
    Kist,
    frame,
    packed_chunk,
    put_slot,
    raw_block,  # fmt: skip
    rle_block,
    two_chunks,
)

FOLDER = ROOT_FOLDER / "Fixtures/odd"
CASES: list[tuple[str, str, Callable[[Kist], object]]] = []


def case(name: str, note: str, change: Callable[[Kist], object]) -> None:
    CASES.append((name, note, change))


def share_run(k: Kist) -> None:
    """Another tensor, of another dtype, on the run of norm.weight."""
    at = k.add("norm.bytes", 1, bytes(16), U8, (16,))
    norm = next(entry for entry in k.entries if k.name(entry) == b"norm.weight")
    k.entries[at].update({"run": norm["run"], "first chunk": norm["first chunk"]})


def share_chunk(k: Kist) -> None:
    at = k.add("proj.twin", 1, bytes(32), BF16, (16,))
    proj = next(entry for entry in k.entries if k.name(entry) == b"proj.weight")
    k.entries[at].update({n: proj[n] for n in ("codec", "transform", "run")})
    k.chunks[k.entries[at]["first chunk"]] = dict(k.chunks[proj["first chunk"]])


def second_commit(k: Kist) -> None:
    """Slot A still names a root that is no longer there, of a shorter file: only slot B's counts."""
    old = k.slot | {"file length": 16384 + 64, "root offset": 16384, "root length": 40, "root sha-256": bytes(32)}

    def fix(out: bytearray) -> None:
        put_slot(out, 4096, old | {"generation": 3})
        put_slot(out, 8192, k.slot | {"generation": 4})

    k.fix_file = fix


def two_chunks_blocks(k: Kist) -> None:
    """The chunk record of proj.weight in a block of its own."""

    def fix(blocks: list[dict]) -> None:
        chunks = blocks[3]
        blocks[3:] = [chunks | {"record count": 1, "length": 64},
                      chunks | {"offset": chunks["offset"] + 64, "record count": 4, "length": 256}]  # fmt: skip

    for each in k.entries:
        each["chunks block"] = int(each["first chunk"] > 0)
        each["first chunk"] -= each["chunks block"]
    digests = Kist()
    digests.build()
    for each, same in zip(k.entries, digests.entries):
        each["digest"] = same["digest"]
    k.fix_blocks = fix


def block_planes(k: Kist) -> None:
    """Two blocks of IQ2_XXS, each a number of two bytes and eight of eight bytes; all bytes count up from 124."""
    raw = bytes(range(124, 256))
    fields = [(0, 2, 1), (2, 8, 8)]  # offset in a block, bytes of a number, numbers
    planes = [
        bytes(raw[block + offset + number * width + byte] for block in (0, 66) for number in range(count))
        for offset, width, count in fields
        for byte in reversed(range(width))
    ]
    k.store(PROJ_CHUNK, packed_chunk(*(frame(raw_block(plane), len(plane)) for plane in planes)), raw)
    iq2_xxs = {"dtype": 272, "transform": BLOCK_PLANES, "raw_length": 132, "raw_bytes_per_chunk": MIB // 66 * 66}
    dims(PROJ, 2, 256, **iq2_xxs)(k)
    slot(incompatible=HAS_BLOCK_PLANES)(k)


def nothing(k: Kist) -> None:
    k.entries, k.chunks, k.names, k.dims, k.content = [], [], bytearray(), [], bytearray(16384)


case("no-entries", "three empty blocks and an empty chunks block", nothing)
case("empty-tensor", "norm.weight has shape [3, 0]", dims(NORM, 3, 0, **EMPTY))
case("scalar", "norm.weight is one F32 of rank 0", all_of(
    lambda k: k.raw_at(NORM, NORM_CHUNK, 16384, b"\x00\x00\x80\x3f"), lambda k: k.shape(NORM)))  # fmt: skip
case("rank-64", "norm.weight has shape [4, 1, 1, ...]", dims(NORM, 4, *[1] * 63))
case("dims-shared", "both tensors use the same numbers of the dims block", entry(NORM, first_dim=1))
case("dtype-unknown", "norm.weight has dtype 300, transform none", entry(NORM, dtype=UNKNOWN))
case("two-chunks", "proj.weight is 1 MiB + 32 bytes of 1.0 in two packed chunks", two_chunks)
case("two-chunks-blocks", "the first chunk record stands in a block of its own", two_chunks_blocks)
case("shared-run", "norm.bytes (U8) is the run of norm.weight (F32)", share_run)
case("shared-chunk", "proj.twin is the packed chunk of proj.weight", share_chunk)
case("block-planes", "proj.weight is two blocks of IQ2_XXS, in ten planes", block_planes)
case("second-commit", "slot B, generation 4, is in force; slot A's root is gone", second_commit)
case("features-ignored", "compatible and read-only compatible bits that nobody knows; block planes, and there are none",
     slot(compatible=1 << 40, read_only_compatible=1, incompatible=HAS_BLOCK_PLANES))  # fmt: skip
case("stale-tail", "bytes of a stopped writer after the file length",
     lambda k: setattr(k, "fix_file", lambda out: out.extend(b"\xff" * 1000)))  # fmt: skip
case("frame-unstated", "plane 0 does not state its size",
     lambda k: keep_weights(k, frame(rle_block(0x7F, 16), None)))  # fmt: skip
case("frame-checksum", "plane 0 has zstd's own checksum",
     lambda k: keep_weights(k, checksummed(b"\x7f" * 16)))  # fmt: skip
case("frame-blocks", "plane 0 in three blocks, one of them empty", lambda k: keep_weights(
    k, frame(rle_block(0x7F, 8, last=False) + raw_block(b"", last=False) + raw_block(b"\x7f" * 8), 16)))  # fmt: skip


def keep_weights(k: Kist, plane: bytes) -> None:
    """Gives proj.weight another plane 0 of the same content."""
    k.store(PROJ_CHUNK, packed_chunk(plane, bytes(k.content[16466:16491])))


def checksummed(content: bytes) -> bytes:
    from xxhash import xxh64_intdigest

    check = (xxh64_intdigest(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes.fromhex("28B52FFD 24") + bytes([len(content)]) + raw_block(content) + check


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.kist"):
        old.unlink()
    rows = ["file\tnote"]
    for name, note, change in CASES:
        kist = Kist()
        change(kist)
        (FOLDER / f"{name}.kist").write_bytes(kist.build())
        rows.append(f"{name}.kist\t{note}")
    (FOLDER / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
