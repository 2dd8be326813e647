"""LLAMA_CPP_LIB_PATH=…/build/bin python Fixtures/make/gguf_tokenizers.py …/llama_cpp    (pip install gguf==0.19.0 sentencepiece==0.2.3)

Small tokenizers as GGUF, of every model, made of the vocabularies beside them, and the ids that llama.cpp gives for awkward texts. The
argument is the folder of llama-cpp-python's own bindings (llama_cpp/llama_cpp.py); the library is llama.cpp's libllama.so, built once.

`golden.jsonl`: the file; `pre` where it takes the place of the file's own; `text`; `ids` of the text alone, its special tokens being
text; `parsed` with special tokens parsed and added.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import sentencepiece
from gguf import GGUFValueType, GGUFWriter
from tokenizers_corpus import AWKWARD

ROOT = Path(__file__).resolve().parents[1] / "tokenizers"
FOLDER = ROOT / "gguf"
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)
TEXTS = AWKWARD + [
    "<|endoftext|>chai<|im_end|> x", "<|user|> \n\u3000 chai <s> \u2003shea</s>\n", " <s>  shea</s>  thou <mask> . [MASK] x ", ">>END<<|endoftext|>><<", "   \n    \t  ",
    "1 12 123 1234 12345 1,234.5 ²³ ٣٤", "it's IT'S he'Ll won'T o'ſ", "a\u3000。\u3000b \u2028 \u2003x。。", "日本、語。「文」！",
    "\u00bd\u0301\u0903 e\u0301\u0308 한글 \u1100\u1161", "\u037e \u212a \u0130 \u1e9e", "x\n\n\ny\r\n\r\nz", "$+<=>^`|~ @#&*_-",
]  # fmt: skip


def oracle(folder: str) -> Any:
    package = types.ModuleType("llama_cpp")
    package.__path__ = [folder]
    sys.modules["llama_cpp"] = package
    import llama_cpp.llama_cpp as library

    quiet = library.llama_log_callback(lambda *_: None)
    library.llama_log_set(quiet, None)
    library.kept = quiet
    return library


LIBRARY = oracle(sys.argv[1])


class Vocabulary:
    def __init__(self, path: Path):
        parameters = LIBRARY.llama_model_default_params()
        parameters.vocab_only = True
        model = LIBRARY.llama_model_load_from_file(str(path).encode(), parameters)
        assert model, path
        self.vocabulary = LIBRARY.llama_model_get_vocab(model)

    def ids(self, text: str, special: bool) -> list[int]:
        content = text.encode()
        room = 8 * len(content) + 16
        ids = (LIBRARY.llama_token * room)()
        count = LIBRARY.llama_tokenize(self.vocabulary, content, len(content), ids, room, special, special)
        assert count >= 0
        return list(ids[:count])


def write(path: Path, model: str, tokens: list[str | bytes], kinds: list[int], pre: str | None = None,
          scores: list[float] | None = None, merges: list[str] | None = None, name: str = "tiny", **others: Any) -> None:  # fmt: skip
    writer = GGUFWriter(path, "llama")
    writer.add_name(name)
    for key in ("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"):
        writer.add_uint32(f"llama.{key}", 8)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_tokenizer_model(model)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if scores:
        writer.add_token_scores(scores)
    if merges:
        writer.add_token_merges(merges)
    for key, value in others.items():
        key = "tokenizer.ggml." + key.replace("__", ".")
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, bytes):
            writer.add_key_value(key, list(value), GGUFValueType.ARRAY, GGUFValueType.UINT8)
        else:
            writer.add_uint32(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def sentencepiece_tokens(name: str) -> tuple[list[str], list[float], list[int]]:
    model = sentencepiece.SentencePieceProcessor(model_file=str(next((ROOT / "files" / name).glob("*.model"))))
    tokens, scores, kinds = [], [], []
    for id in range(len(model)):
        tokens.append(model.id_to_piece(id))
        scores.append(model.get_score(id))
        controls = "<s>", "</s>", "<ctl>"
        kind = (
            UNKNOWN if model.is_unknown(id) else CONTROL if model.is_control(id) else BYTE if model.is_byte(id)
            else UNUSED if model.is_unused(id) else USER if tokens[-1] in ("<sep>", "thé", "  ") else NORMAL
        )  # fmt: skip
        kinds.append(CONTROL if tokens[-1] in controls else kind)
    return tokens, scores, kinds


def make() -> None:
    json_of = lambda name: json.loads((ROOT / "files" / name / "tokenizer.json").read_text())
    model = json_of("gpt2")["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    control = ["<|endoftext|>", "<|im_end|>", ">>END<<", "<s>", "</s>", "<mask>"]
    plain = [token for token in tokens if token not in control]
    users = ["  ", "   ", "      ", "\t\t", "Ġ"]
    users = [token for token in users if token not in plain]
    all_tokens = plain + control + users
    kinds = [NORMAL] * len(plain) + [CONTROL] * len(control) + [USER] * len(users)
    kinds[all_tokens.index("<|im_end|>")] = NORMAL  # llama.cpp takes it for a special one all the same
    end = all_tokens.index("<|endoftext|>")
    common = {"bos_token_id": end, "eos_token_id": end}
    write(FOLDER / "bpe.gguf", "gpt2", all_tokens, kinds, "gpt-2", merges=merges, **common)
    write(FOLDER / "bpe-bos.gguf", "gpt2", all_tokens, kinds, "jina-v2-es", merges=merges, add_bos_token=True, add_eos_token=True, **common)

    tokens, scores, kinds = sentencepiece_tokens("sentencepiece-bpe")
    write(FOLDER / "spm.gguf", "llama", tokens, kinds, "default", scores)
    phi = tokens + ["<|endoftext|>", "<|user|>"], kinds + [CONTROL, CONTROL], scores + [0.0, 0.0]
    write(FOLDER / "spm-phi3.gguf", "llama", phi[0], phi[1], "default", phi[2], name="Phi-3 tiny", add_eos_token=True)
    write(FOLDER / "spm-no-prefix.gguf", "llama", tokens, kinds, "default", scores, add_space_prefix=False, add_bos_token=False)

    tokens, scores, kinds = sentencepiece_tokens("sentencepiece-unigram")
    ids = {"unknown_token_id": 0, "eos_token_id": 2, "bos_token_id": 1, "padding_token_id": 0}
    charsmap = base64.b64decode(json_of("t5")["normalizer"]["precompiled_charsmap"])
    kinds[20] = kinds[40] = UNUSED
    write(FOLDER / "unigram.gguf", "t5", tokens, kinds, "default", scores, add_space_prefix=True, remove_extra_whitespaces=True,
          precompiled_charsmap=charsmap, **ids)  # fmt: skip
    write(FOLDER / "unigram-plain.gguf", "t5", tokens, kinds, "default", scores, add_bos_token=True, **ids)

    vocabulary = json_of("bert-uncased")["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.get)
    specials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    spelled = [w if w in specials else w[2:] if w.startswith("##") else "▁" + w for w in words]
    kinds = [CONTROL if w in specials else NORMAL for w in words]
    ids = {"bos_token_id": words.index("[CLS]"), "seperator_token_id": words.index("[SEP]"),
           "unknown_token_id": words.index("[UNK]"), "padding_token_id": words.index("[PAD]")}  # fmt: skip
    write(FOLDER / "bert.gguf", "bert", spelled, kinds, "default", **ids)
    write(FOLDER / "bert-cased.gguf", "bert", spelled, kinds, "default", normalizer__lowercase=False, **ids)
    write(FOLDER / "bert-accents.gguf", "bert", spelled, kinds, "default", normalizer__strip_accents=False, **ids)


def pre_names() -> list[str]:
    """The first name of each row of the table that the reader has."""
    source = (ROOT.parents[1] / "Sources/KistTokenizers/Readers/GGUF/GGUFPreTokenizer.swift").read_text()
    rows = re.findall(r'names: \[\s*"([^"]+)"', source)
    return [name for name in rows if name not in ("gemma4",)]


def golden() -> None:
    lines = []
    for path in sorted(FOLDER.glob("*.gguf")):
        vocabulary = Vocabulary(path)
        for text in TEXTS:
            lines.append({"file": path.name, "text": text, "ids": vocabulary.ids(text, False), "parsed": vocabulary.ids(text, True)})
    # Every way of cutting text, with one vocabulary.
    model = FOLDER / "bpe.gguf"
    content = model.read_bytes()
    for pre in pre_names():
        own = len("gpt-2").to_bytes(8, "little") + b"gpt-2"
        key = b"tokenizer.ggml.pre" + (8).to_bytes(4, "little")
        changed = content.replace(key + own, key + len(pre).to_bytes(8, "little") + pre.encode())
        assert changed != content or pre == "gpt-2"
        with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
            file.write(changed)
            file.flush()
            vocabulary = Vocabulary(Path(file.name))
            for text in TEXTS:
                lines.append({"file": "bpe.gguf", "pre": pre, "text": text, "ids": vocabulary.ids(text, False)})
    with open(FOLDER / "golden.jsonl", "w") as output:
        for line in lines:
            output.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(f"{len(lines)} texts, {sum(p.stat().st_size for p in FOLDER.iterdir())} bytes")


FOLDER.mkdir(parents=True, exist_ok=True)
for old in FOLDER.glob("*.gguf"):
    old.unlink()
make()
golden()
