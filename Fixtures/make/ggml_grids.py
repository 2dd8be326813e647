"""Writes Sources/CKernels/Blocks/Grids.c: the constants of GGML's block types in Kist's own form.

The grids are facts of the format. They are taken from gguf 0.19.0 (llama.cpp's gguf-py/gguf/quants.py, MIT licence),
and written as the ascending codes that Sources/CKernels/Blocks/Grids.h describes.

    python Fixtures/make/ggml_grids.py > Sources/CKernels/Blocks/Grids.c
"""

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


print("// Written by Fixtures/make/ggml_grids.py. The constants are those of llama.cpp's ggml-common.h (MIT licence).")
print('\n#include "Grids.h"\n#include "Neighbours.h"')
for name, kind, bits in GRIDS:
    array(f"uint16_t {name}", grid_codes(kind, bits))
array("int8_t kist_iq4_values", list(quants.IQ4_NL.kvalues))
array("int8_t kist_doubled_e2m1", list(quants.MXFP4.kvalues))
array("uint8_t kist_even_signs", [n | (n.bit_count() & 1) << 7 for n in range(128)])
array("uint8_t kist_ternary_places", [sum((n >> 2 * i & 3) * 3**i for i in range(4)) for n in range(256)])
