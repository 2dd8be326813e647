"""python Fixtures/make/unicode_normalizers.py [BLOCKS OUTPUT]    (pip install tokenizers==0.23.3 sentencepiece==0.2.3)

What the normalizers of tokenizers and sentencepiece make of awkward texts: rewrites Fixtures/tokenizers/normalizers/normalizers.json.

Texts come from a generator that the test has too (SplitMix64, seeded with the number of the block), 100 to a block. Of each normalizer and
block there is a digest (FNV-1a) of all outputs; a few texts are written out, to see what goes wrong when it does. Each output is
followed by 0xFF and by whether its beginning counts as the text's (1, 0, or 2 where it can't be seen): that is what Metaspace's `first` asks.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import libraries_first  # noqa: F401
import sentencepiece
import tokenizers
from tokenizers import normalizers

import sentencepiece_map

OUTPUT = Path(__file__).resolve().parents[1] / "tokenizers/normalizers/normalizers.json"
TEXTS_A_BLOCK = 100
MASK = (1 << 64) - 1

# Marks of several classes, case, Hangul, compatibility forms, white space and controls, clusters, and what came after Unicode 9, 15 and 16.
AWKWARD = """0 1 7 9 A B C D E 1F 20 20 20 7F 80 85 8F 9F A0 AD 24 2B 3C 40 5E 60 7E 61 62 65 66 69 6A 6F 73 41 49 4B 53
    300 301 302 303 304 308 30A 315 31B 323 327 328 331 338 345 34F 360 344 5B0 5BC 5C1 64B 651 670 6E1 C5 E9 D1 DF 130 131 17F 1C4 1C5
    1E9E 1E9B 1E69 1E0C 1E0D 3A3 3C2 3C3 3AC 1F71 1F82 2126 212A 212B 2C62 A7CE A7DC 10D50 1C89
    AC00 AC01 AC1C D7A3 1100 1112 1113 1160 1161 1175 1176 11A7 11A8 11C2 11C3 A960 D7B0
    915 929 928 93C 94D 958 9C7 9BE 9D7 9CD B47 B3E B4B D46 D3E 1025 102E 1B05 1B35 E33 EB3 F71 F72 F73 F74 F77 F81 102C
    2AA 2B0 AA BA BC B2 BD C6 132 149 FB01 FB03 FB2C FB1D FDFA FDFB FE70 FF21 FF76 FF9E FF9F FF0D FFE6 304B 3099 309A 304C 30CF 3131 3300
    32FF 3392 2460 2F00 F900 FA1D FA6C 2F800 2F91A 4E00 9FFF 3400 20000 2A6DF 2B820 2B920 AC 2FA1D 1D15E 1D160 1D165 1D400 1F130
    1680 2000 200A 200B 200C 200D 200E 200F 2028 2029 202F 205F 2060 3000 FEFF FFFD 2581 2581 E0001 E0061 E0100 F8FE FFFE
    1F468 1F469 1F3FD 200D 200D 2764 FE0F FE0E 1F1E9 1F1EA 1F600 1FAE0 A9 2122 20E3 600 110BD 6DD 70F 903 1CF2 1CF3 93E 1D165
    61D 7FD 8E2 897 898 1ACF 1AE5 11B61 1E6E3 1734 1714 1715 166D 111C9 1171E 61C 589 A6F0 16D63 16D67 105C9 105D2 11938 1193B 11131 11127
    113C5 11383 A7F2 A7F1 AB69 10781 16121 1CEF0 378 E000 10FFFF 661 6F1 966 2160 2155 3007 10107 11DE0 5F 2D 2019 3001 FF01 FFF2 E0002 1000 1039 17D2 11A3A 2388""".split()
ALPHABET = [int(scalar, 16) for scalar in AWKWARD]

RULES = {
    "a": "bb", "e\u0301": "é", "ab": "X", "abc": "\u2581", "\u00e9": "e", "\r": " ", "\n": " ", "\t": " ", "\u3000": " ", "\u00a0": "  ",
    "\ufb01": "fi", "\u200b": "", "\u200d": "", "\u0300": "", "\u0958": "\u0915\u093c", "\u0915": "k", "\u304b\u3099": "\u304c",
    "\u1100\u1161": "\uac00", "\u0600": "n", "A\u030a": "\u00c5", "\U0001f1e9": "D", "\u00a9": "(c)", "\u00bd": " 1/2 ", "\u2581": " ",
    "\U0001f468": "m", "\u1112": "h", "\u212b": "\u00c5", "\u3392": "MHz",
}  # fmt: skip


class SplitMix64:
    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31


def text(random: SplitMix64) -> str:
    scalars = []
    for _ in range(random.next() % 25):
        kind, value = (number := random.next()) % 8, number >> 8
        # The planes that a scalar is drawn from: awkward ones, ASCII, two bytes, the scripts, three bytes, all.
        sizes = [0, 0, 0, 0, 0x800, 0x3400, 0x10000, 0x110000]
        if kind < 3:
            scalar = ALPHABET[value % len(ALPHABET)]
        elif kind == 3:
            scalar = 0x20 + value % 0x5F
        else:
            scalar = value % sizes[kind]
        scalars.append(0xFFFD if 0xD800 <= scalar < 0xE000 else scalar)
    return "".join(map(chr, scalars))


def block(number: int) -> list[str]:
    random = SplitMix64(number)
    return [text(random) for _ in range(TEXTS_A_BLOCK)]


Normalize = Callable[[str], tuple[str, int]]


def of_tokenizers(normalizer: normalizers.Normalizer) -> Normalize:
    marker = "\uf8ff"
    model = tokenizers.models.BPE({marker: 0, "?": 1}, [], unk_token="?")
    pipeline = tokenizers.Tokenizer(model)
    pipeline.normalizer = normalizer
    pipeline.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(marker, prepend_scheme="first", split=False)

    def normalize(text: str) -> tuple[str, int]:
        output = normalizer.normalize_str(text)
        if output == "" or output[0] in (" ", marker):
            return output, 2
        return output, int(pipeline.encode(text).ids[0] == 0)

    return normalize


def of_sentencepiece(normalizer: object) -> Normalize:
    return lambda text: (normalizer.normalize(text), 2)


def cases(charsmap: bytes) -> dict[str, Normalize]:
    n = normalizers
    names = {
        "nfc": n.NFC(), "nfd": n.NFD(), "nfkc": n.NFKC(), "nfkd": n.NFKD(), "lowercase": n.Lowercase(), "nmt": n.Nmt(),
        "byte-level": n.ByteLevel(), "strip-accents": n.StripAccents(), "strip": n.Strip(), "strip-left": n.Strip(right=False),
        "strip-right": n.Strip(left=False), "bert": n.BertNormalizer(), "bert-cased": n.BertNormalizer(lowercase=False),
        "bert-accents": n.BertNormalizer(strip_accents=False), "bert-strips": n.BertNormalizer(False, False, True, False),
        "prepend": n.Prepend("\u2581"), "prepend-nothing": n.Sequence([n.Strip(), n.Prepend("")]),
        "replace-space": n.Replace(" ", "\u2581"), "replace-byte": n.Replace("a", "A"), "replace-empty": n.Replace("", "-"),
        "replace-removes": n.Replace("  ", ""), "replace-long": n.Replace("\u2581", "___"),
        "precompiled": n.Precompiled(charsmap),
        "llama": n.Sequence([n.Prepend("\u2581"), n.Replace(" ", "\u2581")]),
        "albert": n.Sequence([n.Replace("``", '"'), n.Replace("''", '"'), n.NFKD(), n.StripAccents(), n.Lowercase()]),
        "stripped": n.Sequence([n.NFKD(), n.Strip(), n.NFC(), n.Prepend("\u2581")]),
        "composed": n.Sequence([n.Precompiled(charsmap), n.Strip(), n.Replace("b", "")]),
        "composed-stripped": n.Sequence([n.NFKC(), n.Strip(), n.StripAccents()]),
        "decomposed-cut": n.Sequence([n.NFD(), n.StripAccents(), n.Replace("a", ""), n.NFC(), n.BertNormalizer()]),
        "spelled": n.Sequence([n.Strip(right=False), n.Lowercase(), n.ByteLevel()]),
    }  # fmt: skip
    return {name: of_tokenizers(normalizer) for name, normalizer in names.items()}


def sentencepiece_cases() -> dict[str, Normalize]:
    found = {}
    for settings in range(8):
        flags = {flag: bool(settings >> bit & 1) for bit, flag in enumerate(FLAGS)}
        found[f"sentencepiece-{settings}"] = of_sentencepiece(sentencepiece.SentencePieceNormalizer(norm_map=list(RULES.items()), **flags))
    for suffix in (0, 1):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["hello world this is a test"] * 20), model_writer=model, vocab_size=40, hard_vocab_limit=False,
            normalization_rule_name="identity", treat_whitespace_as_suffix=bool(suffix), user_defined_symbols=SYMBOLS, minloglevel=2)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        found[f"sentencepiece-symbols-{suffix}"] = of_sentencepiece(processor)
    return found  # fmt: skip


FLAGS = ["add_dummy_prefix", "escape_whitespaces", "remove_extra_whitespaces"]
SYMBOLS = ["  ", "a ", " b", "\u3000", "ab", "abc", "\u0301\u0301", "\u2581 ", "a a a"]


def digest(outputs: list[tuple[str, int]]) -> str:
    value = 0xCBF29CE484222325
    for output, begins in outputs:
        for byte in (*output.encode(), 0xFF, begins):
            value = (value ^ byte) * 0x100000001B3 & MASK
    return f"{value:016x}"


if __name__ == "__main__":
    block_count, path = (int(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) > 2 else (20, OUTPUT)
    charsmap = sentencepiece_map.charsmap(RULES)
    blocks = [block(number) for number in range(block_count)]
    golden = {
        "alphabet": ALPHABET, "symbols": SYMBOLS, "charsmap": base64.b64encode(charsmap).decode(),
        "sample": blocks[0][:20], "cases": {},
    }  # fmt: skip
    for name, normalize in {**cases(charsmap), **sentencepiece_cases()}.items():
        sample = [normalize(text) for text in blocks[0][:20]]
        digests = [digest([normalize(text) for text in texts]) for texts in blocks]
        golden["cases"][name] = {"sample": sample, "digests": digests}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace('"cases"', '\n"cases"').replace("]},", "]},\n") + "\n")
