"""Makes Fixtures/tokenizers/files and Fixtures/tokenizers/reader.

files: a tokenizer for every component and for the families that people use, small and trained on generated
text, each with a golden.jsonl of what its own library makes of awkward strings (text, ids, ids_special, decoded).
reader: what tokenizers says to odd forms of tokenizer.json, and how it reads numbers.

    python Fixtures/make/tokenizers.py

Needs tokenizers 0.23.3, sentencepiece 0.2.3, tiktoken 0.14.0, transformers 5.23.0. No network.
"""

import os
import shutil
import sys

# This file is named like the library.
here = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != here] + [here]
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers_components
import tokenizers_files
import tokenizers_models
import tokenizers_others
import tokenizers_reader

if __name__ == "__main__":
    shutil.rmtree(tokenizers_files.ROOT, ignore_errors=True)
    tokenizers_components.write_all()
    tokenizers_models.write_all()
    tokenizers_others.write_all()
    tokenizers_reader.write_all()
