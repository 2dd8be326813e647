"""Files of other libraries: tiktoken's ranks, Mistral's tekken.json, and the bare vocabularies that transformers reads."""

import base64
import json
import os

import tiktoken
from tokenizers import Regex, Tokenizer, pre_tokenizers

from tokenizers_corpus import AWKWARD
from tokenizers_files import folder, rows_of, write_golden
from tokenizers_models import LLAMA3, TEKKEN, trained_bpe


def byte_alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + index): byte for index, byte in enumerate(others)}


def ranks(size, pattern, bytes_in_order):
    """Tokens as bytes, in the order of merging."""
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    model = trained_bpe(pre, size)
    alphabet = byte_alphabet()
    raw = lambda token: bytes(alphabet[character] for character in token)
    singles = [bytes([byte]) for byte in range(256)]
    if not bytes_in_order:
        singles.sort(key=lambda token: (token[0] + 95) % 256)
    tokens = singles + [raw(left) + raw(right) for left, right in model["merges"]]
    unique = list(dict.fromkeys(tokens))
    return {token: rank for rank, token in enumerate(unique)}


def tiktoken_files():
    for name, pattern, in_order in [
        ("llama3", LLAMA3, False),
        ("cl100k_base", tiktoken_pattern("cl100k_base"), False),
        ("o200k_base", tiktoken_pattern("o200k_base"), True),
        ("r50k_base", tiktoken_pattern("r50k_base"), True),
    ]:
        mergeable = ranks(340, LLAMA3, in_order)
        path = folder(f"tiktoken-{name}")
        with open(os.path.join(path, f"{name}.tiktoken"), "w") as file:
            for token, rank in mergeable.items():
                file.write(f"{base64.b64encode(token).decode()} {rank}\n")
        encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=mergeable, special_tokens={})
        rows = []
        for text in AWKWARD + ["<|endoftext|> x", "<|begin_of_text|>"]:
            ids = encoding.encode_ordinary(text)
            rows.append({"text": text, "ids": ids, "decoded": encoding.decode(ids)})
        write_golden(f"tiktoken-{name}", rows)


def tiktoken_pattern(name):
    from unittest import mock
    from tiktoken_ext import openai_public

    # The pattern alone: the ranks would be downloaded.
    with mock.patch.object(openai_public, "load_tiktoken_bpe", lambda *args, **options: {}):
        return openai_public.ENCODING_CONSTRUCTORS[name]()["pat_str"]


def tekken():
    mergeable = ranks(340, TEKKEN, True)
    special_count = 24
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": token.decode("utf-8", "ignore") or None}
        for token, rank in mergeable.items()
    ]
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    size = len(vocab) - 4  # the last are cut off
    description = {
        "config": {
            "pattern": TEKKEN, "num_vocab_tokens": len(vocab), "default_vocab_size": size + special_count,
            "default_num_special_tokens": special_count, "version": "v11",
        },
        "vocab": vocab,
        "special_tokens": [{"rank": rank, "token_str": name, "is_control": True} for rank, name in enumerate(names)],
    }
    with open(os.path.join(folder("tekken"), "tekken.json"), "w", encoding="utf-8") as file:
        json.dump(description, file, ensure_ascii=False, separators=(",", ":"))
    kept = {token: rank for token, rank in mergeable.items() if rank < size}
    encoding = tiktoken.Encoding("tekken", pat_str=TEKKEN, mergeable_ranks=kept, special_tokens={})
    rows = []
    for text in AWKWARD + ["[INST] hi [/INST]"]:
        ids = encoding.encode_ordinary(text)
        rows.append({"text": text, "ids": [id + special_count for id in ids], "decoded": encoding.decode(ids)})
    write_golden("tekken", rows)


def bare_vocabularies():
    from transformers import AutoTokenizer

    specials = {
        "gpt2": ["<|endoftext|>"], "roberta": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "qwen2": ["<|endoftext|>"],
        "clip": [],
    }
    configs = {
        "gpt2": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True, "add_bos_token": True},
        "roberta": {"tokenizer_class": "RobertaTokenizer", "mask_token": {
            "content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False, "__type": "AddedToken"}},
        "qwen2": {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {
            str(320 + index): {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
            for index, content in enumerate(["<|im_start|>", "<|im_end|>"])}},
        "clip": {"tokenizer_class": "CLIPTokenizer"},
    }
    for name, config in configs.items():
        if name == "clip":
            model = clip_model()
        else:
            model = trained_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), 320, specials[name])
        path = folder(f"vocab-json-{name}")
        with open(os.path.join(path, "vocab.json"), "w", encoding="utf-8") as file:
            json.dump(model["vocab"], file, ensure_ascii=False, separators=(",", ":"))
        with open(os.path.join(path, "merges.txt"), "w", encoding="utf-8", newline="") as file:
            file.write("#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in model["merges"]))
        with open(os.path.join(path, "tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        backend = reloaded(AutoTokenizer.from_pretrained(path))
        write_golden(f"vocab-json-{name}", rows_of(backend, AWKWARD + ["x <mask> y", "a<|endoftext|>b <|im_start|>c"]))
    backend = reloaded(AutoTokenizer.from_pretrained(write_bert_config()))
    write_golden("vocab-txt", rows_of(backend, AWKWARD + ["x[MASK]y", "[SEP] Chai"]))


def reloaded(tokenizer):
    """The library's tokenizer alone, without what transformers wraps around its decoding."""
    return Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())


def write_bert_config():
    path = folder("vocab-txt")
    with open(os.path.join(path, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "BertTokenizerFast", "do_lower_case": True, "strip_accents": False}, file)
    return path


def clip_model():
    model = trained_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), 300)
    letters = [token for token in model["vocab"] if len(token) == 1]
    vocab = letters + [letter + "</w>" for letter in letters]
    merges = []
    for left, right in model["merges"]:
        # Merges at the end of a word as well as within it.
        for end in ("", "</w>"):
            if left in vocab and right + end in vocab:
                merges.append((left, right + end))
                vocab.append(left + right + end)
    vocab = list(dict.fromkeys(vocab)) + ["<|startoftext|>", "<|endoftext|>"]
    return {"vocab": {token: index for index, token in enumerate(vocab)}, "merges": list(dict.fromkeys(merges))}


def write_all():
    tiktoken_files()
    tekken()
    bare_vocabularies()
