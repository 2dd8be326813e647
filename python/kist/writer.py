"""Writes a new Kist file: chunks as they come, the index at the end, the name when all is on disk."""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from hashlib import sha256
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest as xxh3

from .commit import Draft, block_description, head_page, index_blocks, root, slot_page
from .dtypes import BY_NAME, BYTES, Dtype, of_numpy
from .errors import KistError
from .layout import (
    ASSET,
    BODY,
    KINDS,
    MAX_NAME,
    MAX_RANK,
    NO_TRANSFORM,
    RAW,
    RECORD,
    SLOTS,
    TENSOR,
    ZSTD,
    Chunk,
    aligned,
    run_alignment,
)
from .packing import Packing, Plan, choose_plan, pack_chunk
from .planes import PlaneLayout
from .records import metadata_json
from .threads import core_count, pool
from .values import pack_bits

__all__ = ["Writer", "tensor_bytes"]

Bytes = NDArray[np.uint8]


class Writer:
    """Writes a Kist file, an entry at a time: tensors first, then assets and records, as the command does.

        with Writer("model.kist") as writer:
            writer.add_tensor("w", np.zeros((2, 3), np.float32))
            writer.add_asset("config.json", b"{}")

    The file appears under its name, replacing what was there, when the block ends without an error; before there is
    nothing. The same entries in the same order give the same bytes, on any number of cores.

    Args:
        target: a path, or a binary stream that can seek.
        packing: `"auto"` packs what gets at least 3 % smaller, fast; `"none"` keeps all raw; `"max"` tries harder.
    """

    def __init__(self, target: str | os.PathLike[str] | BinaryIO, *, packing: Packing = "auto") -> None:
        if packing not in ("auto", "none", "max"):
            raise ValueError(f"packing {packing!r} is not one of auto, none, max")
        self._packing: Packing = packing
        self._path: str | None = None
        if isinstance(target, (str, os.PathLike)):
            self._path = os.fspath(target)
            folder, name = os.path.split(self._path)
            self._temporary = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(6)}.tmp")
            try:
                self._output: BinaryIO = open(self._temporary, "xb")  # noqa: SIM115
            except FileNotFoundError as error:
                raise FileNotFoundError(error.errno, "No such folder", folder) from error
        else:
            self._output = target
        self._position = BODY
        self._chunks: list[Chunk] = []
        self._entries: list[Draft] = []
        self._names: set[tuple[bytes, int]] = set()
        self._packed: dict[tuple[bytes, PlaneLayout], Chunk] = {}
        self._runs: dict[tuple[bytes, int], int] = {}
        self._finished = False

    # What is added.

    def add_tensor(
        self, name: str, array: NDArray[Any], dtype: str | None = None, shape: Sequence[int] | None = None
    ) -> None:
        """Adds a tensor: an array; or, with `dtype` and `shape`, bytes that are already in the form of that dtype, such as
        the blocks that `get_tensor` gave."""
        if dtype is None:
            kind = of_numpy(array.dtype)
            if kind is None:
                raise KistError(self._path or "", f"tensor {name!r}: dtype", f'Unknown dtype "{array.dtype.name}"')
            content = tensor_bytes(self._path or "", name, array, kind)
            shape = array.shape
        else:
            if dtype not in BY_NAME:
                raise KistError(self._path or "", f"tensor {name!r}: dtype", f'Unknown dtype "{dtype}"')
            kind = BY_NAME[dtype]
            content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            shape = array.shape if shape is None else tuple(int(size) for size in shape)
        self._add(name, TENSOR, content, kind, tuple(shape))

    def add_asset(self, name: str, content: bytes) -> None:
        """Keeps a file verbatim, under its path relative to the model's folder."""
        self._add(name, ASSET, np.frombuffer(content, np.uint8), BYTES, ())

    def add_record(self, name: str, content: bytes) -> None:
        """Adds one of Kist's own records; the name begins `kist:`."""
        self._add(name, RECORD, np.frombuffer(content, np.uint8), BYTES, ())

    def add_metadata(self, metadata: Mapping[str, str]) -> None:
        """Records key-values; none leave nothing."""
        if metadata:
            self.add_record("kist:metadata", metadata_json(metadata))

    # The end.

    def finish(self) -> int:
        """Writes the index, syncs, and gives the file its name. Gives the length of the file."""
        if self._finished:
            raise ValueError("a Writer finishes once")
        self._finished = True
        try:
            length = self._write_index()
            if self._path is not None:
                self._output.flush()
                os.fsync(self._output.fileno())
                self._output.close()
                os.replace(self._temporary, self._path)
                _sync_folder(os.path.dirname(self._path) or ".")
        except BaseException:
            self.discard()
            raise
        return length

    def discard(self) -> None:
        """Takes the unfinished file away."""
        self._finished = True
        if self._path is not None:
            self._output.close()
            if os.path.lexists(self._temporary):
                os.unlink(self._temporary)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.discard()
        elif not self._finished:
            self.finish()

    # Content.

    def _add(self, name: str, kind: int, content: Bytes, dtype: Dtype, shape: tuple[int, ...]) -> None:
        encoded = self._check(name, kind, content, dtype, shape)
        first = len(self._chunks)
        transform, codec, run, digest = NO_TRANSFORM, RAW, 0, sha256(b"").digest()
        if len(content):
            plan = choose_plan(content, dtype, self._packing)
            if plan is not None and self._add_packed(content, dtype, plan):
                transform, codec = plan.layout.transform, ZSTD
                digest = sha256(b"".join(chunk.leaf for chunk in self._chunks[first:])).digest()
            else:
                run, digest = self._add_raw(content, dtype, run_alignment(kind, len(content)))
        count = len(self._chunks) - first
        draft = Draft(encoded, kind, dtype, shape, transform, codec, len(self._entries), len(content),
                       first if count else 0, count, run, digest)  # fmt: skip
        self._entries.append(draft)

    def _check(self, name: str, kind: int, content: Bytes, dtype: Dtype, shape: tuple[int, ...]) -> bytes:
        """The name as bytes, when the entry can be written."""
        file = self._path or ""
        if not isinstance(name, str):
            raise TypeError(f"a name is a str, not {type(name).__name__}")
        try:
            encoded = name.encode()
        except UnicodeEncodeError as error:
            raise KistError(file, f"{KINDS[kind]} {name!r}: name", "not valid UTF-8") from error
        field = f"{KINDS[kind]} {name!r}"
        if not 1 <= len(encoded) <= MAX_NAME:
            raise KistError(file, f"{field}: name", f"a name has 1 to {MAX_NAME} bytes, not {len(encoded)}")
        if (encoded, kind) in self._names:
            raise KistError(file, f"{field}: name", "there are two of that name")
        self._names.add((encoded, kind))
        if len(shape) > MAX_RANK:
            raise KistError(file, f"{field}: rank", f"{len(shape)} dimensions is more than {MAX_RANK}")
        if kind == TENSOR:
            count = 1
            for size in shape:
                count *= size
            if min(shape, default=0) < 0 or count % dtype.elements or count // dtype.elements * dtype.unit != len(content):
                message = f"{len(content)} bytes do not hold {list(shape)} of {dtype.name}"
                raise KistError(file, f"{field}: shape", message)
        return encoded

    def _add_packed(self, content: Bytes, dtype: Dtype, plan: Plan) -> bool:
        """Writes packed chunks; of a lone one that does not save enough nothing, and says so."""
        length = dtype.chunk_length
        lone = len(content) <= length
        for raw, leaf, stored in _packed_chunks(content, length, plan):
            if lone and len(stored) > len(raw) * (1 - plan.saving):
                return False
            key = leaf, plan.layout
            chunk = self._packed.get(key)
            if chunk is None:
                self._position = aligned(self._position)
                chunk = Chunk(self._position, len(stored), len(raw), xxh3(stored), 0, leaf)
                self._write(stored)
                self._packed[key] = chunk
            self._chunks.append(chunk)
        return True

    def _add_raw(self, content: Bytes, dtype: Dtype, alignment: int) -> tuple[int, bytes]:
        """Writes a run, or points at an earlier one of the same content. Gives its offset and the entry's digest."""
        pieces = [content[start : start + dtype.chunk_length] for start in range(0, len(content), dtype.chunk_length)]
        hashes: list[tuple[bytes, int]] = list(_ordered(_hashes, pieces))
        digest = sha256(b"".join(leaf for leaf, _ in hashes)).digest()
        run = self._runs.get((digest, len(content)))
        if run is None or run % alignment:
            run = self._position = aligned(self._position, alignment)
            self._runs[digest, len(content)] = run
            self._write(content.data)
        offset = run
        for piece, (leaf, checksum) in zip(pieces, hashes, strict=True):
            self._chunks.append(Chunk(offset, len(piece), len(piece), checksum, 0, leaf))
            offset += len(piece)
        return run, digest

    def _write(self, content: bytes | memoryview) -> None:
        self._output.seek(self._position)  # what is skipped reads as zero
        rest = memoryview(content)
        while len(rest):
            rest = rest[self._output.write(rest) :]
        self._position += len(content)

    def _write_index(self) -> int:
        drafts = sorted(self._entries, key=lambda draft: (draft.name, draft.kind))
        descriptions: dict[int, bytes] = {}
        for kind, content in index_blocks(drafts, self._chunks):
            offset = self._append(content) if content else 0
            descriptions[kind] = block_description(kind, offset, content)
        content = root(drafts, descriptions)
        offset = self._append(content)
        end = self._position
        self._position = 0
        self._write(head_page())
        self._position = SLOTS[0]
        self._write(slot_page(drafts, end, offset, content))
        return end

    def _append(self, content: bytes) -> int:
        """Writes at the next aligned place, and says where that is."""
        self._position = offset = aligned(self._position)
        self._write(content)
        return offset


def tensor_bytes(file: str, name: str, array: NDArray[Any], dtype: Dtype) -> Bytes:
    """The elements of an array in order, little-endian, as they are stored; copies only what is not so already."""
    content = np.ascontiguousarray(array, dtype.numpy).reshape(-1).view(np.uint8)
    if not dtype.is_packed:
        return content
    if len(content) % dtype.elements:
        message = f"{array.size} elements of {dtype.name} are no whole number of bytes"
        raise KistError(file, f"tensor {name!r}: shape", message)
    return pack_bits(content, 8 * dtype.unit // dtype.elements)


def _hashes(piece: Bytes) -> tuple[bytes, int]:
    return sha256(piece.data).digest(), xxh3(piece.data)


def _packed_chunks(content: Bytes, length: int, plan: Plan) -> Iterator[tuple[Bytes, bytes, bytes]]:
    """Each chunk's raw bytes, leaf and stored bytes."""
    pieces = [content[start : start + length] for start in range(0, len(content), length)]

    def pack(piece: Bytes) -> tuple[Bytes, bytes, bytes]:
        return piece, sha256(piece.data).digest(), pack_chunk(piece, plan)

    return _ordered(pack, pieces)


def _ordered(work: Any, pieces: Sequence[Bytes]) -> Iterator[Any]:
    """What `work` makes of each piece, in order, made on all cores with few pieces on their way at once."""
    if len(pieces) < 2 or core_count() == 1:
        yield from map(work, pieces)
        return
    waiting: deque[Future[Any]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool().submit(work, piece))
            if len(waiting) > 2 * core_count():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _sync_folder(folder: str) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
