"""python Fixtures/make/pretokenizers.py [--count 12] [--seed 1] [--folder Fixtures/tokenizers/pretokenizers] [--scripts]

Needs tokenizers 0.23.3, tiktoken 0.14.0 and regex. Writes what these libraries make of generated texts that are awkward for them:

  pieces.jsonl    [component, text, piece, piece, ...], by tokenizers' pre_tokenize_str; components are named in PreTokenizeSamples.swift
  patterns.jsonl  [dialect, pattern, text, piece, piece, ...]: the matches that are not empty, by the dialect's library
  classes.tsv     dialect, pattern, number of scalars that it finds, FNV-1a of them as little-endian 32-bit numbers

--scripts writes Sources/KistTokenizers/PreTokenize/UnicodeScripts+Data.swift instead: which characters UnicodeScripts leaves together.
A greater --count (texts for each component and pattern) and KIST_PRETOKENIZER_FIXTURES=folder make the tests a differential run.
"""

from __future__ import annotations

import argparse
import json
import random
import textwrap
from itertools import groupby
from pathlib import Path

import regex
import tiktoken
from tokenizers import Regex, pre_tokenizers as pre

ROOT = Path(__file__).resolve().parents[2]
SCALARS = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL
QWEN35 = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(suffix: str, number: str) -> str:
    lead = r"[^\r\n\p{L}\p{N}]?"
    return (f"{lead}{UPPER}*{LOWER}+{suffix}|{lead}{UPPER}+{LOWER}*{suffix}|{number}"
            r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


O200K, TEKKEN = cased(CONTRACTIONS + "?", r"\p{N}{1,3}"), cased("", r"\p{N}")
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
            r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
            r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
          r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s")
R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]


def split(pattern: str, behavior: str = "isolated", invert: bool = False) -> pre.Split:
    return pre.Split(Regex(pattern), behavior, invert)


def plain(*parts) -> pre.Sequence:
    return pre.Sequence([*parts, pre.ByteLevel(add_prefix_space=False, use_regex=False)])


COMPONENTS = {
    "bert": pre.BertPreTokenizer(),
    "bytelevel": pre.ByteLevel(add_prefix_space=False),
    "bytelevel prefix": pre.ByteLevel(add_prefix_space=True),
    "bytelevel whole": pre.ByteLevel(add_prefix_space=False, use_regex=False),
    "bytelevel prefix whole": pre.ByteLevel(add_prefix_space=True, use_regex=False),
    "delimiter -": pre.CharDelimiterSplit("-"),
    "delimiter 京": pre.CharDelimiterSplit("京"),
    "metaspace always": pre.Metaspace(prepend_scheme="always"),
    "metaspace never": pre.Metaspace(prepend_scheme="never"),
    "metaspace first": pre.Metaspace(prepend_scheme="first"),
    "metaspace whole": pre.Metaspace(prepend_scheme="first", split=False),
    "metaspace _": pre.Metaspace(replacement="_", prepend_scheme="always"),
    "whitespace": pre.Whitespace(),
    "whitespace split": pre.WhitespaceSplit(),
    "digits": pre.Digits(individual_digits=False),
    "digits individual": pre.Digits(individual_digits=True),
    "scripts": pre.UnicodeScripts(),
    "fixed 1": pre.FixedLength(length=1),
    "fixed 3": pre.FixedLength(length=3),
    "xlnet": pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace(prepend_scheme="first")]),
    "starcoder": pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)]),
    "falcon": pre.Sequence([pre.Punctuation("contiguous"), pre.ByteLevel(add_prefix_space=False),
                            pre.Digits(individual_digits=False), split("[0-9][0-9][0-9]")]),
    "bytelevel after digits": pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=True)]),
    "scripts and punctuation": pre.Sequence([pre.UnicodeScripts(), pre.Punctuation("removed")]),
    "llama3": plain(split(LLAMA3)), "qwen2": plain(split(QWEN2)), "qwen3.5": plain(split(QWEN35)),
    "o200k": plain(split(O200K)), "tekken": plain(split(TEKKEN)),
    "deepseek": plain(*map(split, DEEPSEEK)),
    "gpt2 inverted": split(GPT2, "removed", True),
    "gpt2 contiguous": split(GPT2, "contiguous"),
    **{f"punctuation {behavior}": pre.Punctuation(behavior) for behavior in BEHAVIORS},
    **{f"split ab {behavior} {invert}": pre.Split("ab", behavior, invert) for behavior in BEHAVIORS for invert in (False, True)},
    **{f"split nothing {behavior}": pre.Split("", behavior) for behavior in BEHAVIORS},
    **{f"split words {behavior} {invert}": split(r"\w+|[^\w\s]+", behavior, invert) for behavior in BEHAVIORS for invert in (False, True)},
    **{f"split spaces {behavior}": split(r"\s+|(?=京)", behavior) for behavior in BEHAVIORS},
}

# Dialect, pattern. Each tries a rule of the dialect.
PATTERNS = [
    *[(dialect, pattern) for dialect in ("oniguruma", "rust") for pattern in (
        GPT2, LLAMA3, QWEN2, QWEN35, O200K, TEKKEN, *DEEPSEEK, r"\w+", r"\b\w", r"\B.", r"\W\b", r"[\w-]+", r"(?i)[^a-k]", r"(?i:k)+",
        r"[a-z&&[^aeiou]]+", r"[[:alpha:]]+", r"[^[:space:]]+", r"[\p{L}&&\p{ASCII}]+", r"\h+", r"a{1,2}+", r"a{2}?b?", r"a{,2}b",
        r"a++a|b", r"(?>a|ab)c|.", r"(?<=a|b)\s", r"(?<!a)b", r"(a|b)*?c", r"^.", r".$", r"\A.", r".\z", r"\p{^L}+", r"\P{Lu}",
        r"(?x) a b | c #d", r"(?m).", r"[]a]+", r"[a-b-c]+", r"[^a-b&&[b]]+", r"(?#no)a+", r"\x41|\x{e9}|\u00e9", r"(?i)a(?-i)b",
        r"a(?i)b|c", r"(?i)\p{Lu}+", r"\N+", r"[\h]+", r"(?:a|b|)+c", r"(?<name>a)b", r"\s+$", r"\S+\s??")],
    *[("oniguruma", pattern) for pattern in (
        r"\R", r"^", r"(?:a|b|)+c?", r"x$|\s$", r"\n^.?", r".\Z", r"(?m:.)+", r"a{x", r"[[:^alpha:]]+", r"[[:word:]]+", r"[[:punct:]]+", r"a{1,3}+b",
        r"\H+", r"[\b]|a", r"\d+", r"\p{Punct}+", r"\p{Han}+|\p{Hiragana}", r"(?i)ǆ|ς|å", r"(?:a{2})+", r"\O")],
    *[("rust", pattern) for pattern in (
        CL100K, R50K, r"(?i)[\p{Lu}]+", r"(?s).", r"(?m)^.", r"(?m).$", r"(?s-i:a.)", r"\pL+", r"(?i)[[:upper:]]+", r"[[:punct:]]+", r"\p{sc=Greek}+",
        r"(?P<n>a)+", r"a{1,3}+a", r"\p{gc=Nd}+|\p{Script=Han}+")],
    *[("python", pattern) for pattern in (
        r"\w+", r"\b\w", r"(?i)i+", r"(?i)s|k", r"(?i)[^h-j]+", r"a++b?|c", r"a{1,3}+", r"(?m)^.", r".$", r".\Z", r"[[:alpha:]]+", r"[\b]|a",
        r"\pL+", r"\p{Lu}+", r"(?s).", GPT2)],
]

CLASSES = [
    *[(dialect, pattern) for dialect in ("oniguruma", "rust") for pattern in (
        r"\w", r"[\w]", r"\d", r"\s", r"\S", r"\W", r"\h", r".", r"[[:alnum:]]", r"[[:alpha:]]", r"[[:blank:]]", r"[[:cntrl:]]", r"[[:digit:]]",
        r"[[:graph:]]", r"[[:lower:]]", r"[[:print:]]", r"[[:punct:]]", r"[[:space:]]", r"[[:upper:]]", r"[[:word:]]", r"[[:xdigit:]]",
        r"\p{L}", r"\p{M}", r"\p{N}", r"\p{P}", r"\p{S}", r"\p{Lu}", r"\p{Han}", r"\p{Latin}", r"\p{Cn}", r"\p{Cf}", r"\p{Alphabetic}",
        r"(?i)\p{Lu}", r"(?i)[^k]", r"(?i)[a-z]", r"(?i)[^\p{Ll}]")],
    ("rust", r"(?i)[\p{Lu}]"),
    ("oniguruma", r"\p{Punct}"), ("oniguruma", r"\p{Word}"), ("oniguruma", r"\p{Graph}"),
]

FRAGMENTS = (
    [" "] * 6 + ["  ", "   ", "\n", "\n", "\r\n", "\r", "\t", "\u00a0", "\u3000", "\u0085", "\u2028", "\u2003", "\u180e", "\u200b", "\u200d", "\ufeff"]
    + ["a", "b", "ab", "abab", "c", "x", "Hello", "world", "WORLD", "iPhone", "camelCase", "HTTPServer", "don't", "I'LL", "we'Ve", "'s", "'S", "'ſ"]
    + ["'", "''", "’", "it's", "s", "ſ", "K", "k", "K", "ß", "ẞ", "ß", "İ", "ı", "i", "I", "Σ", "ς", "σ", "ǅ", "ǆ", "Å", "Å", "å"]
    + ["0", "1", "12", "123", "1234", "12345", "٣", "४", "²", "½", "Ⅷ", "①", "๔๕", "一", "〇", "\U0001d7d8"]
    + [".", ",", "!", "?!", "...", "-", "--", "_", "/", "//", "\\", "(", ")", "[", "]", "{", "$", "+", "=", "^", "`", "|", "~", "<", ">", "#", "@", "€"]
    + ["、", "。", "「", "」", "・", "…", "—", "\u061d", "\u2e52", "\U00011a9a"]
    + ["é", "e\u0301", "\u0301", "\u0301\u0302", "\u0345", "\u20dd", "ñ", "ü", "ạ", "क्षि", "का", "ุ", "ภาษาไทย", "한국어", "\u1100\u1161"]
    + ["京", "東京", "日本語", "どこで", "カタカナ", "ー", "々", "ㄅ", "ʰ", "ª", "ⓐ", "𝒳", "𐐀", "𐐨", "Ω", "я", "Жы", "שלום", "مرحبا", "\U0001e900"]
    + ["😀", "👩‍👩‍👧", "🇫🇷", "\ufe0f", "☃", "\U000e0041", "\ue000", "\u0378", "\U0001fffe", "\0", "\x01", "\x7f", "\x1f", "▁", "▁▁", "\u11de"]
)


def texts(generator: random.Random, count: int):
    for _ in range(count):
        parts = [generator.choice(FRAGMENTS) for _ in range(generator.choice((1, 2, 3, 5, 8, 13)))]
        if generator.random() < 0.2:
            parts.append(chr(generator.choice([code for code in (generator.randrange(0x110000), 0x41) if not 0xD800 <= code < 0xE000])))
        yield "".join(parts)


def oniguruma(pattern: str, texts: list[str]) -> list[list[str]]:
    # Inverted, what is removed is what lies between matches.
    splitter = pre.Split(Regex(pattern), "removed", True)
    return [[piece for piece, _ in splitter.pre_tokenize_str(text)] for text in texts]


def rust(pattern: str, texts: list[str]) -> list[list[str]]:
    """A vocabulary that has every part of the texts as a token shows each piece as one."""
    found = []
    for start in range(0, len(texts), 50):
        some = texts[start:start + 50]
        parts = {text[i:j].encode() for text in some for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
        tokens = sorted(parts | {bytes([byte]) for byte in range(256)})
        encoding = tiktoken.Encoding("parts", pat_str=pattern, mergeable_ranks={token: rank for rank, token in enumerate(tokens)}, special_tokens={})
        found += [[tokens[rank].decode() for rank in encoding.encode_ordinary(text)] for text in some]
    return found


def python(pattern: str, texts: list[str]) -> list[list[str]]:
    compiled = regex.compile(pattern)
    return [[match.group() for match in compiled.finditer(text) if match.group()] for text in texts]


LIBRARIES = {"oniguruma": oniguruma, "rust": rust, "python": python}


def members(dialect: str, pattern: str) -> list[int]:
    if dialect == "oniguruma":
        rest = {piece for part, _ in pre.Split(Regex(pattern), "removed").pre_tokenize_str(SCALARS) for piece in part}
        return [ord(scalar) for scalar in SCALARS if scalar not in rest]
    encoding = tiktoken.Encoding("bytes", pat_str=pattern, mergeable_ranks={bytes([byte]): byte for byte in range(256)}, special_tokens={})
    return [ord(scalar) for scalar in bytes(encoding.encode_ordinary(SCALARS)).decode()]


def fnv1a(numbers: list[int]) -> int:
    value = 0xCBF29CE484222325
    for number in numbers:
        for byte in number.to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def write(path: Path, rows) -> None:
    with path.open("w") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def scripts() -> list[int]:
    """Numbers of scripts by code point: two have the same when UnicodeScripts leaves them together; 0 joins what is before."""
    splitter = pre.UnicodeScripts()

    def joins(text: str) -> bool:
        return len(splitter.pre_tokenize_str(text)) == 1

    numbers, first = [0] * 0x110000, []
    for scalar in SCALARS:
        if joins("a" + scalar) and joins("京" + scalar):
            continue
        number = next((index for index, other in enumerate(first, 1) if joins(other + scalar)), None)
        if number is None:
            first.append(scalar)
            number = len(first)
        numbers[ord(scalar)] = number
    return numbers


def packed(numbers) -> str:
    """As in unicode_tables.py: five bits a letter from '0' on, least significant first, 32 more in every letter but the last."""
    letters = []
    for number in numbers:
        while number >= 32:
            letters.append(chr(48 + 32 + number % 32))
            number //= 32
        letters.append(chr(48 + number))
    return "".join(letters)


def write_scripts() -> None:
    runs = [number for script, run in groupby(scripts()) for number in (len(list(run)), script)][:-2]
    lines = ["// Made by Fixtures/make/pretokenizers.py --scripts.", "", "extension UnicodeScripts {",
             "  /// Runs of scalars: length, number of the script.", '  static let runs: StaticString = #"""']
    lines += textwrap.wrap(packed(runs), 116, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    file = ROOT / "Sources/KistTokenizers/PreTokenize/UnicodeScripts+Data.swift"
    file.write_text("\n".join(lines + ['    """#', "}"]) + "\n")


def pattern_rows(generator: random.Random, count: int):
    for dialect, pattern in PATTERNS:
        some = list(texts(generator, count))
        for text, found in zip(some, LIBRARIES[dialect](pattern, some)):
            yield [dialect, pattern, text, *found]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "Fixtures/tokenizers/pretokenizers")
    parser.add_argument("--scripts", action="store_true")
    options = parser.parse_args()
    if options.scripts:
        return write_scripts()
    generator = random.Random(options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    write(options.folder / "pieces.jsonl", (
        [name, text, *(piece for piece, _ in component.pre_tokenize_str(text))]
        for name, component in COMPONENTS.items() for text in texts(generator, options.count)))
    write(options.folder / "patterns.jsonl", pattern_rows(generator, options.count // 2))
    if options.count <= 100:
        with (options.folder / "classes.tsv").open("w") as file:
            for dialect, pattern in CLASSES:
                found = members(dialect, pattern)
                file.write(f"{dialect}\t{pattern}\t{len(found)}\t{fnv1a(found):016x}\n")


if __name__ == "__main__":
    main()
