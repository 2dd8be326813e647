"""python Fixtures/make/safetensors_layout.py    (pip install numpy safetensors==0.8.0; rewrites Fixtures/layout.safetensors)

A file as the safetensors library itself lays it out: two tensors of every dtype that its Python face takes, with names that its
JSON has to escape. One key of metadata only: the library writes several in a random order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import TensorSpec, serialize_file

OUTPUT = Path(__file__).resolve().parents[1] / "layout.safetensors"
# All of safetensors 0.8.0 but F6_E2M3 and F6_E3M2, which only its Rust face has.
BYTES = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e5m2": 1,
    "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1, "int16": 2, "uint16": 2, "float16": 2,
    "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8, "complex64": 8,
}  # fmt: skip
# Escapes, names whose order differs between bytes and UTF-16, and a prefix.
ODD = ['"\\/', "\b\f\n\r\t", "\0\x1f\x7f", "\uffee", "🦙", "é", "e\u0301", "z", "z.", "Z"]


def specs() -> tuple[dict[str, TensorSpec], list[np.ndarray]]:
    every, kept = {}, []

    def add(name: str, dtype: str, shape: tuple[int, ...]) -> None:
        content = (np.arange(max(1, int(np.prod(shape)) * BYTES[dtype])) % 2).astype(np.uint8)
        kept.append(content)
        length = int(np.prod(shape)) * BYTES[dtype]
        every[name] = TensorSpec(dtype=dtype, shape=list(shape), data_ptr=content.ctypes.data, data_len=length)

    for dtype in reversed(BYTES):
        add(f"b {dtype}", dtype, (2, 1))
        add(f"a {dtype}", dtype, (1, 1, 3))
    for name in ODD:
        add(name, "int16", (1,))
    add("scalar", "float32", ())
    add("empty", "float32", (0, 5))
    return every, kept


if __name__ == "__main__":
    tensors, kept = specs()
    serialize_file(tensors, OUTPUT, {"größe": 'ß\b"x"\n'})
