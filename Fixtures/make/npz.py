"""python Fixtures/make/npz.py    (pip install numpy safetensors==0.8.0; rewrites Fixtures/npz)

Archives as numpy.savez and numpy.savez_compressed write them, each NAME.npz with NAME.safetensors: the same arrays as numpy loads them
again, in row-major little-endian order, written by the safetensors library.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
from npy import DTYPES
from safetensors.numpy import save_file

FOLDER = Path(__file__).resolve().parents[1] / "npz"


def arrays() -> dict[str, np.ndarray]:
    every = {name.lower(): (np.arange(24) * 5 % 7).reshape(2, 3, 4).astype(dtype) for name, dtype in DTYPES.items()}
    numbers = np.linspace(-1, 1, 77, dtype="<f4")
    return every | {
        "fortran": np.asfortranarray(numbers.reshape(7, 11)),
        "fortran-3": np.asfortranarray(numbers[:60].reshape(3, 4, 5)),
        "big-endian": numbers.astype(">f4"),
        "both": np.asfortranarray(numbers.astype(">f8").reshape(11, 7)),
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3), "<f4"),
        "layers/0/kernel": numbers[:6].reshape(2, 3),
        "späť.npy": numbers[:3],
    }


def save(name: str, content: bytes) -> None:
    (FOLDER / f"{name}.npz").write_bytes(content)
    with np.load(io.BytesIO(content)) as loaded:
        plain = {key: loaded[key] for key in loaded.files}
    plain = {key: np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape) for key, array in plain.items()}
    save_file(plain, FOLDER / f"{name}.safetensors")


def written(compressed: bool, arrays: dict[str, np.ndarray]) -> bytes:
    output = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(output, **arrays)
    return output.getvalue()


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    save("stored", written(False, arrays()))
    save("deflated", written(True, arrays()))
    # As files of more than 4 GB have it: every size and offset in zip64 fields.
    zipfile.ZIP64_LIMIT = 10
    zipfile.ZIP_FILECOUNT_LIMIT = 1
    few = {"a": np.arange(6, dtype="<i4").reshape(2, 3), "b": np.arange(300, dtype="<f8")}
    save("zip64", written(False, few))
    save("zip64-deflated", written(True, few))
