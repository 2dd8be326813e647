"""python Fixtures/make/unicode_properties.py    (see unicode_sources.py; rewrites Fixtures/tokenizers/normalizers/properties.tsv)

Which scalars the reference libraries find by the name of a property, over all scalars: name, number of scalars, FNV-1a of their ranges
written `first-last,` in hexadecimal. Stops when Oniguruma (tokenizers) and regex-syntax (tiktoken) both know a name and differ.
"""

from __future__ import annotations

from pathlib import Path

import libraries_first  # noqa: F401
import tokenizers
import unicode_sources as sources

OUTPUT = Path(__file__).resolve().parents[1] / "tokenizers/normalizers/properties.tsv"
GROUPS = "L M N P S Z C LC Letter Mark Number Punctuation Symbol Separator Other Cased_Letter"
LONG = """Uppercase_Letter Lowercase_Letter Titlecase_Letter Modifier_Letter Other_Letter Nonspacing_Mark Spacing_Mark Enclosing_Mark
    Decimal_Number Letter_Number Other_Number Connector_Punctuation Dash_Punctuation Open_Punctuation Close_Punctuation
    Initial_Punctuation Final_Punctuation Other_Punctuation Math_Symbol Currency_Symbol Modifier_Symbol Other_Symbol Space_Separator
    Line_Separator Paragraph_Separator Control Format Private_Use Unassigned"""
OTHER = "Any Assigned ASCII Alphabetic Alpha Uppercase Upper Lowercase Lower White_Space space lu LETTER hAn oldpersian"


def oniguruma_matches(pattern: str) -> set[int]:
    try:
        kept = tokenizers.normalizers.Replace(tokenizers.Regex(pattern), "").normalize_str(sources.TEXT)
    except Exception:
        return set()
    return set(sources.SCALARS) - set(map(ord, kept))


def rust_matches(pattern: str) -> set[int]:
    try:
        return sources.rust_matches(pattern)
    except ValueError:
        return set()


def fingerprint(codes: set[int]) -> str:
    digest, codes = 0xCBF29CE484222325, sorted(codes)
    previous, ranges = None, []
    for code in codes:
        if previous is not None and code == previous + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
        previous = code
    for byte in "".join(f"{first:X}-{last:X}," for first, last in ranges).encode():
        digest = (digest ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{digest:016x}"


if __name__ == "__main__":
    scripts = [name for long, aliases in sources.script_names().items() for name in (long, *aliases)]
    names = [*sources.CATEGORIES, *GROUPS.split(), *LONG.split(), *OTHER.split(), *scripts]
    lines, both = [], 0
    for name in names:
        oniguruma, rust = oniguruma_matches(rf"\p{{{name}}}"), rust_matches(rf"\p{{{name}}}")
        both += bool(oniguruma and rust)
        if oniguruma and rust and oniguruma != rust:
            raise SystemExit(f"{name}: Oniguruma and regex-syntax differ: {sorted(oniguruma ^ rust)[:5]}")
        if matches := oniguruma or rust:
            lines.append(f"{name}\t{len(matches)}\t{fingerprint(matches)}")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} of {len(names)} names are known to a library, {both} to both")
