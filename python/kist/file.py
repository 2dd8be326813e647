"""An opened Kist file: what is in it, and its content."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decoding import check_chunk, decode_chunk
from .errors import KistError, KistMissingError
from .index import Entry, Index
from .layout import ASSET, BODY, CHUNK, CHUNK_COLUMNS, MAX_STORED, PAGE_ALIGNED, RAW, RECORD, Chunk
from .opening import open_root
from .threads import run_all
from .values import Array, as_array

__all__ = ["KistFile"]

Path = str | os.PathLike[str]

# A chunk of an entry, and where its raw bytes go; None when it is only compared with its XXH3.
Job = tuple[Entry, int, Chunk, NDArray[np.uint8] | None]

_BATCH = 1 << 20  # raw bytes that a thread takes at once, where chunks are smaller
_MAX_RECORD = 64 << 20


class KistFile:
    """A Kist file, opened: head, commit, root and index have been checked; content is, when it is read.

    Tensors that are stored raw are mapped: arrays point into the file, and writing to them changes memory, not the file.
    Do not truncate a file while it is open. Safe to use from several threads.

        file = KistFile("model.kist")
        file.tensors                      # names, in the order of the source
        file.array("model.norm.weight")   # a NumPy array
        file.asset("config.json")         # bytes
        file.verify()                     # every SHA-256 and signature; raises KistError
    """

    def __init__(self, source: Path | bytes | bytearray | memoryview) -> None:
        self._writable: memoryview | None = None
        if isinstance(source, (bytes, bytearray, memoryview)):
            self.path = "<bytes>"
            self._data = memoryview(source).toreadonly().cast("B")
        else:
            self.path = os.fspath(source)
            self._data, self._writable = _map(self.path)
        self._opened = open_root(self.path, self._data)
        self._length = self._opened.slot.file_length
        self.index = Index(self.path, self._data, self._opened)
        self._given: dict[str, object] = {}

    # What is in it.

    @property
    def tensors(self) -> list[str]:
        """Names of the tensors, in the order of the source."""
        return self.index.by_ordinal(self.index.tensors)

    @property
    def assets(self) -> list[str]:
        """Names of the files that are kept verbatim: config.json, tokenizer.json and so on."""
        return self.index.by_ordinal(self.index.assets)

    @property
    def records(self) -> list[str]:
        """Names of Kist's own records."""
        return self.index.by_ordinal(self.index.records)

    @property
    def weights_digest(self) -> bytes:
        """SHA-256 over all tensors: equal for equal weights, however they are packed."""
        return self._opened.root.weights_digest

    @property
    def package_digest(self) -> bytes:
        """SHA-256 over everything but signatures; what signatures sign."""
        return self._opened.root.package_digest

    @property
    def set_id(self) -> bytes:
        """What the files of one set share; zero where the file is in none."""
        return self._opened.root.set_id

    @property
    def shard(self) -> int:
        """The file's number in its set, from 1; 0 where it is in none."""
        return self._opened.root.shard

    @property
    def shards(self) -> int:
        """How many files its set has; 0 where it is in none."""
        return self._opened.root.shards

    def tensor(self, name: str) -> Entry:
        """The index entry of a tensor: dtype, shape and how it is stored."""
        at = self.index.tensors.get(name)
        if at is None:
            raise KistError(self.path, "", f"File does not contain tensor {name}")
        return self.index.entry(at)

    def asset(self, name: str) -> bytes:
        """A file that is kept verbatim."""
        return self._content(name, self.index.assets, ASSET)

    def record(self, name: str) -> bytes:
        """One of Kist's own records."""
        return self._content(name, self.index.records, RECORD)

    def metadata(self) -> dict[str, Any]:
        """The model's key-values, as Python's own types; of long lists the beginning. Empty when there are none."""
        members = self._json("kist:metadata")
        try:
            return {key: _value(member) for key, member in members.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise KistError(self.path, "record 'kist:metadata'", f"a member has no value: {error}") from error

    def provenance(self) -> dict[str, Any]:
        """What the file was made from."""
        return self._json("kist:provenance")

    # Content.

    def array(self, name: str, *, check: bool = True) -> Array:
        """A tensor as an array. Block types are given as rows of bytes, see `kist.dequantize`.

        With `check=False`, a large tensor that is mapped is not compared with its XXH3, and so not read.
        """
        return as_array(self.path, self.tensor(name), self.content(name, check=check))

    def arrays(self, names: Iterable[str] | None = None, *, check: bool = True) -> dict[str, Array]:
        """Tensors as arrays, by default all of them; unpacked by all cores at once."""
        contents = self.contents(self.tensors if names is None else names, check=check)
        return {name: as_array(self.path, entry, content) for name, (entry, content) in contents.items()}

    def content(self, name: str, *, check: bool = True) -> NDArray[np.uint8]:
        """The bytes of a tensor, as they are in memory, writable."""
        return self.contents([name], check=check)[name][1]

    def contents(self, names: Iterable[str], *, check: bool = True) -> dict[str, tuple[Entry, NDArray[np.uint8]]]:
        """The bytes of several tensors, mapped where they are raw, else decoded."""
        found: dict[str, tuple[Entry, NDArray[np.uint8]]] = {}
        jobs: list[Job] = []
        for name in names:
            entry = self.tensor(name)
            mapped = self._mapped(entry)
            if mapped is None:
                chunks = list(self.chunks(entry))  # checked before there is memory for them
                content = self._memory(entry, entry.raw_length)
                for at, chunk in enumerate(chunks):
                    start = at * entry.chunk_length
                    jobs.append((entry, at, chunk, content[start : start + chunk.raw_length]))
            else:
                content = mapped
                if entry.raw_length < PAGE_ALIGNED:  # costs next to nothing
                    chunk = self.chunk(entry, 0)
                    check_chunk(self.path, entry, 0, chunk, self.stored(chunk))
                elif check:
                    jobs += [(entry, at, chunk, None) for at, chunk in enumerate(self.chunks(entry))]
                else:
                    self._check_run(entry)
            found[name] = entry, content
        self._run(jobs)
        return found

    def read(self, entry: Entry, start: int = 0, stop: int | None = None, *, check: bool = True) -> NDArray[np.uint8]:
        """A range of the bytes of an entry, in new memory; decodes the chunks that it touches."""
        stop = entry.raw_length if stop is None else stop
        if start >= stop:
            return np.empty(0, np.uint8)
        first, last = start // entry.chunk_length, (stop - 1) // entry.chunk_length
        if entry.codec == RAW and not check:
            self._check_run(entry)
            return np.frombuffer(self._data[entry.run + start : entry.run + stop], np.uint8).copy()
        begin = first * entry.chunk_length
        chunks = [self.chunk(entry, at) for at in range(first, last + 1)]
        content = self._memory(entry, min((last + 1) * entry.chunk_length, entry.raw_length) - begin)
        jobs: list[Job] = []
        for at, chunk in enumerate(chunks, first):
            place = at * entry.chunk_length - begin
            jobs.append((entry, at, chunk, content[place : place + chunk.raw_length]))
        self._run(jobs)
        return content[start - begin : stop - begin]

    def chunk(self, entry: Entry, at: int) -> Chunk:
        """A chunk record of an entry, checked."""
        record = self._opened.root.blocks[3 + entry.chunk_block].offset + (entry.first_chunk + at) * CHUNK.size
        chunk = Chunk._make(CHUNK.unpack_from(self._data, record))
        offset, stored, raw, _, reserved, _ = chunk
        before = at * entry.chunk_length
        if (
            reserved
            or raw != min(entry.raw_length - before, entry.chunk_length)
            or stored > MAX_STORED
            or offset < BODY
            or offset + stored > self._length
            or ((stored != raw or offset != entry.run + before) if entry.codec == RAW else offset % 64)
        ):
            raise self._refused(entry, at, chunk, record)
        return chunk

    def _check_run(self, entry: Entry) -> None:
        """Checks the chunk records of a raw entry; many of them all at once."""
        if entry.chunk_count < 16:
            for at in range(entry.chunk_count):
                self.chunk(entry, at)
            return
        start = self._opened.root.blocks[3 + entry.chunk_block].offset + entry.first_chunk * CHUNK.size
        records = np.frombuffer(self._data[start : start + entry.chunk_count * CHUNK.size], CHUNK_COLUMNS)
        before = np.arange(entry.chunk_count, dtype=np.uint64) * np.uint64(entry.chunk_length)
        good = (records["offset"] == before + np.uint64(entry.run)) & (records["reserved"] == 0)
        good &= records["stored"] == np.minimum(np.uint64(entry.raw_length) - before, np.uint64(entry.chunk_length))
        good &= records["raw"] == records["stored"]
        if not good.all():
            self.chunk(entry, int(np.argmin(good)))  # raises what is wrong

    def _refused(self, entry: Entry, at: int, chunk: Chunk, record: int) -> KistError:
        """What is wrong with a chunk record."""
        before = at * entry.chunk_length
        expected = min(entry.raw_length - before, entry.chunk_length)
        offset, stored, raw, _, reserved, _ = chunk
        raw_codec = entry.codec == RAW
        faults = [
            (reserved != 0, "reserved", "bytes that are not zero"),
            (raw != expected, "raw length", f"{raw} instead of {expected}"),
            (stored > MAX_STORED, "stored length", f"{stored} is over {MAX_STORED}"),
            (offset < BODY or offset + stored > self._length, "offset", f"{offset} + {stored} lies outside the body"),
            (raw_codec and stored != raw, "stored length", f"{stored} instead of {raw}"),
            (raw_codec and offset != entry.run + before, "offset", f"{offset} leaves the run, at {entry.run + before}"),
            (True, "offset", f"{offset} is not a multiple of 64"),
        ]
        field, message = next((field, message) for wrong, field, message in faults if wrong)
        return KistError(self.path, f"{entry}: chunk {at}: {field}", message, record)

    def chunks(self, entry: Entry) -> Iterator[Chunk]:
        """The chunk records of an entry, checked."""
        return (self.chunk(entry, at) for at in range(entry.chunk_count))

    def stored(self, chunk: Chunk) -> memoryview:
        """The bytes of a chunk as they are in the file."""
        return self._data[chunk.offset : chunk.offset + chunk.stored_length]

    # The whole.

    def problems(self) -> list[KistError]:
        """Everything that is wrong: also what only a full check finds. Reads the whole file."""
        from .verification import problems

        return problems(self, self._data, self._opened)

    def verify(self) -> None:
        """Checks every SHA-256, digest and signature, and that nothing overlaps; raises the first thing that is wrong."""
        found = self.problems()
        if found:
            raise found[0]

    def _mapped(self, entry: Entry) -> NDArray[np.uint8] | None:
        """The bytes of a raw tensor where they lie; None for what is to be copied.

        That is also the second array of one tensor, which must not see what is written to the first.
        """
        if entry.codec != RAW or self._writable is None or not entry.raw_length:
            return None
        claim = object()
        if self._given.setdefault(entry.name, claim) is not claim:  # at once, whatever other threads do
            return None
        return np.frombuffer(self._writable, np.uint8, entry.raw_length, entry.run)

    def _memory(self, entry: Entry, length: int) -> NDArray[np.uint8]:
        try:
            return np.empty(length, np.uint8)
        except (MemoryError, ValueError) as error:
            raise KistError(self.path, str(entry), f"there is no memory for its {length} bytes") from error

    def _run(self, jobs: list[Job]) -> None:
        """Decodes chunks, or checks those that have no place to be decoded to, on all cores."""
        batches: list[list[Job]] = []
        room = 0
        for job in jobs:
            if job[2].raw_length > room:
                batches.append([])
                room = _BATCH
            batches[-1].append(job)
            room -= job[2].raw_length
        run_all([partial(self._decode, batch) for batch in batches])

    def _decode(self, batch: list[Job]) -> None:
        for entry, at, chunk, out in batch:
            if out is None:
                check_chunk(self.path, entry, at, chunk, self.stored(chunk))
            else:
                decode_chunk(self.path, entry, at, chunk, self.stored(chunk), out)

    def _content(self, name: str, places: dict[str, int], kind: int) -> bytes:
        at = places.get(name)
        if at is None:
            what = "file" if kind == ASSET else "record"
            raise KistError(self.path, "", f"there is no {what} {name!r} in it")
        return self.read(self.index.entry(at)).tobytes()

    def _json(self, name: str) -> dict[str, Any]:
        at = self.index.records.get(name)
        if at is None:
            return {}
        field = f"record {name!r}"
        if self.index.entry(at).raw_length > _MAX_RECORD:
            raise KistError(self.path, field, f"larger than such a record may be ({_MAX_RECORD} bytes)")
        try:
            value: Any = json.loads(self.record(name).decode())
        except (ValueError, RecursionError) as error:
            raise KistError(self.path, field, f"not JSON: {error}") from error
        if not isinstance(value, dict):
            raise KistError(self.path, field, "not a JSON object")
        return value

    def __repr__(self) -> str:
        return f"KistFile({self.path!r}, {len(self.index.tensors)} tensors, {len(self.index.assets)} files)"


def _map(path: str) -> tuple[memoryview, memoryview | None]:
    """A file as it is, and as private memory: writing to that copies the page and leaves the file alone."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b""), None
            fixed = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            private = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except FileNotFoundError as error:
        raise KistMissingError(path, "", "No such file or directory") from error
    except (OSError, ValueError) as error:
        raise KistError(path, "file", getattr(error, "strerror", None) or str(error)) from error
    return memoryview(fixed), memoryview(private)


def _value(member: dict[str, Any]) -> Any:
    """A member of `kist:metadata` without its type. Floats that JSON has no numbers for are strings there."""
    kind, value = member["type"], member["value"]
    if kind == "array":
        return [_value({"type": value["of"], "value": each}) for each in value.get("values", [])]
    return float(value) if kind in ("f32", "f64") else value
