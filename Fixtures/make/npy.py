"""python Fixtures/make/npy.py    (pip install numpy; rewrites Fixtures/npy)

Arrays as numpy.save writes them: every dtype, both byte orders, both orders of elements, several shapes, all versions of the header;
and arrays that Kist does not read. expected.json says what each file holds: the dtype, the shape, and the bytes in row-major
little-endian order.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "npy"
DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8",
}  # fmt: skip


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    output = io.BytesIO()
    np.lib.format.write_array(output, array, version)
    return output.getvalue()


def readable() -> dict[str, tuple[str, np.ndarray, tuple[int, int] | None]]:
    every = {}
    for name, dtype in DTYPES.items():
        array = (np.arange(24) * 5 % 7).reshape(2, 3, 4).astype(dtype)
        if name == "C64":
            array = array * np.complex64(1 - 2j)
        every[name.lower()] = (name, array, None)
        every[f"{name.lower()}-fortran"] = (name, np.asfortranarray(array), None)
        if array.itemsize > 1:
            every[f"{name.lower()}-big-endian"] = (name, array.astype(array.dtype.newbyteorder(">")), None)
    numbers = np.arange(1, 7, dtype="<f4")
    every["both"] = ("F32", np.asfortranarray(numbers.astype(">f4").reshape(2, 3)), None)
    every["scalar"] = ("F32", np.array(1.5, "<f4"), None)
    every["vector"] = ("F32", numbers, None)
    every["empty"] = ("I64", np.zeros((0,), "<i8"), None)
    every["empty-3"] = ("F32", np.zeros((3, 0, 2), "<f4"), None)
    every["empty-fortran"] = ("F32", np.zeros((3, 0), "<f4", order="F"), None)
    every["rank-9"] = ("U8", np.arange(12, dtype="u1").reshape(1, 2, 1, 3, 1, 2, 1, 1, 1), None)
    every["version-2"] = ("F32", numbers, (2, 0))
    every["version-3"] = ("F32", numbers, (3, 0))
    return every


def refused() -> dict[str, np.ndarray]:
    return {
        "structured": np.zeros(3, [("x", "<f4"), ("y", "<i4")]),
        "structured-descr": np.zeros(3, [("descr", "<f4"), ("y", "<i4")]),
        "text": np.array(["ab", "c"]),
        "bytes": np.array([b"ab", b"c"]),
        "complex128": np.zeros(2, "<c16"),
        "date": np.zeros(2, "<M8[D]"),
    }


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "refused").mkdir(parents=True)
    expected = {}
    for name, (dtype, array, version) in readable().items():
        (FOLDER / f"{name}.npy").write_bytes(saved(array, version))
        # `order="C"` because tobytes keeps to rows; the byte order is made little.
        content = array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
        expected[name] = {"dtype": dtype, "shape": list(array.shape), "bytes": content.hex()}
    for name, array in refused().items():
        (FOLDER / "refused" / f"{name}.npy").write_bytes(saved(array))
    output = io.BytesIO()
    np.save(output, np.array([None, 1], dtype=object), allow_pickle=True)
    (FOLDER / "refused" / "object.npy").write_bytes(output.getvalue())
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
