"""WordPiece and WordLevel."""
from tokenizers import models

from .texts import mixed, vocabulary


def sets(rng, count):
    for name, prefix, longest in (("plain", "##", 100), ("short", "##", 5), ("no-prefix", "", 100), ("long-prefix", "@@é", 12)):
        yield f"wordpiece-{name}", wordpiece_set(rng, count, prefix, longest)
    for name, unknown in (("plain", "[UNK]"), ("no-unknown", "[none]")):
        yield f"wordlevel-{name}", wordlevel_set(rng, count, unknown)


def wordpiece_set(rng, count, prefix, longest):
    words = vocabulary(rng, 60)
    tokens = ["[PAD]", "[UNK]"] + sorted(set("etaoinéж中" ))
    for word in words + ["éж中", "中中"]:
        start, end = sorted(rng.choices(range(len(word) + 1), k=2))
        for token in (word[:end], prefix + word[start:end], prefix + word[start:]):
            if token not in tokens and token != prefix and token:
                tokens.append(token)
    tokens += [prefix + letter for letter in "etaoinshж" if prefix + letter not in tokens]
    model = models.WordPiece(
        vocab={token: id for id, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=longest,
        continuing_subword_prefix=prefix)
    plain = [token.removeprefix(prefix) for token in tokens]
    cases = []
    for _ in range(count):
        text = mixed(rng, plain, "e") * rng.choice((1, 1, 1, 8))
        cases.append({"text": text, "ids": [token.id for token in model.tokenize(text)]})
    return {"unknown": 1, "prefix": prefix, "longest": longest, "tokens": tokens, "cases": cases}


def wordlevel_set(rng, count, unknown):
    tokens = sorted({"[UNK]", "中", "é", *vocabulary(rng, 60)})
    model = models.WordLevel(vocab={token: id for id, token in enumerate(tokens)}, unk_token=unknown)
    cases = []
    for _ in range(count):
        text = rng.choice(tokens) if rng.random() < 0.5 else mixed(rng, tokens, "e")
        try:
            ids = [token.id for token in model.tokenize(text)] if text else []
        except Exception:
            ids = None
        cases.append({"text": text, "ids": ids})
    return {"unknown": tokens.index(unknown) if unknown in tokens else None, "tokens": tokens, "cases": cases}
