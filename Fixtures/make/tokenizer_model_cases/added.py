"""Added tokens: where they are found, and how ids are decoded."""
import itertools
import json

from tokenizers import Tokenizer

from .texts import byte_offsets

PARTS = [
    "<s>", "</s>", "<", "ab", "abc", "b", "AB", "Abc", "day", "Day", "mon", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "_", "\u200d", "é", "e\u0301",
    "中", "\u0301", "1", "²", "Ⅷ", "ⓐ", "-", "x", "s", ">", "\u200b", "‿", "😀", "[", "]", "[M]", "\0"]
CONTENTS = [
    "<s>", "</s>", "ab", "abc", "abcab", "b", "day", "Monday", "DAY", " ", "\t", "  day", "中", "é", "x-x", "_", "[M]", "[", "<", "\u00a0b", "1", "s"]


def sets(rng, count):
    for number, lowercases in enumerate((False, False, False, True, True, True)):
        tokens = added_tokens(rng, lowercases)
        yield f"added-tokens-{number}", added_set(rng, tokens, lowercases, count)


def added_tokens(rng, lowercases):
    contents = rng.sample(CONTENTS, 10) if not lowercases else [c for c in rng.sample(CONTENTS, 14) if c not in ("DAY", "Monday")] + ["DAYS"]
    flag = lambda chance: rng.random() < chance
    return [
        dict(
            id=id, content=content, single_word=flag(0.3), lstrip=flag(0.3), rstrip=flag(0.3), normalized=flag(0.5), special=flag(0.4))
        for id, content in enumerate(contents, start=1)]


def added_set(rng, tokens, lowercases, count):
    tokenizer = Tokenizer.from_str(json.dumps({
        "version": "1.0", "added_tokens": tokens, "normalizer": {"type": "Lowercase"} if lowercases else None, "pre_tokenizer": None,
        "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}))
    cases = []
    parts = PARTS if not lowercases else [part for part in PARTS if part.lower().upper().lower() == part.lower() and len(part.lower()) == len(part)]
    while len(cases) < count:
        text = "".join(rng.choices(parts + CONTENTS if not lowercases else parts + [c for c in CONTENTS], k=rng.randint(1, 16)))
        tokenizer.encode_special_tokens = rng.random() < 0.3
        try:
            encoding = tokenizer.encode(text)
        except BaseException:
            continue
        segments = [
            [id, *byte_offsets(text, offsets)] for id, offsets in zip(encoding.ids, encoding.offsets)]
        cases.append({"text": text, "parsesSpecial": not tokenizer.encode_special_tokens, "segments": segments})
    decoded = []
    for _ in range(min(count, 200)):
        ids = rng.choices(range(len(tokens) + 1), k=rng.randint(0, 6))
        decoded.append({"text": tokenizer.decode(ids, skip_special_tokens=False), "without": tokenizer.decode(ids, skip_special_tokens=True), "ids": ids})
    return {"tokens": tokens, "lowercases": lowercases, "cases": cases, "decoded": decoded}
