"""How content is packed: which planes are worth a Huffman table, and the zstd frames of one chunk.

Settled once for an entry, from a sample of its bytes, as the Swift command does it. Any frames will do for a reader; these
cost little to find and unpack fast.
"""

from __future__ import annotations

import struct
import threading
from typing import Literal, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from .dtypes import Dtype
from .layout import BLOCK_PLANES, FLOAT_PLANES, NO_TRANSFORM, PLANES
from .planes import PlaneLayout, split

__all__ = ["Packing", "Plan", "choose_plan", "pack_chunk"]

Bytes = NDArray[np.uint8]
Packing = Literal["auto", "none", "max"]

_PIECES = 8  # of a sample, evenly spread
_PIECE = 8 << 10
_SEARCHED = 4 << 10
_NOISE = 0.998  # above this part of its length, a plane's entropy is not worth a table
_HUFFMAN_LOSS = 0.004  # what Huffman codes and their tables take beyond the entropy of quants
_LEAST_SAVING = 1 / 64  # libzstd keeps literals raw of which it would save less
_STORED_BLOCK = 128 << 10
_MINIMUM_SAVING = {"auto": 0.03, "max": 0.001}

# Huffman-coded literals and next to no matches: long ones only, looked for in a table of 64 places.
_LITERALS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, window_log=17, hash_log=6, chain_log=6, min_match=7, search_log=1, target_length=0
)
STORED, LITERALS = "stored", "literals"
Coding = str | int  # the names above, or one of zstd's levels


class Plan(NamedTuple):
    """How the chunks of one entry are packed."""

    layout: PlaneLayout
    planes: tuple[tuple[Coding, ...], ...]  # for each plane, the codings of which the smallest frame is kept
    saving: float  # what a lone chunk has to save at least, as a part of its length


class _Compressors(threading.local):
    def __init__(self) -> None:
        self.made: dict[Coding, zstandard.ZstdCompressor] = {}

    def of(self, coding: Coding) -> zstandard.ZstdCompressor:
        if coding not in self.made:
            self.made[coding] = (
                zstandard.ZstdCompressor(level=coding, write_checksum=False)
                if isinstance(coding, int)
                else zstandard.ZstdCompressor(compression_params=_LITERALS)
            )
        return self.made[coding]


_compressors = _Compressors()


def choose_plan(content: Bytes, dtype: Dtype, packing: Packing) -> Plan | None:
    """A plan for content; None when it stays raw."""
    if packing == "none" or not len(content):
        return None
    layout = PlaneLayout.of(_transform(dtype), dtype)
    planes = split(_sample(content, layout.unit), layout)
    chosen = [_choose_codings(plane, layout.transform, packing) for plane in planes]
    saving = _MINIMUM_SAVING[packing]
    ratio = sum(width * ratio for width, (_, ratio) in zip(layout.widths, chosen, strict=True)) / layout.unit
    # What fits one chunk is simply tried; see the writer.
    if len(content) > dtype.chunk_length and ratio > 1 - saving:
        return None
    return Plan(layout, tuple(codings for codings, _ in chosen), saving)


def _transform(dtype: Dtype) -> int:
    if dtype.is_blocks:
        return BLOCK_PLANES
    if dtype.rotates:
        return FLOAT_PLANES
    return PLANES if dtype.component > 1 else NO_TRANSFORM


def pack_chunk(raw: Bytes, plan: Plan) -> bytes:
    """The stored bytes of a chunk: the table of plane lengths, then a frame for each plane."""
    planes = split(raw, plan.layout)
    frames = [_frame(plane, codings) for plane, codings in zip(planes, plan.planes, strict=True)]
    return b"".join([struct.pack(f"<{len(frames)}I", *map(len, frames)), *frames])


def _frame(plane: Bytes, codings: tuple[Coding, ...]) -> bytes:
    frames = (_stored_frame(plane) if coding == STORED else _compressors.of(coding).compress(plane.data)
              for coding in codings)  # fmt: skip
    return min(frames, key=len)


def _stored_frame(plane: Bytes) -> bytes:
    """A frame of raw blocks, written by hand: noise costs no more than copying. RFC 8878, 3.1.1."""
    size = len(plane)
    if size < 256:
        parts = [b"\x28\xb5\x2f\xfd\x20", struct.pack("<B", size)]
    elif size < 65536 + 256:
        parts = [b"\x28\xb5\x2f\xfd\x60", struct.pack("<H", size - 256)]
    else:
        parts = [b"\x28\xb5\x2f\xfd\xa0", struct.pack("<I", size)]
    for start in range(0, size, _STORED_BLOCK):
        block = plane[start : start + _STORED_BLOCK]
        last = start + len(block) == size
        parts += [(len(block) << 3 | last).to_bytes(3, "little"), block.tobytes()]
    return b"".join(parts)


def _sample(content: Bytes, unit: int) -> Bytes:
    """Pieces of the content from beginning to end, each of whole units."""
    total = len(content)
    piece = _PIECE // unit * unit
    if total <= _PIECES * piece:
        return content
    stride = (total - piece) // (_PIECES - 1) // unit * unit
    return np.concatenate([content[at * stride : at * stride + piece] for at in range(_PIECES)])


def _choose_codings(plane: Bytes, transform: int, packing: Packing) -> tuple[tuple[Coding, ...], float]:
    """The codings that are tried for a plane, and the part of its length that it may come to."""
    order0 = _entropy(plane) / len(plane)
    if packing == "max":
        return (STORED, LITERALS, 3, 19), order0
    if order0 > _NOISE:
        return (STORED,), 1.0
    # A short piece shows whether bytes repeat in a way that only a search finds, as in masks and tables of positions.
    piece = plane[:_SEARCHED]
    searched = len(_compressors.of(1).compress(piece.data)) / len(piece)
    if searched < 0.8 * _entropy(piece) / len(piece):
        return (3,), min(order0, searched)
    if transform == BLOCK_PLANES:
        ratio = order0 + _HUFFMAN_LOSS
        return ((STORED,), 1.0) if ratio > 1 - _LEAST_SAVING else ((LITERALS,), ratio)
    if transform == FLOAT_PLANES:
        return (LITERALS,), order0
    return (LITERALS, 3), min(order0, searched)


def _entropy(plane: Bytes) -> float:
    """Bytes that an ideal order-0 coder would need for a long run of which this is a sample.

    A sample's own entropy is too low by about (values - 1) / 2 nats: Miller, "Note on the bias of information estimates".
    """
    counts = np.bincount(plane, minlength=256)
    counts = counts[counts > 0]
    bits = float((counts * np.log2(len(plane) / counts)).sum())
    return (bits + (len(counts) - 1) / (2 * float(np.log(2)))) / 8
