"""python3 Fixtures/make/world.py [--bytes N] [--seed N] [-o FILE]    (no dependencies)

Writes a small world as text: people, kings and queens, animals, places, little stories, questions and answers, sums. A line is a
text of its own. The same arguments give the same bytes on every machine; the words and sentences are in world_grammar.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from world_grammar import questions, sentences, stories, words
from world_grammar.dice import Dice
from world_grammar.scene import Scene


def about_person(dice: Dice) -> str:
    """A few sentences about one person: what all do, what this role does, what only he or she does."""
    scene = Scene(dice)
    person = scene.row("person", "person")
    roles = [role for role, kinds in words.ROLES.items() if person["kind"] in kinds and role != "person"]
    own = [does for role in roles for does in sentences.DOES.get(role, [])]
    does = dice.sample(own, 2) + dice.sample(sentences.DOES["person"], 2)
    if dice.below(3) == 0:
        does.append(dice.choice(sentences.ONLY[person["gender"]]))
    does = dice.sample(does, 3)
    first = "the {person} named {person.name}" if dice.below(3) == 0 else "the {person}"
    subjects = [first, "{person.he}", "the {person}"]
    return scene.text(" ".join(f"{subject} {do}." for subject, do in zip(subjects, does)))


def facts(dice: Dice) -> str:
    scene = Scene(dice)
    kind = dice.weighted({"meaning": 3, "animal": 4, "thing": 4})
    if kind == "meaning":
        return scene.text(" ".join(dice.sample(sentences.MEANINGS, dice.below(2) + 1)))
    if kind == "animal":
        return scene.text(" ".join(dice.sample(sentences.ABOUT_ANIMALS, 3)))
    return scene.text(" ".join(dice.sample(sentences.ABOUT_THINGS, 2)))


def story(dice: Dice) -> str:
    if dice.below(2) == 0:
        return Scene(dice).text(dice.choice(stories.WHOLE))
    events = dice.sample(stories.EVENTS, dice.below(2) + 2)
    return Scene(dice).text(" ".join([dice.choice(stories.OPENINGS), *events, dice.choice(stories.ENDINGS)]))


def asked(dice: Dice) -> str:
    pairs = dice.sample(questions.ASKED, dice.below(3) + 1)
    return " ".join(Scene(dice).text(f"question: {question} Answer: {answer}") for question, answer in pairs)


def read(dice: Dice) -> str:
    text, question, answer = dice.choice(questions.READ)
    return Scene(dice).text(f"{text} Question: {question} Answer: {answer}")


def sums(dice: Dice) -> str:
    return " ".join(one_sum(dice) for _ in range(dice.below(3) + 2))


def one_sum(dice: Dice) -> str:
    x, y = dice.below(11), dice.below(10) + 1
    numbers = {"x": x, "y": y, "z": x + y, "next": x + 1}
    named = {name: words.NUMBERS[number] for name, number in numbers.items()}
    digits = {name.upper(): str(number) for name, number in numbers.items()}
    template = dice.choice(questions.ORDER if dice.below(5) == 0 else questions.SUMS)
    return Scene(dice).text(template.format(**named, **digits))


KINDS: dict[Callable[[Dice], str], int] = {story: 30, about_person: 28, facts: 16, asked: 10, read: 12, sums: 10}


def texts(seed: int) -> Iterator[str]:
    dice = Dice(seed)
    while True:
        yield dice.weighted(KINDS)(dice)


def world(byte_count: int, seed: int) -> str:
    """Whole lines, until they are at least `byte_count` bytes; all ASCII."""
    lines: list[str] = []
    for text in texts(seed):
        if byte_count <= 0:
            break
        lines.append(text + "\n")
        byte_count -= len(text) + 1
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=4_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", help="a file; else standard output")
    arguments = parser.parse_args()
    text = world(arguments.bytes, arguments.seed)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        with open(arguments.output, "w", encoding="ascii", newline="") as file:
            file.write(text)


if __name__ == "__main__":
    main()
