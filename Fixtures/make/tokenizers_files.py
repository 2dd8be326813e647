"""Writes one fixture: a tokenizer's files and what its own library makes of strings."""

import json
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tokenizers", "files")


def folder(name):
    path = os.path.join(ROOT, name)
    os.makedirs(path, exist_ok=True)
    return path


def write_golden(name, rows):
    with open(os.path.join(folder(name), "golden.jsonl"), "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def rows_of(tokenizer, texts):
    """What a tokenizers.Tokenizer gives; texts that it refuses are left out."""
    rows = []
    for text in texts:
        try:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            with_special = tokenizer.encode(text).ids
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
        except BaseException as error:  # the library panics now and then
            print(f"    left out {text!r}: {str(error)[:80]}")
            continue
        rows.append({"text": text, "ids": ids, "ids_special": with_special, "decoded": decoded})
    return rows


def write_json(name, description, texts):
    """A tokenizer.json from a dictionary, read by the library, and its golden file."""
    from tokenizers import Tokenizer

    text = json.dumps(description, ensure_ascii=False, separators=(",", ":"))
    tokenizer = Tokenizer.from_str(text)
    with open(os.path.join(folder(name), "tokenizer.json"), "w", encoding="utf-8") as file:
        file.write(text)
    write_golden(name, rows_of(tokenizer, texts))
