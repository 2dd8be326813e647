"""Writes a tokenizer.json of Gemma 3's shape (262,144 tokens, half a million merges, 31 MB): python large_tokenizer.py FILE."""
import json
import random
import sys

SIZE = 262_144
rng = random.Random(1)
specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"] + [f"<unused{number}>" for number in range(99)]
vocab = dict.fromkeys(specials)
vocab.update(dict.fromkeys(f"<0x{byte:02X}>" for byte in range(256)))
ranges = [(0x21, 0x7F, 60), (0xA1, 0x250, 6), (0x391, 0x3CA, 4), (0x410, 0x450, 12), (0x5D0, 0x5EB, 2), (0x621, 0x64B, 4), (0x904, 0x93A, 3),
          (0xE01, 0xE30, 2), (0x3041, 0x30FF, 6), (0xAC00, 0xD7A4, 5), (0x4E00, 0x9FA6, 14)]
letters = ["▁"] + [chr(value) for low, high, _ in ranges for value in range(low, high, 1 if high - low < 2000 else 3)]
vocab.update(dict.fromkeys(letters))
scripts = [[chr(value) for value in range(low, high, 1 if high - low < 2000 else 3)] for low, high, _ in ranges]
# Each script's own pieces grow by concatenation, the earlier ones more often, as learned merges do.
pieces = [["▁"] + letters for letters in scripts]
weights = [weight for _, _, weight in ranges]
split = {}
follow = {}
merges = []
while len(vocab) < SIZE:
    own = pieces[rng.choices(range(len(pieces)), weights)[0]]
    pick = lambda: own[int(len(own) * rng.random() ** 5)]
    left, right = pick(), pick()
    # Most tokens come about in two ways: where a + b and b + c are tokens, as a + b + c.
    middle = split.get(left, ("", ""))[1]
    if middle in follow and rng.random() < 0.98:
        right = rng.choice(follow[middle])
    if right.startswith("▁") or len(left) + len(right) > 20 or left + right in vocab:
        continue
    vocab[left + right] = None
    split[left + right] = (left, right)
    follow.setdefault(left, []).append(right)
    own.append(left + right)
# All pairs of tokens that make a token, as the conversion of a SentencePiece model lists them.
for token in vocab:
    if not token.startswith("<"):
        merges += [[token[:cut], token[cut:]] for cut in range(1, len(token)) if token[:cut] in vocab and token[cut:] in vocab]
MARK = "\u2581"
added = [
    {"id": id, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    for id, token in enumerate(specials)
]
begin = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
text = {"Sequence": {"id": "A", "type_id": 0}}
description = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": MARK},
    "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
    "post_processor": {"type": "TemplateProcessing", "single": [begin, text], "pair": [begin, text, text],
                       "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}}},
    "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
    "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
              "vocab": {token: id for id, token in enumerate(vocab)}, "merges": merges},
}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(description, file, ensure_ascii=False, indent=2)
