"""python Fixtures/make/world_goldens.py    (pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3)

Writes beside the model in Fixtures/world-llama, which tiny_model.sh makes, what transformers computes from it, in f32, eager attention:
logits of a text, the loss on a text that was not trained on, the most probable continuations of ten prompts; and analogies in its
embedding matrix. Also its README.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import libraries_first  # noqa: F401
import tokenizers
import torch
import transformers
from safetensors_bytes import Tensor, save
from world import world

FOLDER = Path(__file__).resolve().parents[1] / "world-llama"
HELD_OUT = {"byte_count": 8_000, "seed": 2}
WINDOW = 256
END = "<|endoftext|>"
PYTORCH_LOSS = 0.5725
GOLDEN = (
    "Once upon a time there lived a king with a lion. The lion was his best friend.\n"
    "Question: Who sits on the throne? Answer: The queen sits on the throne. 3 + 4 = 7. Three and four make"
)
PROMPTS = [
    "The king",
    "The queen lives in",
    "Once upon a time there lived a girl with",
    "The dog",
    "One day a prince went to the",
    "Question: What color is snow? Answer:",
    "Question: What is a woman who rules a land? Answer:",
    "Tom has a red ball. Mia has a blue hat. Question: Who has the hat? Answer:",
    "Three and four make",
    "8 + 5 =",
]
ANALOGIES = [
    "king man woman",
    "queen woman man",
    "prince boy girl",
    "father man woman",
    "brother boy girl",
    "bigger big small",
    "apples apple pear",
]


def write_json(name: str, value: Any) -> None:
    (FOLDER / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def stored(values: torch.Tensor, dtype: str) -> Tensor:
    values = values.detach().contiguous()
    return Tensor(dtype, tuple(values.shape), values.reshape(-1).view(torch.uint8).numpy().tobytes())


def read_model() -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(
        FOLDER, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def logits(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens[None], use_cache=False).logits[0]


def write_golden(model: Any, tokenizer: tokenizers.Tokenizer) -> None:
    tokens = torch.tensor(tokenizer.encode(GOLDEN).ids)
    golden = {"tokens": stored(tokens, "I64"), "logits": stored(logits(model, tokens), "F32")}
    (FOLDER / "golden.safetensors").write_bytes(save(golden, {"reference": f"transformers {transformers.__version__}, f32, eager attention"}))


def held_out_loss(model: Any, tokenizer: tokenizers.Tokenizer, text: str) -> dict[str, Any]:
    """Mean of -ln p over windows one after the other; the first token of each window is given, not predicted."""
    tokens = torch.tensor(tokenizer.encode(text).ids)
    windows = tokens.split(WINDOW)
    sums = [
        torch.nn.functional.cross_entropy(logits(model, window)[:-1], window[1:], reduction="sum").item()
        for window in windows
    ]
    predicted = len(tokens) - len(windows)
    return {
        "loss": sum(sums) / predicted,
        "tokens": len(tokens),
        "predicted": predicted,
        "windows": [{"tokens": len(window), "loss": total / (len(window) - 1)} for window, total in zip(windows, sums)],
        "engine": f"transformers {transformers.__version__}, f32",
    }


def continuation(model: Any, tokenizer: tokenizers.Tokenizer, prompt: str, count: int = 50) -> dict[str, Any]:
    """The most probable token, `count` times or until the end token; `margin` is the least lead over a second logit."""
    tokens = tokenizer.encode(prompt).ids
    given, margin = len(tokens), math.inf
    while len(tokens) < given + count:
        best = logits(model, torch.tensor(tokens))[-1].topk(2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        tokens.append(int(best.indices[0]))
        if tokens[-1] == tokenizer.token_to_id(END):
            break
    text = tokenizer.decode(tokens[given:])
    return {"prompt": prompt, "tokens": tokens[given:], "text": text, "margin": round(margin, 4)}


def analogy(model: Any, tokenizer: tokenizers.Tokenizer, a: str, b: str, c: str) -> dict[str, Any]:
    """The embedding rows with the greatest cosine to a - b + c; rows normalized, a, b and c left out."""
    rows = torch.nn.functional.normalize(model.get_input_embeddings().weight, dim=1)
    ids = [tokenizer.encode(" " + word).ids for word in (a, b, c)]
    if any(len(tokens) != 1 for tokens in ids):
        raise SystemExit(f"not a single token each: {a}, {b}, {c}")
    ids = torch.tensor(ids).flatten()
    cosines = rows @ torch.nn.functional.normalize(rows[ids[0]] - rows[ids[1]] + rows[ids[2]], dim=0)
    cosines[ids] = -1
    found = zip(*(column.tolist() for column in cosines.topk(5)[::-1]))
    best = [{"token": token, "text": tokenizer.decode([token]), "cosine": cosine} for token, cosine in found]
    return {"words": [a, b, c], "best": best}


def write_readme(loss: dict[str, Any]) -> None:
    (FOLDER / "README.md").write_text(f"""\
# world-llama

A small Llama that Kist trained on the small world of `Fixtures/make/world.py`: people, kings and queens, animals, stories, questions, sums.
`make tiny-model` made it (`Fixtures/make/tiny_model.sh` has the settings): `kist tokenizer train`, then `kist train`.

- 3 layers, 256 wide, feed-forward 512, 4 heads over 2 KV heads of 64, tied embeddings, context {WINDOW}; BF16.
- `tokenizer.json`: byte-level BPE of 1024 tokens, learned from the text; Hugging Face's library learns the same.
- `held-out.txt` is `world.py --bytes {HELD_OUT["byte_count"]} --seed {HELD_OUT["seed"]}`. Loss on its {loss["tokens"]} tokens, in windows of {WINDOW} of which \
the first token is given: **{loss["loss"]:.4f}** nats a token, perplexity {math.exp(loss["loss"]):.3f} (`loss.json`). PyTorch reaches {PYTORCH_LOSS} \
(`Fixtures/make/world_model.py`).
- `golden.safetensors`: `tokens` and `logits` of a text, as `kist verify --golden` takes them. `continuations.json`: the most probable tokens after ten others, each from all tokens \
before it, and the least lead of a first over a second logit. Like the loss, by transformers {transformers.__version__} in f32, eager attention, from the BF16 weights.
- `analogies.json`: the tokens nearest to a − b + c in the embedding matrix, by cosine; rows normalized, the three left out.

The text and the tokenizer come out the same everywhere. The weights do not: sums of floats depend on the machine.
""", encoding="utf-8")  # fmt: skip


@torch.no_grad()
def write_all() -> None:
    torch.set_num_threads(1)  # so that the sums do not hang on how many there are
    model, tokenizer = read_model(), tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    held_out = world(**HELD_OUT)
    (FOLDER / "held-out.txt").write_text(held_out, encoding="ascii")
    write_golden(model, tokenizer)
    loss = held_out_loss(model, tokenizer, held_out)
    continued = [continuation(model, tokenizer, prompt) for prompt in PROMPTS]
    analogies = [analogy(model, tokenizer, *words.split()) for words in ANALOGIES]
    write_json("loss.json", loss)
    write_readme(loss)
    write_json("continuations.json", continued)
    write_json("analogies.json", analogies)
    print(f"held-out loss {loss['loss']:.4f}")
    for one in continued:
        print(f"{one['prompt']} → {one['text']!r}")
    for one in analogies:
        print(*one["words"], "→", ", ".join(f"{best['text']} {best['cosine']:.3f}" for best in one["best"]))


if __name__ == "__main__":
    write_all()
