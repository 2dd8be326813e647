"""Assembles an annotated hex file: python spec/hex.py spec/tiny.hex tiny.kist

A line is `offset: hex bytes  ; what they are`, its offset decimal, as in kist-format.md. Offsets ascend, and bytes that
no line gives are zero. The last line is `offset: end`: the file's length. Nothing is computed: checksums stand there too.
"""

from __future__ import annotations

import sys
from pathlib import Path


def assemble(text: str) -> bytes:
    out = bytearray()
    ended = False
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition(";")[0].strip()
        if not code:
            continue
        offset, colon, content = code.partition(":")
        start = int(offset)
        if not colon or ended or start < len(out):
            raise ValueError(f"line {number}: {line!r} is out of place")
        out += bytes(start - len(out))
        ended = content.strip() == "end"
        if not ended:
            out += bytes.fromhex(content)
    if not ended:
        raise ValueError("no line `offset: end`")
    return bytes(out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_bytes(assemble(Path(sys.argv[1]).read_text(encoding="utf-8")))
