"""python Fixtures/make/unicode_tables.py    (see unicode_sources.py; rewrites Sources/KistTokenizers/Unicode/Data)

Writes the Unicode tables as Swift source. Numbers are packed into text, five bits a letter from '0' on, least significant first, 32 more in
every letter but a number's last: a literal of a string compiles at once, one of an array of ten thousand numbers does not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import unicode_sources as sources

FOLDER = Path(__file__).resolve().parents[2] / "Sources/KistTokenizers/Unicode/Data"


def packed(numbers: Iterable[int]) -> str:
    letters = []
    for number in numbers:
        while number >= 32:
            letters.append(chr(48 + 32 + number % 32))
            number //= 32
        letters.append(chr(48 + number))
    return "".join(letters)


def runs(values: list[int]) -> list[int]:
    """Length and value of each run of equal values, one value a code point."""
    return [number for value, run in groupby(values) for number in (len(list(run)), value)]


def alternating(members: set[int]) -> list[int]:
    """Lengths of the runs of code points that are not and that are in a set, in turn."""
    numbers = [len(list(run)) for _, run in groupby(range(0x110000), lambda code: code in members)]
    return [0, *numbers] if 0 in members else numbers


def orbits(groups: list[list[int]]) -> list[int]:
    """Of each group: how far its first lies from the previous group's, how many follow, and how far each lies from the one before."""
    numbers, previous = [], 0
    for group in groups:
        numbers += [group[0] - previous, len(group) - 1]
        numbers += [after - before for before, after in zip(group, group[1:])]
        previous = group[0]
    return numbers


def zigzag(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


def expansions(table: dict[int, list[int]]) -> list[int]:
    """Of each code point: how far it lies from the previous one, how many it becomes, and those, each from the one before, zigzag."""
    numbers, previous = [], 0
    for code, targets in sorted(table.items()):
        numbers += [code - previous, len(targets)]
        numbers += [zigzag(target - before) for before, target in zip([code, *targets], targets)]
        previous = code
    return numbers


def triples(table: list[tuple[int, int, int]]) -> list[int]:
    """Of each composition: its first from the previous one's, its second, and the composite from its first, zigzag."""
    numbers, previous = [], 0
    for first, second, composite in table:
        numbers += [first - previous, second, zigzag(composite - first)]
        previous = first
    return numbers


def lowercase(table: dict[int, str]) -> tuple[list[int], list[int]]:
    """Distinct distances from capital to small letters, zigzag, the first 0; and runs of their indices. Only U+0130 becomes two."""
    assert [code for code, text in table.items() if len(text) > 1] == [0x130]
    distances = [ord(table[code][0]) - code if code in table else 0 for code in range(0x110000)]
    distinct = sorted(set(distances), key=abs)
    return [zigzag(distance) for distance in distinct], runs([distinct.index(distance) for distance in distances])


def write(file: str, tables: dict[str, tuple[str, str]]) -> None:
    """Writes a file of tables: their names, doc comments and texts."""
    lines = ["// Made by Fixtures/make/unicode_tables.py.", "", "extension UnicodeTable {"]
    for index, (name, (comment, text)) in enumerate(tables.items()):
        lines += [""] * (index > 0) + [f"  /// {comment}", f'  static let {name}: StaticString = #"""']
        lines += textwrap.wrap(text, 116, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        lines += ['    """#']
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / file).write_text("\n".join(lines + ["}"]) + "\n")


if __name__ == "__main__":
    write("UnicodeTable+CategoryData.swift", {
        "categoryRuns": ("Runs of general categories: length, category.", packed(runs(sources.categories()))),
    })  # fmt: skip
    names = (",".join([name, *aliases]) for name, aliases in sources.script_names().items())
    write("UnicodeTable+ScriptData.swift", {
        "scriptNames": ("Names of each script, the long one first, joined by commas.", " ".join(names)),
        "scriptRuns": ("Runs of scripts: length, index into the names.", packed(runs(sources.scripts()))),
    })  # fmt: skip
    binary = {name: sources.rust_matches(rf"\p{{{name}}}") for name in ("Alphabetic", "Uppercase", "Lowercase")}
    write("UnicodeTable+PropertyData.swift", {
        f"{name.lower()}Runs": (f"{name}: lengths of runs without and with it, in turn.", packed(alternating(members)))
        for name, members in binary.items()
    })  # fmt: skip
    write("UnicodeTable+CaseData.swift", {
        "caseOrbits": ("Scalars with the same simple case folding: distance to the first, number of others, their distances.",
                       packed(orbits(sources.case_orbits()))),
    })  # fmt: skip
    distances, indices = lowercase(sources.lowercase())
    write("UnicodeTable+LowercaseData.swift", {
        "lowercaseDistances": ("Distances from capitals to small letters, zigzag.", packed(distances)),
        "lowercaseIndexRuns": ("Runs of indices of those distances.", packed(indices)),
    })  # fmt: skip
    write("UnicodeTable+TraitData.swift", {
        "traitRuns": ("Runs of what tokenizers asks of characters: length, bits of `Trait`.", packed(runs(sources.traits()))),
        "unicodeScriptsRuns": ("Runs of what UnicodeScripts compares: length, number of a script.",
                               packed(runs(sources.unicode_scripts()))),
    })  # fmt: skip
    write("UnicodeTable+GraphemeData.swift", {
        "graphemeRuns": ("Runs of grapheme classes: length, `GraphemeClass`.", packed(runs(sources.grapheme_classes()))),
    })  # fmt: skip
    canonical, compatible = sources.decompositions("NFD"), sources.decompositions("NFKD")
    only = {code: targets for code, targets in compatible.items() if canonical.get(code) != targets}
    write("UnicodeTable+CanonicalData.swift", {
        "combiningClassRuns": ("Runs of canonical combining classes: length, class.", packed(runs(sources.combining_classes()))),
        "instabilityRuns": ("Runs of the forms under which a scalar may change: length, bits by `NormalizationForm`.",
                            packed(runs(sources.instability()))),
        "canonicalExpansions": ("Full canonical decompositions.", packed(expansions(canonical))),
        "canonicalCompositions": ("Pairs that compose.", packed(triples(sources.compositions()))),
    })  # fmt: skip
    write("UnicodeTable+CompatibilityData.swift", {
        "compatibilityExpansions": ("Full compatibility decompositions where not the canonical ones.", packed(expansions(only))),
    })  # fmt: skip
