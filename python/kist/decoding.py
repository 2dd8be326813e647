"""From stored bytes to raw ones: one chunk at a time, on any thread."""

from __future__ import annotations

import struct
import threading

import numpy as np
import zstandard
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest as xxh3

from .errors import KistError
from .index import Entry
from .layout import FLOAT_PLANES, MAX_WINDOW, RAW, Chunk
from .planes import merge

Bytes = NDArray[np.uint8]

_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"


class _Context(threading.local):
    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)


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
    count = entry.plane_count
    table = 4 * count
    field = f"{entry}: chunk {at}"
    if len(stored) < table:
        raise KistError(file, f"{field}: stored length", f"{len(stored)} has no plane table", chunk.offset)
    lengths = struct.unpack_from(f"<{count}I", stored)
    if table + sum(lengths) != len(stored):
        message = f"{list(lengths)} do not fill {len(stored)} bytes"
        raise KistError(file, f"{field}: stored length of each plane", message, chunk.offset)
    planes: list[Bytes] = []
    start = table
    for plane, length in enumerate(lengths):
        frame = stored[start : start + length]
        try:
            planes.append(np.frombuffer(_decode_frame(frame, len(out) // count), np.uint8))
        except (zstandard.ZstdError, ValueError) as error:
            place = chunk.offset + start
            raise KistError(file, f"{field}: plane {plane}: frame", str(error), place) from error
        start += length
    if count == 1:
        out[:] = planes[0]
    else:
        merge(planes, entry.transform == FLOAT_PLANES, out)


def _decode_frame(frame: memoryview, size: int) -> bytes:
    """The content of exactly one zstd frame, known to be `size` bytes; never decodes more than that."""
    if frame[:4] != _FRAME_MAGIC:  # also keeps out skippable frames
        raise ValueError("not a zstd frame")
    header = zstandard.get_frame_parameters(frame)
    if header.dict_id:
        raise ValueError("needs a dictionary")
    if header.content_size not in (size, zstandard.CONTENTSIZE_UNKNOWN):
        raise ValueError(f"states {header.content_size} bytes instead of {size}")
    if header.window_size > MAX_WINDOW:
        raise ValueError(f"needs a window of {header.window_size} bytes, which is over {MAX_WINDOW}")
    if size == 0:
        raise ValueError("a frame of nothing")
    content = _context.zstd.decompress(frame, max_output_size=size, allow_extra_data=False)
    if len(content) != size:
        raise ValueError(f"holds {len(content)} bytes instead of {size}")
    return content
