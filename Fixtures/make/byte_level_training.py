"""Trains a byte-level BPE on the repository's LICENSE with tokenizers 0.23.3, for `kist tokenizer train` to be compared with."""
import json
import sys
from pathlib import Path

# tokenizers.py beside this script would hide the library.
sys.path.pop(0)
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[2]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(
    vocab_size=600,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train([str(ROOT / "LICENSE")], trainer)
model = json.loads(tokenizer.to_str())["model"]
text = "Licensed under the Apache License, Version 2.0; naïve\n"
golden = {
    "vocab": model["vocab"],
    "merges": model["merges"],
    "text": text,
    "ids": tokenizer.encode(text).ids,
}
target = ROOT / "Fixtures/tokenizers/training/byte-level.json"
target.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
