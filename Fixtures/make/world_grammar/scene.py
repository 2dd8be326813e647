"""Fills a template: chooses among [a|b|c], puts words into {slots}, and sets articles and capitals right.

A slot is `{role}` or `{role.attribute}`; a digit after the role makes it another one ({person}, {person2}). Within one
template a slot keeps its word, and slots of one table differ: the story is about the same people from its beginning to its end.
"""

from __future__ import annotations

import re

from . import words
from .dice import Dice

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+?)(\d?)(?:\.(\w+))?\}")
SENTENCE_START = re.compile(r'(^"?|[.?!]"? "?|: |, ")([a-z])')
VOWEL_NEXT = re.compile(r"\b([Aa]) (?=[aeiou])")

TABLES: dict[str, list[words.Row]] = {
    "animal": words.ANIMALS,
    "beast": [row for row in words.ANIMALS if row["young"] != "-"],
    "place": words.PLACES,
    "food": words.FOODS,
    "thing": words.THINGS,
    "color": [{"word": color} for color in words.COLORS],
    "colored": words.COLORED,
    "degree": words.DEGREES,
    "opposite": [row | {"word": row["one"]} for row in words.OPPOSITES],
    "season": words.SEASONS,
}
SAME_TABLE = {"beast": "animal", "small": "animal", "big": "animal"}
ANIMAL = {row["word"]: row for row in words.ANIMALS}


class Scene:
    """Who and what one text is about."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.bound: dict[str, words.Row] = {}
        self.taken: dict[str, set[str]] = {}

    def text(self, template: str) -> str:
        while CHOICE.search(template):
            template = CHOICE.sub(lambda match: self.dice.choice(match[1].split("|")), template)
        filled = SLOT.sub(lambda match: self.row(match[1], match[1] + match[2])[match[3] or "word"], template)
        filled = VOWEL_NEXT.sub(r"\1n ", filled)
        return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), filled)

    def row(self, role: str, slot: str) -> words.Row:
        if slot not in self.bound:
            if role in ("small", "big"):
                self.bind_sizes()
            elif role in ("some", "more", "both", "left"):
                self.bind_numbers()
            else:
                self.bound[slot] = self.person(role) if role in words.ROLES else self.drawn(role)
        return self.bound[slot]

    def drawn(self, role: str) -> words.Row:
        taken = self.taken.setdefault(SAME_TABLE.get(role, role), set())
        row = self.dice.choice([row for row in TABLES[role] if row["word"] not in taken])
        taken.add(row["word"])
        return row

    def person(self, role: str) -> words.Row:
        """The row of a person: its word, kind and gender, the pronouns, and a name."""
        taken = self.taken.setdefault("person", set())
        kinds = words.ROLES[role]
        pairs = [pair for pair in words.PAIRS if pair["kind"] in kinds and not {pair["he"], pair["she"]} <= taken]
        pair = self.dice.choice(pairs)
        gender = self.dice.choice([gender for gender in ("he", "she") if pair[gender] not in taken])
        name = self.dice.choice([name for name in words.NAMES[gender] if name not in taken])
        taken |= {pair[gender], name}
        row = {"word": pair[gender], "kind": pair["kind"], "gender": gender, "name": name}
        return row | words.PRONOUNS[gender]

    def bind_sizes(self) -> None:
        small, big = sorted(self.dice.sample(range(len(words.BY_SIZE)), 2))
        self.bound |= {"small": ANIMAL[words.BY_SIZE[small]], "big": ANIMAL[words.BY_SIZE[big]]}

    def bind_numbers(self) -> None:
        """{some} and {more} (which is less), {both} together, and what is {left} when they are taken away."""
        some = self.dice.below(9) + 2
        more = self.dice.below(some - 1) + 1
        for slot, number in {"some": some, "more": more, "both": some + more, "left": some - more}.items():
            self.bound[slot] = {"word": words.NUMBERS[number], "digits": str(number)}
