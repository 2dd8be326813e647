"""python Fixtures/make/hostile_gguf.py    (standard library only; rewrites Fixtures/hostile/gguf)

GGUF files with one thing wrong. The error must hold every word of the manifest's second column. Those of public reports are named
for them: the reports say what other readers did with such a file.
"""

from __future__ import annotations

import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "hostile/gguf"
CASES: list[tuple[str, str, str, bytes]] = []

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
GGML_F32, GGML_F16, GGML_Q4_0, GGML_I8, GGML_Q4_K = 0, 1, 2, 24, 12


def case(name: str, words: str, note: str, content: bytes) -> None:
    CASES.append((name, words, note, content))


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def string(text: str | bytes, length: int | None = None) -> bytes:
    content = text.encode() if isinstance(text, str) else text
    return u64(len(content) if length is None else length) + content


def item(key: str | bytes, kind: int, value: bytes) -> bytes:
    return string(key) + u32(kind) + value


def array(kind: int, count: int, content: bytes = b"") -> bytes:
    return u32(kind) + u64(count) + content


def tensor(name: str | bytes, dims: list[int], kind: int = GGML_F32, offset: int = 0, rank: int | None = None) -> bytes:
    head = string(name) + u32(len(dims) if rank is None else rank)
    return head + b"".join(map(u64, dims)) + u32(kind) + u64(offset)


def file(items: list[bytes], tensors: list[bytes] = [], data: bytes = b"", version: int = 3, alignment: int = 32,
         tensor_count: int | None = None, item_count: int | None = None) -> bytes:  # fmt: skip
    counts = (len(tensors) if tensor_count is None else tensor_count, len(items) if item_count is None else item_count)
    head = b"GGUF" + u32(version) + u64(counts[0]) + u64(counts[1]) + b"".join(items) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data


ARCH = item("general.architecture", STRING, string("llama"))
ONE = tensor("a", [4])
DATA = bytes(range(32))
GOOD = file([ARCH], [ONE], DATA)
MAX = 2**64 - 1

# The start.

case("magic-alone", "header", "four bytes", GOOD[:4])
case("version-cut", "version", "the version is cut", GOOD[:6])
case("counts-cut", "count", "the counts are cut", GOOD[:20])
case("version-1", "version 1", "which has 32-bit counts", file([ARCH], [ONE], DATA, version=1))
case("version-4", "version 4", "not known", file([ARCH], [ONE], DATA, version=4))
case("version-0", "version", "0", file([ARCH], [ONE], DATA, version=0))
case("big-endian", "big-endian", "the version's bytes the other way round", b"GGUF" + struct.pack(">IQQ", 3, 0, 0))

# Counts. ggml #709 (unchecked n_kv and n_tensors), ollama #17042 and llama.cpp #27188 (allocation and loops by them).

for label, count in (("max", MAX), ("2-63", 2**63), ("2-40", 2**40), ("one-more", 2)):
    words = "tensor" if label == "one-more" else "key count"
    case(f"key-count-{label}", words, "more keys than the file has", file([ARCH], [ONE], DATA, item_count=count))
    case(
        f"tensor-count-{label}",
        "tensor",
        "more tensors than the file has",
        file([ARCH], [ONE], DATA, tensor_count=count),
    )
case("ggml-709-key-count", "key count", "ggml #709: n_kv sizes an allocation", file([], item_count=MAX // 24))
case("ggml-709-tensor-count", "tensor count", "ggml #709: n_tensors × size wraps", file([], tensor_count=2**61))

# Strings.

for label, length in (("max", MAX), ("2-63", 2**63), ("past-end", 200), ("wraps", MAX - 31)):
    case(
        f"string-{label}",
        "general.name string",
        "longer than the file",
        file([item("general.name", STRING, string("x", length))], [ONE], DATA),
    )
case("key-length-max", "key 0 string", "a key of 2^64 - 1 bytes", file([string("k", MAX) + u32(U8) + b"\1"]))
case("key-empty", "key 0 65535", "a key of no bytes", file([item("", U8, b"\1"), ARCH]))
case("key-too-long", "key 0 65535", "65,536 bytes", file([item("k" * 65536, U8, b"\1")]))
case("key-not-utf-8", "key 0 utf-8", "FF", file([item(b"\xff", U8, b"\1"), ARCH]))
case("key-twice", "duplicate general.architecture", "two keys alike", file([ARCH, ARCH], [ONE], DATA))
case("value-type-13", "no type", "a type that there is not", file([item("k", 13, u64(0)), ARCH]))
case("value-cut", "header", "the file ends in a value", file([item("k", U64, b"\1\2\3")], alignment=1))
case(
    "ollama-17042-string",
    "string",
    "ollama #17042: a string of 2^40 bytes in a file of 60",
    file([item("general.name", STRING, string("x", 2**40))]),
)
case(
    "ggml-1516-string",
    "string",
    "ggml #1516: 160 bytes that declare a string of 1 GiB",
    file([ARCH, item("general.name", STRING, string("x" * 40, 2**30 - 1))], [ONE]),
)

# Arrays.

for label, kind in (("u8", U8), ("i32", I32), ("f64", F64), ("string", STRING), ("array", ARRAY), ("bool", BOOL)):
    for size, count in (("max", MAX), ("2-61", 2**61), ("1000000", 10**6)):
        case(f"array-{label}-{size}", "array", "more elements than the file", file([item("k", ARRAY, array(kind, count)), ARCH]))
case("array-type-99", "no type", "elements of no type", file([item("k", ARRAY, array(99, 1, u64(0))), ARCH]))
case("array-string-past-end", "string", "a string of it is too long", file([item("k", ARRAY, array(STRING, 2, string("a") + string("b", 2**62)))]))
case("array-cut", "array", "the count is cut", file([item("k", ARRAY, u32(U8) + b"\1\0")], alignment=1))
case(
    "gguf-py-27188-array",
    "array",
    "llama.cpp #27188: an array of 2^63 elements keeps gguf-py 0.19 busy for ever",
    file([item("arr", ARRAY, array(U8, 2**63))], alignment=1),
)
case(
    "ggml-1516-array",
    "array",
    "ggml #1516: an array of 2^30 - 1 numbers in 160 bytes",
    file([ARCH, item("tokenizer.ggml.scores", ARRAY, array(F32, 2**30 - 1, bytes(40)))], [ONE]),
)
nested = array(U8, 0)
for _ in range(9):
    nested = array(ARRAY, 1, nested)
case("nested-10", "arrays in more than 8", "arrays ten deep", file([item("k", ARRAY, nested), ARCH]))
deep = b"".join(array(ARRAY, 1) for _ in range(5000)) + array(U8, 0)
case("huggingface-js-2028-nested", "arrays in more than 8", "huggingface.js #2028: 5,000 deep", file([item("k", ARRAY, deep)]))
case(
    "huggingface-js-2028-bomb",
    "array",
    "huggingface.js #2028: arrays of arrays of 2^32 empty arrays each",
    file([item("k", ARRAY, array(ARRAY, 2**32, array(ARRAY, 2**32, array(U8, 0))))]),
)
case(
    "huggingface-js-2028-string",
    "string",
    "huggingface.js #2028: a string that never ends",
    file([item("general.name", STRING, string("x" * 100, 2**53 + 1))]),
)
case("huggingface-js-2028-type", "no type", "huggingface.js #2028: elements of an unknown type", file([item("k", ARRAY, array(4242, 4, bytes(64)))]))

# Alignment.

for value in (0, 3, 48, 2**32 - 1):
    case(
        f"alignment-{value}",
        "general.alignment",
        "no power of two",
        file([ARCH, item("general.alignment", U32, u32(value))], [ONE], DATA),
    )
case("alignment-u64", "general.alignment u64", "of another type", file([item("general.alignment", U64, u64(32))], [ONE], DATA))
case("alignment-string", "general.alignment string", "of another type", file([item("general.alignment", STRING, string("32"))], [ONE], DATA))
for value in (2**21, 2**30, 2**31):
    case(
        f"{'ggml-1516' if value == 2**30 else 'GHSA-96jg' if value == 2**31 else 'large'}-alignment",
        "general.alignment",
        f"{value}: padding grows with it, and x + alignment - 1 wraps in 32 bits (GHSA-96jg-mvhq-q7q7)",
        file([ARCH, item("general.alignment", U32, u32(value))], [ONE], DATA),
    )
case("gguf-tools-27-alignment", "general.alignment", "gguf-tools #27: 0 divides", file([item("general.alignment", U32, u32(0))], [ONE]))

# Tensors.

case("name-empty", "tensor 0 65535", "a name of no bytes", file([ARCH], [tensor("", [4])], DATA))
case("name-twice", "duplicate", "two tensors alike", file([ARCH], [ONE, tensor("a", [4], offset=32)], DATA * 2))
case("name-not-utf-8", "tensor 0 utf-8", "C0 80", file([ARCH], [tensor(b"\xc0\x80", [4])], DATA))
case("name-length-max", "tensor 0", "2^64 - 1", file([ARCH], [string("a", MAX) + bytes(24)], DATA))
case("rank-9", "dimension 9", "nine dimensions", file([ARCH], [tensor("a", [1] * 9)], DATA))
case("gguf-tools-25-rank", "dimension", "gguf-tools #25: 64 dimensions written to an array of 8", file([ARCH], [tensor("a", [1] * 64)], DATA))
case("rank-max", "dimension", "2^32 - 1 dimensions (llama.cpp #25378)", file([ARCH], [tensor("a", [4], rank=2**32 - 1)], DATA))
case("dimension-2-63", "dimension", "2^63: negative as a signed number", file([ARCH], [tensor("a", [2**63])], DATA))
case("dimension-max", "dimension", "2^64 - 1", file([ARCH], [tensor("a", [MAX])], DATA))
case(
    "GHSA-vgg9-dimensions",
    "overflows",
    "GHSA-vgg9-87g3-85w8: 2^32 × 2^32 elements, a product that wraps to 0",
    file([ARCH], [tensor("a", [2**32, 2**32])], DATA),
)
case(
    "llama-cpp-18674-dimensions",
    "overflows",
    "llama.cpp #18674: a row of 2^22 bytes times 2^42 + 1 wraps",
    file([ARCH], [tensor("token_embd.weight", [2**20, 2**42 + 1])], DATA),
)
case(
    "llama-cpp-26978-padding",
    "overflows",
    "llama.cpp #26978: 2^64 - 16 bytes, which padding wraps to 0",
    file([ARCH], [tensor("b", [4, 2**30 - 1, 2**30 + 1])], DATA),
)
case(
    "llama-cpp-27200-blocks",
    "file",
    "llama.cpp #27200: elements × block bytes wraps, before the division by the block",
    file([ARCH], [tensor("a", [5124095576030431008], GGML_Q4_0)], DATA),
)
case("llama-cpp-27203-i8", "overflows", "llama.cpp #27203: 2^63 - 1 times 2", file([ARCH], [tensor("a", [2**63 - 1, 2], GGML_I8)], DATA))
case("product-with-0", "overflows", "0 times a product that overflows", file([ARCH], [tensor("a", [0, 2**40, 2**40])], DATA))
case("row-no-block", "block", "rows of 33 in blocks of 32", file([ARCH], [tensor("a", [33, 32], GGML_Q4_0)], bytes(1024)))
case("row-half-block", "block", "rows of 128 in blocks of 256", file([ARCH], [tensor("a", [128, 2], GGML_Q4_K)], bytes(1024)))
case("type-43", "type 1000", "no type of tensors", file([ARCH], [tensor("a", [4], 1000)], DATA))
case("type-removed", "Q4_0_4_4 removed", "31, which llama.cpp removed", file([ARCH], [tensor("a", [32], 31)], DATA))
case("type-max", "type", "2^32 - 1", file([ARCH], [tensor("a", [4], 2**32 - 1)], DATA))
case("offset-unaligned", "offset alignment", "8", file([ARCH], [tensor("a", [4], offset=8)], DATA))
case("offset-past-end", "offset", "64 in data of 32", file([ARCH], [tensor("a", [4], offset=64)], DATA))
case("offset-max", "offset", "2^64 - 32", file([ARCH], [tensor("a", [4], offset=2**64 - 32)], DATA))
case("offset-wraps", "offset", "2^63 - 32: start + offset wraps", file([ARCH], [tensor("a", [4], offset=2**63 - 32)], DATA))
case(
    "size-wraps",
    "offset",
    "a size that wraps with its offset",
    file([ARCH], [tensor("a", [2**59], GGML_I8, 2**63 - 2**58)], DATA),
)
case("overlap", "overlaps", "two tensors in one place", file([ARCH], [ONE, tensor("b", [4])], DATA))
case("overlap-part", "overlaps", "a tensor that begins inside another", file([ARCH], [tensor("a", [12]), tensor("b", [4], offset=32)], DATA * 3))
case("data-cut", "file", "the data ends early", file([ARCH], [tensor("a", [16])], DATA))
case("data-missing", "file", "no data", file([ARCH], [ONE]))

# Parts.

SPLIT = [item("split.no", U16, struct.pack("<H", 0)), item("split.count", U16, struct.pack("<H", 3))]
case("split-alone", "part 1 of 3", "a part whose name does not say so", file([ARCH, *SPLIT], [ONE], DATA))
case("split-00001-of-00003", "split-00002-of-00003 not there", "a part whose others are not there", file([ARCH, *SPLIT], [ONE], DATA))
case("split-text", "split.count", "a count that is no number", file([item("split.count", STRING, string("3"))], [ONE], DATA))
case("split-negative", "split.count", "-3", file([item("split.count", I32, struct.pack("<i", -3))], [ONE], DATA))
case("split-max", "split.count", "2^64 - 1", file([item("split.count", U64, u64(MAX))], [ONE], DATA))

FOLDER.mkdir(parents=True, exist_ok=True)
for old in FOLDER.iterdir():
    old.unlink()
rows = ["file\twords\tnote"]
for name, words, note, content in CASES:
    (FOLDER / f"{name}.gguf").write_bytes(content)
    rows.append(f"{name}.gguf\t{words}\t{note}")
(FOLDER / "manifest.tsv").write_text("\n".join(rows) + "\n")
assert len({name for name, *_ in CASES}) == len(CASES), "names repeat"
print(f"{len(CASES)} files, {sum(p.stat().st_size for p in FOLDER.iterdir())} bytes")
