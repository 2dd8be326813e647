"""Compiles rules into a character map of SentencePiece (pip install sentencepiece==0.2.3)."""

from __future__ import annotations

import sentencepiece


def charsmap(rules: dict[str, str]) -> bytes:
    """The character map of some rules: field 2 of the NormalizerSpec."""
    spec, offset = sentencepiece.SentencePieceNormalizer(norm_map=list(rules.items())).serialized_normalizer_spec(), 0

    def number() -> int:
        nonlocal offset
        value = shift = 0
        while True:
            byte = spec[offset]
            offset, value, shift = offset + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while True:
        key, length = number(), number()
        if key == 2 << 3 | 2:
            return spec[offset : offset + length]
        if key & 7 == 2:
            offset += length
