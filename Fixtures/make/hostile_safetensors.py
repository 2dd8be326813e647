"""python Fixtures/make/hostile_safetensors.py    (pip install safetensors==0.8.0; rewrites Fixtures/hostile/safetensors)

Safetensors files with one thing wrong. The error must hold every word of the manifest's second column. The third says whether
the safetensors library (0.8.0) refuses the file too; the script asks it.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import safetensors
from safetensors_bytes import with_header

FOLDER = Path(__file__).resolve().parents[1] / "hostile/safetensors"
CASES: list[tuple[str, str, str, bytes]] = []


def case(name: str, words: str, note: str, content: bytes) -> None:
    CASES.append((name, words, note, content))


def tensor(dtype: Any, shape: Any, start: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def file(header: Any, data: bytes = b"", pad: bool = True) -> bytes:
    return with_header(json.dumps(header, separators=(",", ":")).encode(), data, pad)


F32x4 = tensor("F32", [4], 0, 16)
DATA = bytes(range(16))
GOOD = file({"a": F32x4}, DATA)
HEADER = json.dumps({"a": F32x4}).encode()

# The length field and the header's place.

case("empty", "header", "no bytes", b"")
case("seven-bytes", "header", "the length field is cut", GOOD[:7])
case("length-alone", "header", "eight bytes that promise a header", GOOD[:8])
case("header-cut", "header", "the file ends inside the header", GOOD[:40])
case(
    "length-past-end",
    "header",
    "the header would be one byte longer than the file",
    struct.pack("<Q", len(GOOD) - 7) + GOOD[8:],
)
case("length-0", "header", "a header of no bytes", struct.pack("<Q", 0) + DATA)
case("length-100-mb", "header", "100,000,001 bytes declared", struct.pack("<Q", 100_000_001) + GOOD[8:])
case("length-max", "header", "2^64 - 1: offset + length wraps", struct.pack("<Q", (1 << 64) - 1) + GOOD[8:])
case("length-2-63", "header", "2^63: negative as a signed number", struct.pack("<Q", 1 << 63) + GOOD[8:])

# JSON.

case("not-json", "json", "plain text", with_header(b"this is not JSON", DATA))
case("json-cut", "json", "the object does not end", with_header(HEADER[:-1], DATA))
case("json-trailing", "json", "a second object after the first", with_header(HEADER + b"{}", DATA))
case("json-comma", "json", "a comma before the closing brace", with_header(HEADER[:-1] + b",}", DATA))
case("json-comment", "json", "a comment", with_header(b"/* a */" + HEADER, DATA))
case(
    "json-nan",
    "json",
    "NaN in a shape",
    with_header(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,16]}}', DATA),
)
case("header-array", "object", "an array", with_header(b"[" + HEADER + b"]", DATA))
case("header-number", "object", "a number", with_header(b"1234567"))
case("header-null", "object", "null", with_header(b"null"))
case("header-spaces", "json", "spaces alone", with_header(b" " * 64))
case("utf-8-bad", "utf-8", "FF in a name", with_header(HEADER.replace(b'"a"', b'"\xff"'), DATA))
case("utf-8-overlong", "utf-8", "C1 81 for A in a name", with_header(HEADER.replace(b'"a"', b'"\xc1\x81"'), DATA))
case("utf-8-surrogate", "utf-8", "ED A0 80 in a name", with_header(HEADER.replace(b'"a"', b'"\xed\xa0\x80"'), DATA))
case("escape-surrogate", "json", "\\ud800 alone in a name", with_header(HEADER.replace(b'"a"', b'"\\ud800"'), DATA))
case("control-character", "json", "a bare line feed in a name", with_header(HEADER.replace(b'"a"', b'"\n"'), DATA))
case(
    "nested-2000",
    "json",
    "arrays 2,000 deep; tests make 10 million deep at run time",
    with_header(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
)
case("nested-2000-open", "json", "2,000 objects that never close", with_header(b'{"a":' * 2000))
case(
    "nested-in-metadata",
    "json",
    "objects 2,000 deep in __metadata__",
    with_header(b'{"__metadata__":' + b'{"a":' * 2000 + b"1" + b"}" * 2001),
)

# Keys.

TWICE = b'{"a":%s,"a":%s}'
FIRST, SECOND = json.dumps(F32x4).encode(), json.dumps(tensor("F32", [4], 16, 32)).encode()
case("name-twice", "duplicate", "two tensors a, one after the other", with_header(TWICE % (FIRST, SECOND), DATA * 2))
case("name-twice-same", "duplicate", "the same tensor a twice", with_header(TWICE % (FIRST, FIRST), DATA))
case("name-twice-escaped", "duplicate", "a and \\u0061, which are one name",
     with_header((TWICE % (FIRST, FIRST)).replace(b',"a":', b',"\\u0061":'), DATA))  # fmt: skip
case("metadata-twice", "duplicate", "__metadata__ twice",
     with_header(b'{"__metadata__":{"x":"1"},"__metadata__":{"x":"2"},"a":' + FIRST + b"}", DATA))  # fmt: skip
case("metadata-key-twice", "duplicate", "one key of __metadata__ twice",
     with_header(b'{"__metadata__":{"x":"1","x":"2"},"a":' + FIRST + b"}", DATA))  # fmt: skip
case("field-twice", "duplicate", "dtype twice, the second another",
     with_header(b'{"a":{"dtype":"F32","dtype":"I32","shape":[4],"data_offsets":[0,16]}}', DATA))  # fmt: skip

# The fields of a tensor.

for _field in ("dtype", "shape", "data_offsets"):
    case(
        f"no-{_field.replace('_', '-')}",
        _field,
        "missing",
        file({"a": {k: v for k, v in F32x4.items() if k != _field}}, DATA),
    )
case("tensor-null", "object", "null for a tensor", file({"a": None}))
case("tensor-array", "object", "the fields as an array", file({"a": ["F32", [4], [0, 16]]}, DATA))
case("tensor-string", "object", "a string for a tensor", file({"a": "F32"}))
case("dtype-unknown", "dtype", "F128", file({"a": tensor("F128", [1], 0, 16)}, DATA))
case("dtype-lower-case", "dtype", "f32", file({"a": tensor("f32", [4], 0, 16)}, DATA))
case("dtype-empty", "dtype", "the empty string", file({"a": tensor("", [4], 0, 16)}, DATA))
case("dtype-number", "dtype", "11", file({"a": tensor(11, [4], 0, 16)}, DATA))
case("shape-negative", "shape", "-4", file({"a": tensor("F32", [-4], 0, 16)}, DATA))
case("shape-negative-pair", "shape", "-2 x -2", file({"a": tensor("F32", [-2, -2], 0, 16)}, DATA))
case("shape-float", "shape", "4.0", file({"a": tensor("F32", [4.0], 0, 16)}, DATA))
case("shape-exponent", "shape", "4e0", with_header(HEADER.replace(b"[4]", b"[4e0]"), DATA))
case("shape-string", "shape", '"4"', file({"a": tensor("F32", ["4"], 0, 16)}, DATA))
case("shape-bool", "shape", "true", file({"a": tensor("F32", [4, True], 0, 16)}, DATA))
case("shape-number", "shape", "4, not in an array", file({"a": tensor("F32", 4, 0, 16)}, DATA))
case("shape-null", "shape", "null", file({"a": tensor("F32", None, 0, 16)}, DATA))
case("shape-2-64", "shape", "2^64, which is no 64-bit number", file({"a": tensor("F32", [1 << 64], 0, 16)}, DATA))
case("shape-1e400", "shape", "an integer of 401 digits", file({"a": tensor("F32", [10**400], 0, 16)}, DATA))
case("shape-leading-zero", "json", "04", with_header(HEADER.replace(b"[4]", b"[04]"), DATA))
case(
    "shape-product-wraps",
    "shape",
    "(2^62 + 1) x 4 wraps to 4",
    file({"a": tensor("F32", [(1 << 62) + 1, 4], 0, 16)}, DATA),
)
case(
    "shape-product-zero",
    "shape",
    "2^32 x 2^32 wraps to 0, no bytes",
    file({"a": tensor("U8", [1 << 32, 1 << 32], 0, 0)}),
)
case(
    "shape-bits-wrap",
    "shape",
    "(2^59 + 4) x 32 bits wrap to 16 bytes",
    file({"a": tensor("F32", [(1 << 59) + 4], 0, 16)}, DATA),
)
case("shape-too-small", "shape", "3 F32 in 16 bytes", file({"a": tensor("F32", [3], 0, 16)}, DATA))
case("shape-too-large", "shape", "5 F32 in 16 bytes", file({"a": tensor("F32", [5], 0, 16)}, DATA))
case("shape-empty-with-bytes", "shape", "0 F32 in 16 bytes", file({"a": tensor("F32", [0], 0, 16)}, DATA))
case("scalar-with-bytes", "shape", "a scalar F32 in 16 bytes", file({"a": tensor("F32", [], 0, 16)}, DATA))
case("f4-half-byte", "shape", "31 F4 in 16 bytes", file({"a": tensor("F4", [31], 0, 16)}, DATA))
case("f4-one", "shape", "one F4 in no bytes", file({"a": tensor("F4", [1], 0, 0)}))
case("f6-two-bits", "shape", "21 F6 in 16 bytes", file({"a": tensor("F6_E2M3", [21], 0, 16)}, DATA))

# Offsets.

case("offsets-one", "offset", "one number", file({"a": F32x4 | {"data_offsets": [0]}}, DATA))
case("offsets-three", "offset", "three numbers", file({"a": F32x4 | {"data_offsets": [0, 16, 16]}}, DATA))
case("offsets-negative", "offset", "-16 to 0", file({"a": F32x4 | {"data_offsets": [-16, 0]}}, DATA))
case("offsets-float", "offset", "0.0 to 16.0", file({"a": F32x4 | {"data_offsets": [0.0, 16.0]}}, DATA))
case("offsets-strings", "offset", "strings", file({"a": F32x4 | {"data_offsets": ["0", "16"]}}, DATA))
case("offsets-2-64", "offset", "2^64 to 2^64 + 16", file({"a": tensor("F32", [4], 1 << 64, (1 << 64) + 16)}, DATA))
case(
    "offsets-max",
    "offset",
    "2^64 - 16 to 2^64 - 1",
    file({"a": tensor("U8", [15], (1 << 64) - 16, (1 << 64) - 1)}, DATA),
)
case("offsets-descending", "offset", "16 to 0", file({"a": tensor("F32", [4], 16, 0)}, DATA))
case(
    "offsets-past-end",
    "offset",
    "the tensor needs 4 bytes more than there are",
    file({"a": tensor("F32", [5], 0, 20)}, DATA),
)
case("data-cut", "offset", "the last byte is missing", GOOD[:-1])
case("data-missing", "offset", "no byte after the header", GOOD[: -len(DATA)])
case("data-left", "offset", "one byte after the last tensor", GOOD + b"\0")
case("data-without-tensors", "offset", "no tensors, one byte", file({}, b"\0"))
case("offsets-gap", "offset", "4 bytes between two tensors",
     file({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 8, 12)}, DATA[:12]))  # fmt: skip
case("offsets-gap-first", "offset", "the first tensor begins at 4", file({"a": tensor("F32", [3], 4, 16)}, DATA))
case("offsets-overlap", "offset", "two tensors share 4 bytes",
     file({"a": tensor("F32", [2], 0, 8), "b": tensor("F32", [2], 4, 12)}, DATA[:12]))  # fmt: skip
case("offsets-same", "offset", "two tensors on the same bytes", file({"a": F32x4, "b": F32x4}, DATA))
case("offsets-empty-inside", "offset", "an empty tensor inside another",
     file({"a": F32x4, "b": tensor("F32", [0], 8, 8)}, DATA))  # fmt: skip

# Metadata.

for _kind, _value in (("number", 1), ("null", None), ("bool", True), ("array", ["x"]), ("object", {"y": "z"})):
    case(
        f"metadata-value-{_kind}",
        "__metadata__",
        f"a value that is a {_kind}",
        file({"__metadata__": {"x": _value}, "a": F32x4}, DATA),
    )
case("metadata-string", "__metadata__", "a string", file({"__metadata__": "pt", "a": F32x4}, DATA))
case("metadata-array", "__metadata__", "an array", file({"__metadata__": ["pt"], "a": F32x4}, DATA))
case("metadata-tensor", "__metadata__", "a tensor called __metadata__", file({"__metadata__": F32x4}, DATA))


def refused(content: bytes) -> bool:
    try:
        safetensors.deserialize(content)
    except (safetensors.SafetensorError, ValueError):
        return True
    return False


if __name__ == "__main__":
    assert not refused(GOOD)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.safetensors"):
        old.unlink()
    rows = ["file\twords\tlibrary\tnote"]
    for name, words, note, content in CASES:
        (FOLDER / f"{name}.safetensors").write_bytes(content)
        rows.append(f"{name}.safetensors\t{words}\t{'refuses' if refused(content) else 'accepts'}\t{note}")
    assert len(rows) == 1 + len({content for *_, content in CASES})
    (FOLDER / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
