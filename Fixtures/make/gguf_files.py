"""python Fixtures/make/gguf_files.py    (pip install gguf==0.19.0 numpy; rewrites Fixtures/gguf)

GGUF files that gguf-py writes: every type of value, nested arrays, every type of tensor, alignments, parts of a split model.
`expected.json` says what is in each: values as they were given to the writer, tensors as gguf-py's own reader finds them.
Three more are made of those by hand: version 2, a last tensor without padding, and padding that is not zero.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter

FOLDER = Path(__file__).resolve().parents[1] / "gguf"
V = GGUFValueType
EXPECTED: dict[str, Any] = {}
NAMES = {V.UINT8: "u8", V.INT8: "i8", V.UINT16: "u16", V.INT16: "i16", V.UINT32: "u32", V.INT32: "i32",
         V.UINT64: "u64", V.INT64: "i64", V.FLOAT32: "f32", V.FLOAT64: "f64", V.BOOL: "bool", V.STRING: "string",
         V.ARRAY: "array"}  # fmt: skip
Item = tuple[str, Any, GGUFValueType, GGUFValueType | None]


def text(value: Any, kind: GGUFValueType, element: GGUFValueType | None) -> Any:
    """A value as expected.json has it: text, so that all digits come through."""
    if kind == V.ARRAY:
        if element == V.ARRAY:
            return [text(inner, V.ARRAY, V.get_type(inner[0])) for inner in value]
        return [text(inner, element, None) for inner in value]
    if kind in (V.FLOAT32, V.FLOAT64):
        if math.isnan(value):
            return "nan"
        bits = struct.pack("<f" if kind == V.FLOAT32 else "<d", value)
        return "0x" + bits[::-1].hex()
    if kind == V.BOOL:
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def write(name: str, items: list[Item], tensors: list[tuple[str, np.ndarray, GGMLQuantizationType | None]] = [],
          alignment: int | None = None, **split: Any) -> list[Path]:  # fmt: skip
    path = FOLDER / f"{name}.gguf"
    writer = GGUFWriter(path, "test", **split)
    if alignment is not None:
        writer.add_custom_alignment(alignment)
    for key, value, kind, element in items:
        writer.add_key_value(key, value, kind, element)
    for tensor, values, raw in tensors:
        writer.add_tensor(tensor, values, raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    paths = sorted(FOLDER.glob(f"{name}-0*.gguf")) if split else [path]
    given: list[Item] = [("general.architecture", "test", V.STRING, None)]
    if alignment is not None:
        given.append(("general.alignment", alignment, V.UINT32, None))
    expect(paths, given + items)
    return paths


def element_type(value: Any, given: V | None) -> V:
    """U8 is 0, so `or` would not do."""
    return V.get_type(value[0]) if given is None else given


def expect(paths: list[Path], items: list[Item], read: list[Path] | None = None) -> None:
    """Notes what is in some files; tensors of hand-made ones are those of the files that they were made of."""
    found = []
    for path in read or paths:
        for tensor in GGUFReader(path).tensors:
            found.append({
                "name": tensor.name, "type": tensor.tensor_type.name, "shape": [int(d) for d in reversed(tensor.shape)],
                "sha256": hashlib.sha256(tensor.data.tobytes()).hexdigest(),
            })  # fmt: skip
    metadata = [
        {"key": key, "type": NAMES[kind], "of": NAMES[element_type(value, element)] if kind == V.ARRAY else None,
         "value": text(value, kind, element_type(value, element) if kind == V.ARRAY else None)}
        for key, value, kind, element in items
    ]  # fmt: skip
    EXPECTED[paths[0].name] = {"files": [path.name for path in paths], "metadata": metadata, "tensors": found}


def values() -> None:
    items: list[Item] = []
    ranges = {V.UINT8: (0, 255), V.INT8: (-128, 127), V.UINT16: (0, 65535), V.INT16: (-32768, 32767),
              V.UINT32: (0, 2**32 - 1), V.INT32: (-(2**31), 2**31 - 1), V.UINT64: (0, 2**64 - 1),
              V.INT64: (-(2**63), 2**63 - 1)}  # fmt: skip
    for kind, (low, high) in ranges.items():
        items += [(f"low.{NAMES[kind]}", low, kind, None), (f"high.{NAMES[kind]}", high, kind, None)]
        items.append((f"list.{NAMES[kind]}", [low, 1, high], V.ARRAY, kind))
    floats = [0.0, -0.0, 1.5, -2.25, 1e-30, math.inf, -math.inf, math.nan]
    for kind in (V.FLOAT32, V.FLOAT64):
        single = [struct.unpack("<f", struct.pack("<f", x))[0] if kind == V.FLOAT32 else x for x in [*floats, 0.1]]
        items += [(f"float.{index}.{NAMES[kind]}", x, kind, None) for index, x in enumerate(single)]
        items.append((f"list.{NAMES[kind]}", single, V.ARRAY, kind))
    items += [("yes", True, V.BOOL, None), ("no", False, V.BOOL, None)]
    items.append(("list.bool", [True, False, True], V.ARRAY, V.BOOL))
    items += [("text.empty", "", V.STRING, None), ("text.unicode", "e\u0301 \u00e9 日本 🙂 \"\\\n\0", V.STRING, None)]
    items.append(("list.string", ["", "a", "日本", "b" * 300], V.ARRAY, V.STRING))
    items.append(("list.long", [f"token {number}" for number in range(1000)], V.ARRAY, V.STRING))
    items.append(("list.of.lists", [[1, 2], [3], [-4, 5, 6]], V.ARRAY, V.ARRAY))
    items.append(("list.of.lists.of.lists", [[["a", "b"], [""]], [["c"]]], V.ARRAY, V.ARRAY))
    items.append(("e\u0301", 1, V.UINT8, None))
    items.append(("\u00e9", 2, V.UINT8, None))
    write("values", items)


def types() -> None:
    random = np.random.default_rng(6)
    plain = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "I8": np.int8, "I16": np.int16, "I32": np.int32,
             "I64": np.int64}  # fmt: skip
    tensors: list[tuple[str, np.ndarray, GGMLQuantizationType | None]] = []
    for kind in GGMLQuantizationType:
        if kind == GGMLQuantizationType.Q8_1:
            continue  # gguf-py 0.19 takes its blocks for 40 bytes; ggml's have 36
        if kind.name in plain:
            values = random.integers(-100, 100, (2, 3, 5)).astype(plain[kind.name])
            tensors.append((f"blk.{int(kind)}.{kind.name}", values, None))
        else:
            # Two rows of two blocks; bytes of any kind are blocks.
            size = GGML_QUANT_SIZES[kind][1]
            tensors.append((f"blk.{int(kind)}.{kind.name}", random.integers(0, 256, (2, 2 * size), np.uint8), kind))
    write("types", [], tensors)


def shapes() -> None:
    random = np.random.default_rng(7)
    tensors = [
        (f"rank.{len(shape)}", random.standard_normal(shape).astype(np.float32), None)
        for shape in [(7,), (2, 3), (4, 1, 5), (2, 3, 1, 4)]
    ]
    items: list[Item] = [("note", "shapes", V.STRING, None)]
    write("shapes", items, tensors)
    for alignment in (1, 64, 4096):
        write(f"alignment-{alignment}", items, tensors, alignment)
    write("no-tensors", [("tokenizer.ggml.tokens", ["a", "b"], V.ARRAY, V.STRING)])
    write("split", items, tensors, split_max_tensors=2)
    write("split-vocabulary", items, tensors, split_max_tensors=2, small_first_shard=True)


def hand_made() -> None:
    source = FOLDER / "shapes.gguf"
    given: list[Item] = [("general.architecture", "test", V.STRING, None), ("note", "shapes", V.STRING, None)]
    content = source.read_bytes()
    reader = GGUFReader(source)
    last = reader.tensors[-1]
    end = int(last.data_offset + last.n_bytes)

    def make(name: str, changed: bytes) -> None:
        path = FOLDER / f"{name}.gguf"
        path.write_bytes(changed)
        expect([path], given, [source])

    make("version-2", content[:4] + struct.pack("<I", 2) + content[8:])
    make("unpadded", content[:end])
    first = reader.tensors[0]
    gap = int(first.data_offset + first.n_bytes)
    make("noisy-padding", content[:gap] + b"\xaa" + content[gap + 1 :] + b"after the last tensor")


FOLDER.mkdir(parents=True, exist_ok=True)
for old in FOLDER.glob("*.gguf"):
    old.unlink()
values()
types()
shapes()
hand_made()
(FOLDER / "expected.json").write_text(json.dumps(EXPECTED, indent=1, ensure_ascii=False) + "\n")
print(f"{len(EXPECTED)} models, {sum(p.stat().st_size for p in FOLDER.iterdir())} bytes")
