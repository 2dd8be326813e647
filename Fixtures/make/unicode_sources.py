"""Where unicode_tables.py gets its data from.

    pip install unicodedataplus==16.0.0.post1 tokenizers==0.23.3 tiktoken==0.14.0 sentencepiece==0.2.3

unicodedataplus holds the Unicode Character Database 16.0, the version that tokenizers' Oniguruma and tiktoken's regex-syntax have too
(unicode_properties.py compares them over all code points). What it lacks is asked of those libraries, a code point at a time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import libraries_first  # noqa: F401
import tiktoken
import unicodedataplus as ucd
from sentencepiece_map import charsmap
from tokenizers import normalizers, pre_tokenizers

assert ucd.unidata_version == "16.0.0"

SURROGATES = range(0xD800, 0xE000)
SCALARS = [code for code in range(0x110000) if code not in SURROGATES]
TEXT = "".join(map(chr, SCALARS))

# The order of GeneralCategory's raw values.
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()


def rust_matches(pattern: str, text: str = TEXT) -> set[int]:
    """The code points of a text that Rust's regex crate matches, through tiktoken: what no match covers gets no ids."""
    encoding = tiktoken.Encoding(
        "bytes", pat_str=pattern, mergeable_ranks={bytes([byte]): byte for byte in range(256)}, special_tokens={}
    )
    return {ord(character) for character in bytes(encoding.encode_ordinary(text)).decode()}


def categories() -> list[int]:
    return [CATEGORIES.index(ucd.category(chr(code))) for code in range(0x110000)]


def script_names() -> dict[str, list[str]]:
    """The long name of each script, and its short ones."""
    aliases = ucd.property_value_aliases["script"]
    return {name: sorted(set(aliases[name]) - {name}) for name in sorted(aliases)}


def scripts() -> list[int]:
    indices = {name: index for index, name in enumerate(script_names())}
    return [indices[ucd.script(chr(code)) if code not in SURROGATES else "Unknown"] for code in range(0x110000)]


def case_orbits() -> list[list[int]]:
    """Sets of more than one code point that have the same simple case folding."""
    cased = sorted(rust_matches(r"[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]"))
    text = "".join(map(chr, cased))
    orbits, seen = [], set()
    for code in cased:
        if code not in seen:
            orbit = sorted(rust_matches("(?i)" + re.escape(chr(code)), text))
            seen.update(orbit)
            if len(orbit) > 1:
                orbits.append(orbit)
    return orbits


def _asked(keeps: Callable[[str], bool]) -> set[int]:
    return {code for code in SCALARS if not keeps(chr(code))}


def traits() -> list[int]:
    """What tokenizers' components ask of a character, in the bits of UnicodeTable.Trait, as the library itself answers."""
    bert = functools.partial(normalizers.BertNormalizer, handle_chinese_chars=False, lowercase=False)
    clean, accents = bert(clean_text=True, strip_accents=False), bert(clean_text=False, strip_accents=True)
    questions = [
        lambda character: clean.normalize_str(character) != "",
        lambda character: accents.normalize_str(character) != "",
        lambda character: normalizers.StripAccents().normalize_str(character) != "",
        lambda character: normalizers.Strip().normalize_str(character) != "",
        lambda character: len(pre_tokenizers.Punctuation().pre_tokenize_str("a" + character)) == 1,
        lambda character: len(pre_tokenizers.Digits().pre_tokenize_str("a" + character)) == 1,
    ]
    answers = [_asked(question) for question in questions]
    return [sum((code in answer) << bit for bit, answer in enumerate(answers)) for code in range(0x110000)]


def lowercase() -> dict[int, str]:
    """What Rust's `char::to_lowercase` changes, as tokenizers has it (Unicode 17.0)."""
    lower = normalizers.Lowercase()
    mapped = {code: lower.normalize_str(chr(code)) for code in SCALARS}
    return {code: text for code, text in mapped.items() if text != chr(code)}


def in_unicode_9(code: int) -> bool:
    age = ucd.age(chr(code))
    return age != "Unassigned" and float(age) <= 9.0


# The order of NormalizationForm's raw values.
FORMS = ["NFD", "NFC", "NFKD", "NFKC"]
HANGUL = range(0xAC00, 0xAC00 + 11172)


def decompositions(form: str) -> dict[int, list[int]]:
    """Full decompositions (form NFD or NFKD) of what Unicode 9.0 had, without Hangul syllables. Decompositions never change."""
    mapped = {code: ucd.normalize(form, chr(code)) for code in SCALARS if code not in HANGUL and in_unicode_9(code)}
    return {code: list(map(ord, text)) for code, text in mapped.items() if text != chr(code)}


def compositions() -> list[tuple[int, int, int]]:
    """First, second, and what they compose to, without Hangul syllables."""
    triples = []
    for code in decompositions("NFD"):
        parts = ucd.decomposition(chr(code)).split()
        if len(parts) == 2 and ucd.normalize("NFC", chr(code)) == chr(code):
            triples.append((int(parts[0], 16), int(parts[1], 16), code))
    return sorted(triples)


def combining_classes() -> list[int]:
    return [ucd.combining(chr(code)) if in_unicode_9(code) else 0 for code in range(0x110000)]


# The order of GraphemeClass's raw values.
GRAPHEME_CLASSES = """Other CR LF Control ExtendNone ExtendExtend ExtendLinker ZWJ Regional_Indicator Prepend SpacingMark L V T Syllable
    Pictographic Consonant""".split()


def clusters(rules: dict[str, str], text: Callable[[str], str], shows: Callable[[str], bool]) -> set[int]:
    """The code points with which tokenizers' Precompiled makes of a text what shows how it cuts grapheme clusters.

    A short cluster that begins with a key becomes what the key becomes, the rest is lost; a cluster of six bytes is taken by character.
    """
    normalizer = normalizers.Precompiled(charsmap(rules))
    return {code for code in SCALARS if shows(normalizer.normalize_str(text(chr(code))))}


def grapheme_classes() -> list[int]:
    """Grapheme_Cluster_Break, with Indic_Conjunct_Break and Extended_Pictographic in it, of Unicode 17.0: as tokenizers cuts clusters."""

    def keeps_accent(text: str) -> bool:
        return text.endswith("\u0301")

    letter, ka = {"a": "b"}, {"\u0915": "b"}
    joining = clusters(letter, lambda c: f"a{c}", lambda text: text == "b")
    prepend = clusters(letter, lambda c: f"{c}a\u0301", keeps_accent)
    control = clusters({"\u0301": "b"}, lambda c: f"{c}\u0301\u0302", lambda text: not text.endswith("\u0302"))
    pictographic = clusters({"\u00a9": "b"}, lambda c: f"\u00a9\u200d{c}", lambda text: "\u200d" in text) - joining
    consonants = clusters(ka, lambda c: f"{c}\u094d\u0915\u0301", keeps_accent)
    linkers = clusters(ka, lambda c: f"\u0915{c}\u0915\u0301", keeps_accent) - prepend
    conjunct = clusters(ka, lambda c: f"\u0915\u094d{c}\u0915\u0301", keeps_accent) - prepend

    def name(code: int) -> str:
        old = ucd.grapheme_cluster_break(chr(code)) if code not in SURROGATES else "Control"
        if old in ("CR", "LF", "ZWJ", "Regional_Indicator", "L", "V", "T"):
            return old
        if old in ("LV", "LVT"):
            return "Syllable"
        if code in joining:
            spacing = "ExtendNone" if old == "Extend" else "SpacingMark"
            return "ExtendLinker" if code in linkers else "ExtendExtend" if code in conjunct else spacing
        sets = {"Control": control, "Prepend": prepend, "Pictographic": pictographic, "Consonant": consonants}
        return next((name for name, members in sets.items() if code in members), "Other")

    return [GRAPHEME_CLASSES.index(name(code)) for code in range(0x110000)]


def unicode_scripts() -> list[int]:
    """What tokenizers' UnicodeScripts compares: 0 for any, else a script's index and 1; Hiragana and Katakana are Han there.

    Its table is that of Unicode 9.0. Source: tokenizers, pre_tokenizers/unicode_scripts.
    """
    names = list(script_names())
    index = {name: position + 1 for position, name in enumerate(names)} | {"Unknown": 0}
    index["Hiragana"] = index["Katakana"] = index["Han"]
    changed = {0x20: 0, 0x30FC: index["Han"], 0x589: index["Common"], 0x61C: index["Common"]}
    changed |= dict.fromkeys((0x953, 0x954), index["Devanagari"])
    return [changed.get(code, index[names[script]] if code not in SURROGATES and in_unicode_9(code) else 0)
            for code, script in enumerate(scripts())]  # fmt: skip


def instability() -> list[int]:
    """Bits of the forms NFD, NFC, NFKD, NFKC (Unicode 9.0) in which a code point may change, or change with what stands before it."""
    pairs = compositions()
    seconds = {second for _, second, _ in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    classes = combining_classes()

    def bits(code: int) -> int:
        if code in SURROGATES or not in_unicode_9(code):
            return 0
        if classes[code]:
            return 15
        changes = sum((ucd.normalize(form, chr(code)) != chr(code)) << bit for bit, form in enumerate(FORMS))
        return changes | (10 if code in seconds else 0)

    return [bits(code) for code in range(0x110000)]
