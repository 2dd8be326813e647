"""Generated words and texts."""
import random

LETTERS = "etaoinshrdlucmfwypvbgk"
ODD = ["é", "ß", "ж", "я", "中", "文", "の", "한", "😀", "\u0301", "\u200d", "\u00a0", "\0", "\t", "\n", "1", "2", ".", ",", "'", "<", ">", "q", "Z"]


def vocabulary(rng: random.Random, count: int) -> list[str]:
    """Words in which some syllables come up again and again, the common ones first."""
    syllables = ["".join(rng.choices(LETTERS, weights=range(44, 0, -2), k=rng.choice((1, 2, 2, 3)))) for _ in range(60)]
    return ["".join(rng.choices(syllables, k=rng.choice((1, 1, 2, 2, 3)))) for _ in range(count)]


def sentences(rng: random.Random, count: int) -> list[str]:
    known = vocabulary(rng, 400) + ["中文", "文の", "жя", "café"]
    weights = [1 / (rank + 2) for rank in range(len(known))]
    return [" ".join(rng.choices(known, weights=weights, k=rng.randint(3, 14))) for _ in range(count)]


def mixed(rng: random.Random, tokens: list[str], space: str) -> str:
    """A text of tokens, parts of tokens, odd characters and spaces."""
    parts = []
    for _ in range(rng.choice((1, 2, 3, 5, 9, 20))):
        kind = rng.random()
        token = rng.choice(tokens)
        if kind < 0.6:
            parts.append(token)
        elif kind < 0.75:
            parts.append(token[: rng.randint(0, len(token))])
        elif kind < 0.9:
            parts.append(rng.choice(ODD) * rng.choice((1, 1, 1, 2, 5)))
        else:
            parts.append(space * rng.choice((1, 1, 2, 4)))
    return "".join(parts)


def byte_offsets(text: str, offsets: tuple[int, int]) -> list[int]:
    """Byte offsets of character offsets."""
    return [len(text[:place].encode()) for place in offsets]
