"""Where unicode_tables.py gets its data from.

    pip install unicodedataplus==16.0.0.post1 tokenizers==0.23.3 tiktoken==0.14.0

unicodedataplus holds the Unicode Character Database 16.0, the version that tokenizers' Oniguruma and tiktoken's regex-syntax have too
(unicode_check.py compares them over all code points). What it lacks is asked of those libraries, a code point at a time.
"""

from __future__ import annotations

import re

import tiktoken
import unicodedataplus as ucd

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
