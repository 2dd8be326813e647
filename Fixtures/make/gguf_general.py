"""python Fixtures/make/gguf_general.py LLAMA.CPP COMMIT    (pip install pyyaml)

Rewrites Fixtures/gguf/general.json: the `general` keys that gguf-py makes of a model's card, configurations and names. A case has the name
of the folder, its files and the number of parameters.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))
sys.path[:0] = [str(Path(sys.argv[1]) / "gguf-py")]

import gguf
from gguf.utility import size_label

FIXTURES = Path(__file__).resolve().parents[1]

CARD = """---
license: apache-2.0
language:
- en
- no
- pt
tags:
- text-generation   # what it is for
- "quoted: yes"
pipeline_tag: text-generation
base_model: mistralai/Mistral-7B-v0.1
datasets: [HuggingFaceH4/ultrachat_200k, https://huggingface.co/datasets]
model-index:
- name: zephyr
  results:
  - task: {type: text-generation}
widget:
  - text: "license: none"
---
# A model
license: other
"""
MERGED = """---
base_model:
- meta-llama/Llama-3.1-8B-Instruct
- https://huggingface.co/org/some-13b-chat-v1.5
license:
- mit
- cc-by-4.0
license_name: 'It''s free'
license_link: https://example.org/LICENSE
model_creator: Some One
model_name: My Model
model_type: llama
description: >-
  Two lines
  that are one.
languages: en
---
"""
NAMES = [
    ("Llama-3.2-1B-Instruct", 1_235_814_400), ("Mixtral-8x7B-v0.1", 46_702_792_704), ("Phi-3-mini-128k-instruct", 3_821_079_552),
    ("bloom-7b1", 7_069_016_064), ("Qwen2.5-0.5B", 494_032_768), ("gemma-2-27b-it", 27_227_128_320), ("all-MiniLM-L6-v2", 22_713_216),
    ("gpt2", 124_439_808), ("stablelm-2-1_6b-chat", 1_644_804_096), ("DeepSeek-V2-Lite-Chat", 15_706_484_224),
    ("falcon-40b", 41_303_293_952), ("SmolLM3-3B", 3_075_098_624), ("model with spaces", 1000), ("tiny-random-q4_0-fp16", 999_999),
    ("opt-350m-lora", 331_196_416), ("starcoder2-xl-large", 15_655_899_136), ("OLMo-1.7-7B-hf", 6_888_095_744), ("-odd--name-", 1),
    ("gpt-oss-120b", 116_829_156_672), ("x-A3B-30B", 30_000_000_000),
]


def cases() -> list[dict[str, Any]]:
    named = [{"folder": name, "parameters": count, "files": {}} for name, count in NAMES]
    generation = {"top_k": 40, "top_p": 0.95, "temperature": 0.6, "repetition_penalty": 1.05, "do_sample": True, "mirostat": 2}
    return [
        *named,
        {"folder": "zephyr-7b-beta", "parameters": 7_241_732_096, "files": {"README.md": CARD}},
        {
            "folder": "merge", "parameters": 8_000_000_000,
            "files": {"README.md": MERGED, "generation_config.json": json.dumps(generation)},
        },
        {
            "folder": "local", "parameters": 7_615_616_512,
            "files": {"config.json": json.dumps({"_name_or_path": "Qwen/Qwen2.5-7B-Instruct"}), "README.md": "# no card\n"},
        },
        {
            "folder": "local-copy", "parameters": 135_000_000,
            "files": {"config.json": json.dumps({"_name_or_path": "/home/me/models/x"}), "README.md": "---\nlicense: mit\n---\n"},
        },
    ]


def keys_of(case: dict[str, Any]) -> list[list[Any]]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / case["folder"]
        folder.mkdir()
        for name, content in case["files"].items():
            (folder / name).write_text(content, encoding="utf-8")
        count = case["parameters"]
        metadata = gguf.Metadata.load(None, folder, None, count)
        if metadata.name is None:
            metadata.name = folder.name
        if metadata.size_label is None:
            metadata.size_label = size_label(count, count, 0, 0)
        writer = gguf.GGUFWriter(None, "llama")
        metadata.set_gguf_meta_model(writer)
        return [
            [name, value.type.name, value.value]
            for name, value in writer.kv_data[0].items()
            if name != "general.architecture"
        ]


def main() -> None:
    logging.disable(logging.CRITICAL)
    golden = [{**case, "keys": keys_of(case)} for case in cases()]
    text = json.dumps({"source": f"gguf-py of llama.cpp {sys.argv[2]}", "cases": golden}, indent=1, ensure_ascii=False)
    (FIXTURES / "gguf" / "general.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
