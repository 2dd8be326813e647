"""python Fixtures/make/minifloat.py    (pip install numpy ml_dtypes; rewrites Fixtures/minifloat.json)

What every bit pattern of the small floating point formats stands for, as ml_dtypes decodes it: the bits of a float32 in
hexadecimal, eight digits a pattern, one string a dtype. All patterns of those with up to 8 bits; of F16 and BF16 4096 patterns:
every upper 12 bits, with the lowest 4 of these repeated below them.
"""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np

OUTPUT = Path(__file__).resolve().parents[1] / "minifloat.json"
SMALL = {
    "F8_E4M3": (ml_dtypes.float8_e4m3fn, 8), "F8_E5M2": (ml_dtypes.float8_e5m2, 8),
    "F8_E8M0": (ml_dtypes.float8_e8m0fnu, 8), "F8_E4M3FNUZ": (ml_dtypes.float8_e4m3fnuz, 8),
    "F8_E5M2FNUZ": (ml_dtypes.float8_e5m2fnuz, 8), "F6_E2M3": (ml_dtypes.float6_e2m3fn, 6),
    "F6_E3M2": (ml_dtypes.float6_e3m2fn, 6), "F4": (ml_dtypes.float4_e2m1fn, 4),
}  # fmt: skip
WIDE = {"F16": np.float16, "BF16": ml_dtypes.bfloat16}


def decoded(patterns: np.ndarray, dtype: type) -> str:
    numbers = patterns.view(dtype).astype("<f4")
    # Which NaN it is does not matter.
    bits = np.where(np.isnan(numbers), np.uint32(0x7FC00000), numbers.view("<u4"))
    return "".join(f"{value:08x}" for value in bits.tolist())


if __name__ == "__main__":
    golden = {name: decoded(np.arange(1 << bits, dtype=np.uint8), dtype) for name, (dtype, bits) in SMALL.items()}
    upper = np.arange(4096)
    sampled = (upper << 4 | upper & 15).astype("<u2")
    golden |= {name: decoded(sampled, dtype) for name, dtype in WIDE.items()}
    OUTPUT.write_text(json.dumps(golden, indent=1) + "\n")
