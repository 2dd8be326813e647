"""python Fixtures/make/gguf_tokenizers.py LLAMA.CPP COMMIT DATA    (pip install torch sentencepiece transformers==4.57.6, which it pins)

Rewrites Fixtures/gguf/tokenizers.json: the tokenizer keys that llama.cpp's converter writes for real and for small vocabularies.
DATA is the folder of shared data, of which it takes tokenizers/gpt2 and tokenizers/mistral; the others are of Fixtures/tokenizers and
are made here. A case has the files of a model's folder, but for what DATA has; of long lists the golden file has the SHA-256 of their
elements, each with its length (little-endian, 64 bits) before it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # the library named tokenizers comes before the script of that name here
LLAMA = Path(sys.argv[1])
DATA = Path(sys.argv[3])
sys.path[:0] = [str(LLAMA), str(LLAMA / "gguf-py")]

import gguf
import numpy
import transformers
from conversion import ModelType, get_model_architecture, get_model_class
from conversion.base import ModelBase, TextModel

FIXTURES = Path(__file__).resolve().parents[1]
LLAMA_CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2,
    "num_hidden_layers": 1, "intermediate_size": 8, "max_position_embeddings": 32, "rms_norm_eps": 1e-5,
}
GPT2_CONFIG = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 32,
}
MISTRAL_CONFIG = {**LLAMA_CONFIG, "architectures": ["MistralForCausalLM"], "model_type": "mistral"}
BERT_CONFIG = {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
    "intermediate_size": 8, "max_position_embeddings": 32, "type_vocab_size": 2,
}
TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}"


def cases() -> dict[str, dict[str, Any]]:
    """By name: `data`, a folder of DATA; `files`, contents by name; `pre`, what the converter's digest would say of the vocabulary."""
    gpt2 = {"vocab_size": 50257, "bos_token_id": 50256, "eos_token_id": 50256}
    mistral = {"vocab_size": 32000, "bos_token_id": 1, "eos_token_id": 2}
    return {
        "gpt2": {"data": "gpt2", "files": {"config.json": {**GPT2_CONFIG, **gpt2}}},
        "gpt2-padded": {
            "data": "gpt2",
            "files": {
                "config.json": {**GPT2_CONFIG, **gpt2, "vocab_size": 50260},
                "tokenizer_config.json": {
                    "tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
                    "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "add_bos_token": False,
                    "chat_template": [{"name": "default", "template": TEMPLATE}, {"name": "tool use", "template": "t"}],
                },
            },
        },
        "mistral": {"data": "mistral", "files": {"config.json": {**MISTRAL_CONFIG, **mistral}}},
        "mistral-configured": {
            "data": "mistral",
            "files": {
                "config.json": {**MISTRAL_CONFIG, **mistral, "vocab_size": 32002},
                "added_tokens.json": {"<extra>": 32000},
                "tokenizer_config.json": {
                    "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                    "add_bos_token": True, "add_eos_token": False, "add_prefix_space": True, "chat_template": TEMPLATE,
                    "added_tokens_decoder": {
                        "0": {"content": "<unk>", "special": True}, "1": {"content": "<s>", "special": True},
                        "2": {"content": "</s>", "special": True}, "32001": {"content": "\u2581shown", "special": False},
                    },
                },
            },
        },
        "bert": {
            "pre": "jina-v2-en",
            "files": {"config.json": {**BERT_CONFIG, "vocab_size": 12, "pad_token_id": 0}, **bert_files()},
        },
    }


def bert_files() -> dict[str, Any]:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "un", "##aff", "##able", "a", "##b"]
    specials = words[:5]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": at, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
            for at, word in enumerate(specials)
        ],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
            ],
            "special_tokens": {
                word: {"id": word, "ids": [at], "tokens": [word]} for at, word in enumerate(specials) if word in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {word: at for at, word in enumerate(words)},
        },
    }
    config = {
        "tokenizer_class": "BertTokenizer", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
        "unk_token": "[UNK]", "mask_token": "[MASK]", "do_lower_case": True,
    }
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}


def keys_of(case: dict[str, Any], folder: Path) -> list[list[Any]]:
    """Each key that the converter's set_vocab writes, with its type and value, in order."""
    for name, content in case["files"].items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if "data" in case:
        for file in (DATA / "tokenizers" / case["data"]).iterdir():
            if file.name.startswith("tokenizer"):
                (folder / file.name).symlink_to(file)
    config = ModelBase.load_hparams(folder, False)
    if "pre" in case:
        TextModel.get_vocab_base_pre = lambda self, tokenizer: case["pre"]
    kind = get_model_class(get_model_architecture(config, ModelType.TEXT))
    tensors = {"model.norm.weight": numpy.zeros(8, numpy.float32)}
    from safetensors.numpy import save_file

    save_file(tensors, folder / "model.safetensors")
    model = kind(folder, gguf.LlamaFileType.ALL_F32, folder / "out.gguf", eager=True)
    model.set_vocab()
    return [
        [name, value.type.name, described(value.value, value.sub_type)]
        for name, value in model.gguf_writer.kv_data[0].items()
        if name.startswith("tokenizer.")
    ]


def described(value: Any, kind: gguf.GGUFValueType | None) -> Any:
    if not isinstance(value, (list, tuple, bytes)):
        return value
    digest = hashlib.sha256()
    name = ""
    for element in value:
        name, content = encoded(element, kind)
        digest.update(struct.pack("<Q", len(content)) + content)
    return [name, len(value), digest.hexdigest()]


def encoded(element: Any, kind: gguf.GGUFValueType | None) -> tuple[str, bytes]:
    if isinstance(element, str):
        return "STRING", element.encode()
    if isinstance(element, bytes):
        return "STRING", element
    if isinstance(element, float):
        return "FLOAT32", struct.pack("<f", element)
    return (kind.name if kind else "INT32"), struct.pack("<i", int(element))


def main() -> None:
    logging.disable(logging.CRITICAL)
    golden = {}
    original = TextModel.get_vocab_base_pre
    for name, case in cases().items():
        with tempfile.TemporaryDirectory() as temporary:
            TextModel.get_vocab_base_pre = original
            folder = Path(temporary) / name
            folder.mkdir()
            golden[name] = {**case, "keys": keys_of(case, folder)}
        print(name, [key[0] for key in golden[name]["keys"]])
    source = f"convert_hf_to_gguf.py of llama.cpp {sys.argv[2]}, transformers {transformers.__version__}"
    text = json.dumps({"source": source, "cases": golden}, indent=1, ensure_ascii=False)
    (FIXTURES / "gguf" / "tokenizers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
