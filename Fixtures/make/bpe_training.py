"""python Fixtures/make/bpe_training.py    (pip install tokenizers==0.23.3; rewrites Fixtures/tokenizers/training)

What tokenizers' BpeTrainer learns from small corpora: with repeated letters, with many equally frequent pairs, with characters of one to
four bytes, and with every option. Only cases whose result is determined are kept: where it would hang on the order of a hash
table (characters at the limit of the alphabet, the symbols that a prefix or suffix makes), the corpus is drawn again, or the symbols are
given as special tokens first.

    --cases N --seed S --output FILE    writes other random cases, for a longer comparison: KIST_TRAINING_CASES=FILE swift test --filter Train
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

FILE = Path(__file__).resolve().parents[1] / "tokenizers" / "training" / "bpe.json"
ALPHABETS = ["a", "ab", "aab#", "abc", "abcdefgh", "eéß", "漢字かな", "a😀é漢", "e\u0301\u0300a", "etaoinshrdlu"]
REPETITIONS = 6


def random_word(rng: random.Random, alphabet: str) -> str:
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(alphabet) * rng.randint(1, 12)
    if kind < 0.4:
        return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 3))) * rng.randint(1, 5)
    return "".join(rng.choice(alphabet) for _ in range(min(30, int(rng.expovariate(0.2)) + 1)))


def random_lines(rng: random.Random, alphabet: str) -> list[str]:
    words = [random_word(rng, alphabet) for _ in range(rng.randint(1, 60))]
    count = rng.randint(1, 400)
    if rng.random() < 0.4:  # every word equally often, so that most pairs tie
        text = words * rng.randint(1, 3)
    else:
        text = rng.choices(words, [1 / (rank + 1) for rank in range(len(words))], k=count)
    return [" ".join(text[index : index + 12]) for index in range(0, len(text), 12)]


def random_options(rng: random.Random, alphabet: str) -> dict:
    options: dict = {"vocab_size": rng.choice([0, 3, 10, 30, 60, 100, 300, 1000])}
    if rng.random() < 0.4:
        options["min_frequency"] = rng.choice([1, 2, 3, 10])
    if rng.random() < 0.4:
        options["special_tokens"] = rng.sample(["<unk>", "<s>", "ab", "aa", "a", "漢字", "<s>", "é"], rng.randint(1, 4))
    if rng.random() < 0.3:
        options["limit_alphabet"] = rng.randint(0, len(alphabet) + 2)
    if rng.random() < 0.3:
        options["initial_alphabet"] = rng.sample(["x", "y", "a", "é", "😀"], rng.randint(1, 4))
    if rng.random() < 0.4:
        options["max_token_length"] = rng.choice([0, 1, 2, 3, 4, 7, 16])
    if rng.random() < 0.3:
        options["continuing_subword_prefix"] = rng.choice(["##", "#", "a", "@é"])
    if rng.random() < 0.3:
        options["end_of_word_suffix"] = rng.choice(["</w>", "b", "_"])
    return options


def names_decorated_symbols(rng: random.Random, lines: list[str], options: dict) -> None:
    """Gives the symbols with prefix or suffix as special tokens, so that their ids are determined."""
    prefix, suffix = options.get("continuing_subword_prefix", ""), options.get("end_of_word_suffix", "")
    if not prefix and not suffix:
        return
    symbols = {}
    for line in lines:
        for word in line.split(" "):
            for index, character in enumerate(word):
                before = prefix if index > 0 else ""
                symbols[before + character + (suffix if index == len(word) - 1 else "")] = True
    names = sorted(symbols)
    rng.shuffle(names)
    options["special_tokens"] = options.get("special_tokens", []) + names


def is_limit_determined(lines: list[str], options: dict) -> bool:
    if "limit_alphabet" not in options:
        return True
    counts = Counter(character for line in lines for character in line if character != " ")
    for character in options.get("initial_alphabet", []):
        counts[character] = 1 << 63
    ordered = sorted(counts.values(), reverse=True)
    limit = options["limit_alphabet"]
    return limit == 0 or limit >= len(ordered) or ordered[limit - 1] != ordered[limit]


def trained(lines: list[str], options: dict, whole_lines: bool) -> dict:
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(show_progress=False, **options)
    if whole_lines:
        with tempfile.NamedTemporaryFile("w", newline="", encoding="utf-8") as file:
            file.write("".join(lines))
            file.flush()
            tokenizer.train([file.name], trainer)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.train_from_iterator(lines, trainer)
    document = json.loads(tokenizer.to_str())
    vocabulary = document["model"]["vocab"]
    ids = sorted(vocabulary, key=vocabulary.get)
    assert [vocabulary[token] for token in ids] == list(range(len(ids)))
    return {
        "tokens": ids,
        "merges": [[vocabulary[left], vocabulary[right]] for left, right in document["model"]["merges"]],
        "added": [[token["id"], token["content"], token["normalized"]] for token in document["added_tokens"]],
    }


def case(lines: list[str], options: dict, whole_lines: bool = False) -> dict | None:
    """The case with its result; None when the library itself gives different ones."""
    results = [trained(lines, options, whole_lines) for _ in range(REPETITIONS)]
    if any(result != results[0] for result in results):
        return None
    return {"lines": lines, "wholeLines": whole_lines, "options": options, **results[0]}


def random_case(rng: random.Random) -> dict | None:
    alphabet = rng.choice(ALPHABETS)
    lines, options = random_lines(rng, alphabet), random_options(rng, alphabet)
    names_decorated_symbols(rng, lines, options)
    return case(lines, options) if is_limit_determined(lines, options) else None


def random_cases(count: int, seed: int) -> list[dict]:
    rng = random.Random(seed)
    cases: list[dict] = []
    undetermined = 0
    while len(cases) < count:
        found = random_case(rng)
        if found is None:
            undetermined += 1
        else:
            cases.append(found)
    print(f"{len(cases)} cases, {undetermined} undetermined ones left out")
    return cases


def counted_below_zero() -> dict | None:
    """A prefix that is also found in words, with a maximum length: the library counts a pair below zero, and then merges it
    though it is nowhere."""
    lines = ["##c ##cac# #ab c# #### accc#a#a#b a cb"]
    options = {"vocab_size": 244, "max_token_length": 4, "continuing_subword_prefix": "##", "special_tokens": ["a", "<unk>"]}
    names_decorated_symbols(random.Random(1), lines, options)
    return case(lines, options)


def waiting_twice() -> dict | None:
    """A pair comes about twice and waits twice in the queue; which of the two is merged first decides the order of others."""
    lines = [
        "########## baaaaa# baaaaa# aaaaaaaa baaaaa# aaaaaaaa aaaaaaaaaaaa ab ############ baaaaa# b#ab#baa aaaaaaaa",
        "#ba baaaaa# ############ ########## bbbbbbbb # bbaba aaaaaaaa bbaba ########## #a# bbbbbbbb",
        "# bbbbbbbb ############ #ba bbbbbbbb ab baaaaa# #ba aaa bbbbbbbb baaaaa# baaaaa#",
        "#### baaaaa# baaaaa# #a# #### baaaa #ba bbabbabbabbabba baaaaa# baaaaa# bbbbbbbb bbbbbbbb",
        "bbbbbbbb #### aa aaa aaaaaaaa ########## baaaaa# baaaaa# bbbbbbbb a#b#### b#ab#baa baaaaa#",
        "#ba bbbbbbbbbbb b#ab#baa ############ # ########## ########## # baaaaa# bbbbbbbbbbb bbbbbbbb bbbbbbbbbbb",
        "b#ab#baa bbbbbbbb bbbbbbbbbbb bbaba #a#aa#a aaa #### aa#ab# #### baaaaa# bbaba a#aa#b",
        "baaaaa# ########## aa bb#aaabaaa# bbbbbbbb baaaaa# baaaaa# baaaaa# aaa b#ab#baa bbbbbbbb aaaaaaaaaaa",
        "baaaaa# aaa aa # a#aa#b a#aba# a#b#### baaaaa# ab baaaaa# ############ #aa#a#",
        "bbbbbbbb abab ab ############ aaaaaaaaaaaa baaaaa#",
    ]
    options = {"vocab_size": 1000, "min_frequency": 1, "continuing_subword_prefix": "a"}
    options["special_tokens"] = ["b", "#", "a#", "a", "aa", "ab"]
    return case(lines, options)


def chosen_cases() -> list[dict]:
    rng = random.Random(4)
    syllables = ["ka", "ne", "to", "ri", "shi", "mo", "an", "el", "st", "ra"]
    words = ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(150)]
    prose = [" ".join(rng.choices(words, [1 / (n + 1) for n in range(150)], k=10)) for _ in range(60)]
    found = [
        case([], {"vocab_size": 100}),
        case(["", "   ", ""], {"vocab_size": 100, "special_tokens": ["<pad>"]}),
        case([], {"vocab_size": 100, "special_tokens": ["", "x", "x"], "initial_alphabet": ["b", "a", "hello"]}),
        case(["abcd abcd"], {"vocab_size": 2, "special_tokens": ["<unk>"]}),
        case(["a" * 1000 + " " + "a" * 777], {"vocab_size": 40}),
        case(["low lower lowest newer newest wider widest"] * 3, {"vocab_size": 60}),
        case(["a\r\n", "b b\n", "\n", "漢\r\n", "a\rb\n", "b b"], {"vocab_size": 40}, True),
        case(["one\n", "two one\n", "\n"], {"vocab_size": 40}, True),
        counted_below_zero(),
        waiting_twice(),
        case(prose, {"vocab_size": 300, "min_frequency": 2, "special_tokens": ["<unk>", "<s>", "</s>"]}),
    ]
    return [one for one in found if one is not None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    cases = (chosen_cases() if arguments.output == FILE else []) + random_cases(arguments.cases, arguments.seed)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in cases)
    arguments.output.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
