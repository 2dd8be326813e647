"""python Fixtures/make/dtypes.py    (pip install numpy ml_dtypes; rewrites Fixtures/dtypes.safetensors and dtypes-values.json)

Every dtype of safetensors 0.8.0: all codes of the 4-, 6- and 8-bit ones, the edges of the others, and awkward shapes and names.
dtypes-values.json holds the first 16 values of each tensor, and every value of those named `.all`, as numpy and ml_dtypes
decode them: floats as repr of a float64, complex numbers as "real,imaginary", BOOL as 0 or 1.
"""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors_bytes import BITS, Tensor, save

FIXTURES = Path(__file__).resolve().parents[1]
NUMPY = {
    "BOOL": np.bool_, "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": ml_dtypes.bfloat16, "F32": "<f4", "F64": "<f8", "C64": "<c8",
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2, "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F6_E2M3": ml_dtypes.float6_e2m3fn, "F6_E3M2": ml_dtypes.float6_e3m2fn, "F4": ml_dtypes.float4_e2m1fn,
}  # fmt: skip
assert NUMPY.keys() == BITS.keys()


def packed(codes: np.ndarray, bits: int) -> bytes:
    """Codes of `bits` bits one after the other, the first in the lowest bits."""
    whole = 0
    for at, code in enumerate(codes.tolist()):
        whole |= code << (at * bits)
    return whole.to_bytes(len(codes) * bits // 8, "little")


def unpacked(content: bytes, bits: int, count: int) -> np.ndarray:
    whole = int.from_bytes(content, "little")
    return np.array([whole >> (at * bits) & (1 << bits) - 1 for at in range(count)], np.uint8)


def float_edges(dtype: str) -> bytes:
    """Zeros, infinities, quiet and signalling NaNs with payloads, the least and greatest (sub)normals, and some plain numbers."""
    width = BITS[dtype]
    mantissa = {"F16": 10, "BF16": 7, "F32": 23, "F64": 52}[dtype]
    sign, top = 1 << (width - 1), (1 << (width - 1)) - 1
    infinity = top >> mantissa << mantissa
    one = (1 << (width - 2)) - (1 << mantissa)
    codes = [0, sign, one, sign | one, infinity, sign | infinity, infinity | 1 << (mantissa - 1), infinity | 1, top, sign | top,
             1, sign | 1, (1 << mantissa) - 1, 1 << mantissa, infinity - 1, sign | (infinity - 1)]  # fmt: skip
    plain = np.array([0.1, -0.1, 3.140625, 1e-5, 65504.0, -2.5, 1 / 3, 7.0]).astype(NUMPY[dtype])
    return np.array(codes, f"<u{width // 8}").tobytes() + plain.tobytes()


def tensors() -> dict[str, Tensor]:
    random = np.random.default_rng(8)
    every: dict[str, Tensor] = {"bool": Tensor("BOOL", (2, 3), bytes([0, 1, 1, 0, 0, 1]))}
    for name, dtype in NUMPY.items():
        width = BITS[name] // 8
        if name.startswith("F8"):
            every[f"{name.lower()}.all"] = Tensor(name, (16, 16), bytes(range(256)))
        elif BITS[name] < 8:
            codes = np.arange(1 << BITS[name])
            every[f"{name.lower()}.all"] = Tensor(name, (len(codes) // 4, 4), packed(codes, BITS[name]))
            many = random.integers(0, len(codes), 3 * 5 * 8)
            every[f"{name.lower()}.random"] = Tensor(name, (3, 5, 8), packed(many, BITS[name]))
        elif name in ("F16", "BF16", "F32", "F64"):
            every[f"{name.lower()}.edges"] = Tensor(name, (24,), float_edges(name))
            normal = (random.standard_normal(3 * 5 * 7) * 0.02).astype(dtype)
            every[f"{name.lower()}.normal"] = Tensor(name, (3, 5, 7), normal.tobytes())
        elif name == "C64":
            parts = np.frombuffer(float_edges("F32"), "<f4")
            every["c64.edges"] = Tensor(name, (12,), parts.tobytes())
        elif name != "BOOL":
            limits = np.iinfo(dtype)
            edges = np.array([limits.min, limits.max, 0, 1, limits.max - 1, limits.min + 1], dtype)
            every[f"{name.lower()}.edges"] = Tensor(name, (6,), edges.tobytes())
            every[f"{name.lower()}.random"] = Tensor(name, (7, 11), random.bytes(77 * width))
    every["scalar.f32"] = Tensor("F32", (), np.float32(0.1).tobytes())
    every["scalar.bool"] = Tensor("BOOL", (), b"\1")
    every["scalar.c64"] = Tensor("C64", (), np.complex64(1 - 2j).tobytes())
    every["empty.i64"] = Tensor("I64", (0,), b"")
    every["empty.bf16"] = Tensor("BF16", (3, 0, 5), b"")
    every["empty.f4"] = Tensor("F4", (0, 3), b"")
    every["empty.f6"] = Tensor("F6_E3M2", (0,), b"")
    every["rank8.u8"] = Tensor("U8", (1, 2, 1, 3, 1, 2, 1, 2), bytes(range(24)))
    every["ones.rank8.f16"] = Tensor("F16", (1,) * 8, np.float16(-0.5).tobytes())
    every["\u00e9"] = Tensor("I16", (1,), b"\1\0")  # é in one code point
    every["e\u0301"] = Tensor("I16", (1,), b"\2\0")  # é in two: another name
    every["重み.0"] = Tensor("U8", (2,), b"\3\4")
    every["🦙"] = Tensor("U8", (1,), b"\5")
    every['a "b" \\ c/d\te'] = Tensor("U8", (1,), b"\6")
    every["config.json"] = Tensor("U8", (1,), b"\7")  # a tensor may be called like an asset
    every["model.safetensors"] = Tensor("U8", (1,), b"\10")
    every["kist:metadata"] = Tensor("U8", (1,), b"\11")  # or like a record
    every["x" * 1000] = Tensor("U8", (1,), b"\12")
    zeros = np.zeros(6000, "<f4")
    every["zeros.f32"] = Tensor("F32", (60, 100), zeros.tobytes())
    every["large.bf16"] = Tensor(
        "BF16", (200, 100), (random.standard_normal(20000) * 0.02).astype(NUMPY["BF16"]).tobytes()
    )
    return every


def values(name: str, tensor: Tensor) -> list[str]:
    count = int(np.prod(tensor.shape, dtype=np.int64))
    if BITS[tensor.dtype] < 8:
        decoded = unpacked(tensor.content, BITS[tensor.dtype], count).view(NUMPY[tensor.dtype])
    else:
        decoded = np.frombuffer(tensor.content, NUMPY[tensor.dtype])
    assert decoded.size == count
    return [text(value) for value in (decoded if name.endswith(".all") else decoded[:16])]


def text(value: np.generic) -> str:
    if isinstance(value, np.complexfloating):
        return f"{float(value.real)!r},{float(value.imag)!r}"
    if isinstance(value, (np.integer, np.bool_)):
        return str(int(value))
    return repr(float(value))


if __name__ == "__main__":
    every = tensors()
    (FIXTURES / "dtypes.safetensors").write_bytes(save(every, {"format": "np", "größe": 'ß\n"quoted"'}))
    golden = {
        name: {"dtype": tensor.dtype, "shape": list(tensor.shape), "values": values(name, tensor)}
        for name, tensor in every.items()
    }
    lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(golden[name])}" for name in golden)
    (FIXTURES / "dtypes-values.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
