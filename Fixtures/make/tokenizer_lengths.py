"""Writes Fixtures/tokenizers/lengths.jsonl: what tokenizers makes of texts with truncation and padding, on request.

    python Fixtures/make/tokenizer_lengths.py [COUNT]

Each line: the tokenizer (a folder of Fixtures/tokenizers/files), the settings, a batch of texts or pairs, and for each the ids, types, mask and,
for single texts, the windows of what was cut off; `fails` where the library raises an error. Needs tokenizers 0.23.3.
"""

import json
import os
import random
import sys

here = os.path.dirname(os.path.abspath(__file__))
# This folder has a file that is named like the library.
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != here]
os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import Tokenizer

ROOT = os.path.join(here, "..", "tokenizers")
FOLDERS = ["bert-uncased", "gpt2", "post-roberta", "post-sequence", "llama2", "bpe-suffix"]
TEXTS = ["", "a", "Shai trou the planch", "the the chai", "x y z", "chou'll THEA's trei", "日本語 é", "ab cde abab ab"]


def shown(encoding):
    return {"ids": encoding.ids, "type_ids": encoding.type_ids, "attention_mask": encoding.attention_mask}


def settings(rng):
    truncation = padding = None
    if rng.random() < 0.85:
        truncation = {
            "max_length": rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 16]), "stride": 0 if rng.random() < 0.6 else rng.randint(1, 6),
            "strategy": rng.choice(["longest_first", "longest_first", "only_first", "only_second"]), "direction": rng.choice(["right", "right", "left"]),
        }
    if rng.random() < 0.6:
        padding = {
            "length": rng.choice([None, None, 4, 9, 12]), "pad_to_multiple_of": rng.choice([None, None, 0, 4, 8]), "direction": rng.choice(["right", "left"]),
            "pad_id": rng.randint(0, 9), "pad_type_id": rng.choice([0, 0, 3]),
        }
    return truncation, padding


def case(rng, name, tokenizer):
    truncation, padding = settings(rng)
    pairs = rng.random() < 0.4
    if pairs and truncation:
        # Kist makes windows of single texts only.
        truncation["stride"] = 0
    adds = rng.random() < 0.7
    batch = [[rng.choice(TEXTS) for _ in range(2 if pairs else 1)] for _ in range(rng.randint(1, 3))]
    result = {"tokenizer": name, "truncation": truncation, "padding": padding, "adds": adds, "batch": batch}
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if truncation and adds and truncation["max_length"] < tokenizer.num_special_tokens_to_add(pairs):
        # The library's subtraction wraps, and it cuts nothing; Kist refuses.
        return {**result, "fails": True}
    try:
        if truncation:
            tokenizer.enable_truncation(**truncation)
        if padding:
            tokenizer.enable_padding(**padding)
        encodings = tokenizer.encode_batch([tuple(texts) if pairs else texts[0] for texts in batch], add_special_tokens=adds)
    except BaseException as error:
        if "stride set to" in str(error):
            return None  # refused before any text is seen, where Kist looks at each
        return {**result, "fails": True}
    windows = lambda encoding: {} if pairs else {"overflow": [shown(window) for window in encoding.overflowing]}
    return {**result, "outputs": [{**shown(encoding), **windows(encoding)} for encoding in encodings]}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    rng = random.Random(5)
    tokenizers = {name: Tokenizer.from_file(os.path.join(ROOT, "files", name, "tokenizer.json")) for name in FOLDERS}
    with open(os.path.join(ROOT, "lengths.jsonl"), "w", encoding="utf-8") as file:
        for _ in range(count):
            name = rng.choice(FOLDERS)
            row = case(rng, name, tokenizers[name])
            if row:
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
