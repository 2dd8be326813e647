"""Writes Sources/CKernels/Blocks/Grids.c: the constants of GGML's block types in Kist's own form.

The grids are facts of the format. They are taken from gguf 0.19.0 (llama.cpp's gguf-py/gguf/quants.py, MIT licence),
and written as the ascending codes that Sources/CKernels/Blocks/Grids.h describes.

    python Fixtures/make/ggml_grids.py > Sources/CKernels/Blocks/Grids.c
    python Fixtures/make/ggml_grids.py --python > python/kist/quantization/grid_codes.py
"""

import base64
import sys
import zlib

from gguf import quants

GRIDS = [  # name, class, bits of a number
    ("kist_grid_iq2_xxs", quants.IQ2_XXS, 2),
    ("kist_grid_iq2_xs", quants.IQ2_XS, 2),
    ("kist_grid_iq2_s", quants.IQ2_S, 2),
    ("kist_grid_iq1", quants.IQ1_S, 2),
    ("kist_grid_iq3_xxs", quants.IQ3_XXS, 3),
    ("kist_grid_iq3_s", quants.IQ3_S, 3),
]


def grid_codes(kind, bits):
    kind.init_grid()
    points = kind.grid.reshape(-1, 8 if bits == 2 else 4)
    values = sorted(kind.grid_map)
    codes = [sum(values.index(value) << bits * place for place, value in enumerate(point)) for point in points]
    assert codes == sorted(set(codes))
    return codes


def array(declaration, numbers):
    print(f"\nconst {declaration}[{len(numbers)}] = {{")
    line = " "
    for number in numbers:
        text = f" {number},"
        if len(line) + len(text) > 120:
            print(line)
            line = " "
        line += text
    print(line)
    print("};")


def write_c():
    print("// Written by Fixtures/make/ggml_grids.py. The constants are those of llama.cpp's ggml-common.h (MIT licence).")
    print('\n#include "Grids.h"\n#include "Neighbours.h"')
    for name, kind, bits in GRIDS:
        array(f"uint16_t {name}", grid_codes(kind, bits))
    array("int8_t kist_iq4_values", list(quants.IQ4_NL.kvalues))
    array("int8_t kist_doubled_e2m1", list(quants.MXFP4.kvalues))
    array("uint8_t kist_even_signs", [n | (n.bit_count() & 1) << 7 for n in range(128)])
    array("uint8_t kist_ternary_places", [sum((n >> 2 * i & 3) * 3**i for i in range(4)) for n in range(256)])


def write_python():
    """Differences of ascending codes are small, so they are packed."""
    print('"""The grids of the IQ types. Written by Fixtures/make/ggml_grids.py from gguf-py (MIT licence)."""\n')
    print("import base64\nimport zlib\nfrom functools import cache\n\nimport numpy as np\nfrom numpy.typing import NDArray\n")
    print("# Differences of the ascending codes, as varints; deflated; in base 85.\n_PACKED = {")
    for name, kind, bits in GRIDS:
        codes, packed = grid_codes(kind, bits), bytearray()
        for last, code in zip([0, *codes], codes):
            step = code - last
            packed += bytes([step]) if step < 128 else bytes([step & 127 | 128, step >> 7])
        text = base64.b85encode(zlib.compress(bytes(packed), 9)).decode()
        print(f'    "{name.removeprefix("kist_grid_")}": (')
        for start in range(0, len(text), 100):
            print(f'        "{text[start : start + 100]}"')
        print("    ),")
    print("}\n\n")
    print(DECODER.strip())


DECODER = r'''
@cache
def codes(name: str) -> NDArray[np.uint16]:
    # The points of a grid, each with its digits from the lowest bits up: 2 bits each, of iq3 3 bits.
    found: list[int] = []
    code = 0
    steps = iter(zlib.decompress(base64.b85decode(_PACKED[name])))
    for step in steps:
        code += step if step < 128 else (step & 127) | next(steps) << 7
        found.append(code)
    return np.array(found, np.uint16)
'''

write_python() if "--python" in sys.argv else write_c()
