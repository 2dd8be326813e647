"""From stored bytes to raw ones: one chunk at a time, on any thread."""

from __future__ import annotations

import struct
import threading

import numpy as np
import zstandard
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest as xxh3

from .dtypes import MAX_CHUNK
from .errors import KistError
from .index import Entry
from .layout import MAX_WINDOW, RAW, Chunk
from .planes import merge

Bytes = NDArray[np.uint8]

_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_BLOCK = 128 << 10


class _Context(threading.local):
    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        self.planes: Bytes = np.empty(MAX_CHUNK, np.uint8)  # of one chunk; new memory for each would cost as much again


_context = _Context()


def check_chunk(file: str, entry: Entry, at: int, chunk: Chunk, stored: memoryview) -> None:
    """Compares the stored bytes of a chunk with their XXH3."""
    if xxh3(stored) != chunk.xxh3:
        raise KistError(file, f"{entry}: chunk {at}: XXH3", "does not match the stored bytes", chunk.offset)


def decode_chunk(file: str, entry: Entry, at: int, chunk: Chunk, stored: memoryview, out: Bytes) -> None:
    """Checks the stored bytes of a chunk and fills `out`, which has its raw length, from them."""
    check_chunk(file, entry, at, chunk, stored)
    if entry.codec == RAW:
        out[:] = np.frombuffer(stored, np.uint8)
        return
    layout = entry.planes
    widths = layout.widths
    count = len(widths)
    table = 4 * count
    field = f"{entry}: chunk {at}"
    if len(stored) < table:
        raise KistError(file, f"{field}: stored length", f"{len(stored)} has no plane table", chunk.offset)
    lengths = struct.unpack_from(f"<{count}I", stored)
    if table + sum(lengths) != len(stored):
        message = f"{list(lengths)} do not fill {len(stored)} bytes"
        raise KistError(file, f"{field}: stored length of each plane", message, chunk.offset)
    target = _context.planes
    units = len(out) // layout.unit
    planes: list[list[Bytes]] = []
    start, first = table, 0
    for number, (width, length) in enumerate(zip(widths, lengths, strict=True)):
        place = out if count == 1 else target[first : first + units * width]
        try:
            planes.append(_decode_frame(stored[start : start + length], place))
        except (zstandard.ZstdError, ValueError) as error:
            raise KistError(file, f"{field}: plane {number}: frame", str(error), chunk.offset + start) from error
        start, first = start + length, first + len(place)
    if count == 1:
        if planes[0][0] is not out:
            np.concatenate(planes[0], out=out)
    else:
        merge(planes, layout, out)


def _decode_frame(frame: memoryview, out: Bytes) -> list[Bytes]:
    """The content of exactly one zstd frame, as long as `out`: in parts of the frame where it is stored as it is, else in
    `out`; never decodes more than that."""
    if frame[:4] != _FRAME_MAGIC:  # also keeps out skippable frames
        raise ValueError("not a zstd frame")
    header = zstandard.get_frame_parameters(frame)
    if header.dict_id:
        raise ValueError("needs a dictionary")
    if header.window_size > MAX_WINDOW:
        raise ValueError(f"needs a window of {header.window_size} bytes, which is over {MAX_WINDOW}")
    size = len(out)
    if header.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        content = _context.zstd.decompress(frame, max_output_size=size, allow_extra_data=False)
        if len(content) != size:
            raise ValueError(f"holds {len(content)} bytes instead of {size}")
        out[:] = np.frombuffer(content, np.uint8)
        return [out]
    if header.content_size != size:
        raise ValueError(f"states {header.content_size} bytes instead of {size}")
    end, raw = _blocks(frame)
    if end + (4 if header.has_checksum else 0) != len(frame):
        raise ValueError("does not end where its plane ends")
    if raw is not None and not header.has_checksum and sum(map(len, raw)) == size:
        return [np.frombuffer(part, np.uint8) for part in raw]
    # In one pass, since the target has room for the whole frame.
    found = _context.zstd.stream_reader(frame).readinto(out.data)
    if found != size:
        raise ValueError(f"holds {found} bytes instead of {size}")
    return [out]


def _blocks(frame: memoryview) -> tuple[int, list[memoryview] | None]:
    """Where the last block of a frame ends, by its headers, and the blocks when all are raw. RFC 8878, 3.1.1.2."""
    position = zstandard.frame_header_size(frame)
    raw: list[memoryview] | None = []
    while position + 3 <= len(frame):
        header = int.from_bytes(frame[position : position + 3], "little")
        kind, size = header >> 1 & 3, header >> 3
        start = position + 3
        position = start + (1 if kind == 1 else size)  # kind 1 is one byte, repeated
        if kind or size > _MAX_BLOCK:
            raw = None
        elif raw is not None:
            raw.append(frame[start:position])
        if header & 1:
            return position, raw
    raise ValueError("is cut off")
