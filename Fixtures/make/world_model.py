"""python Fixtures/make/world_model.py [--steps N]    (pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3)

Rewrites Fixtures/world-llama: learns a tokenizer from the text of world.py, trains a small Llama on it, writes both in Hugging Face
form, and beside them the golden values of world_goldens.py.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from typing import Any

import libraries_first  # noqa: F401
import tokenizers
import torch
import transformers
import world_goldens
from safetensors_bytes import save
from world import world
from world_goldens import END, FOLDER, HELD_OUT, WINDOW, stored, write_json

TRAINED_ON = {"byte_count": 4_000_000, "seed": 1}
VOCABULARY = 1024
BATCH = 4
STEPS = 2400
RATE = 2e-3
WARM_UP = 100
LINES_TO_END = 8


def learn_tokenizer(corpus: str) -> tokenizers.Tokenizer:
    """As `kist tokenizer train world.txt --vocab-size 1024 --special-token '<|endoftext|>'` learns it."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.post_processor = tokenizers.processors.ByteLevel(trim_offsets=True)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=0,
        special_tokens=[END],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=None,
        show_progress=False,
    )
    with tempfile.NamedTemporaryFile("w", newline="", encoding="ascii") as file:
        file.write(corpus)
        file.flush()
        tokenizer.train([file.name], trainer)
    return tokenizer


def configuration() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dtype": "bfloat16",
        "eos_token_id": 0,
        "head_dim": 64,
        "hidden_act": "silu",
        "hidden_size": 256,
        "initializer_range": 0.02,
        "intermediate_size": 512,
        "max_position_embeddings": WINDOW,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": VOCABULARY,
    }


def stream(tokenizer: tokenizers.Tokenizer, corpus: str) -> torch.Tensor:
    """The tokens to train on: the corpus, with the end token before every eighth line."""
    lines = corpus.splitlines(keepends=True)
    parts = ["".join(lines[at : at + LINES_TO_END]) for at in range(0, len(lines), LINES_TO_END)]
    end = tokenizer.token_to_id(END)
    return torch.tensor([token for part in tokenizer.encode_batch(parts) for token in [end, *part.ids]])


def batches(tokens: torch.Tensor, steps: int) -> Any:
    """`steps` batches of windows with the token after each, every epoch cut and shuffled anew."""
    random = torch.Generator().manual_seed(1)
    queue: list[torch.Tensor] = []
    for _ in range(steps):
        while len(queue) < BATCH:
            offset = int(torch.randint(WINDOW, (1,), generator=random))
            starts = offset + WINDOW * torch.arange((len(tokens) - offset - 1) // WINDOW)
            starts = starts[torch.randperm(len(starts), generator=random)]
            queue += [tokens[start : start + WINDOW + 1] for start in starts.tolist()]
        yield torch.stack(queue[:BATCH])
        del queue[:BATCH]


def optimizer_of(model: torch.nn.Module) -> torch.optim.Optimizer:
    matrices = [weight for weight in model.parameters() if weight.dim() == 2]
    norms = [weight for weight in model.parameters() if weight.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))


def rate_at(step: int, steps: int) -> float:
    """Up to 1 in a line, then down to 0.02 by a cosine."""
    return min((step + 1) / WARM_UP, 0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))


def train(model: Any, tokens: torch.Tensor, steps: int) -> None:
    optimizer = optimizer_of(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    start = time.monotonic()
    for step, batch in enumerate(batches(tokens, steps), 1):
        predicted = model(batch[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(predicted.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            print(f"step {step}: loss {loss.item():.3f}, {time.monotonic() - start:.0f} s", flush=True)


def write_model(model: Any, tokenizer: tokenizers.Tokenizer) -> None:
    FOLDER.mkdir(exist_ok=True)
    write_json("config.json", configuration())
    write_json("generation_config.json", {"bos_token_id": 0, "eos_token_id": 0})
    write_json("tokenizer_config.json", {
        "add_bos_token": False,
        "add_prefix_space": False,
        "bos_token": END,
        "clean_up_tokenization_spaces": False,
        "eos_token": END,
        "model_max_length": WINDOW,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })  # fmt: skip
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    names = {name: values for name, values in model.state_dict().items() if name != "lm_head.weight"}  # tied
    weights = {name: stored(values.to(torch.bfloat16), "BF16") for name, values in names.items()}
    (FOLDER / "model.safetensors").write_bytes(save(weights, {"format": "pt"}))


def write_readme(loss: dict[str, Any], steps: int) -> None:
    (FOLDER / "README.md").write_text(f"""\
# world-llama

A small Llama that was trained on the small world of `Fixtures/make/world.py`: people, kings and queens, animals, stories, questions, sums.
Made by `Fixtures/make/world_model.py` with PyTorch {torch.__version__.split("+")[0]} and transformers {transformers.__version__}.

- 3 layers, 256 wide, feed-forward 512, 4 heads over 2 KV heads of 64, tied embeddings, context {WINDOW}; BF16.
- Trained on `world.py --bytes {TRAINED_ON["byte_count"]} --seed {TRAINED_ON["seed"]}`, `<|endoftext|>` before every eighth line: {steps} steps of \
{BATCH} windows ({steps * BATCH * WINDOW / 1e6:.1f} million tokens), AdamW, rate {RATE} falling by a cosine.
- `tokenizer.json`: byte-level BPE of {VOCABULARY} tokens, learned from that text. `kist tokenizer train world.txt --vocab-size {VOCABULARY} \
--special-token '<|endoftext|>'` learns the same.
- `held-out.txt` is `world.py --bytes {HELD_OUT["byte_count"]} --seed {HELD_OUT["seed"]}`. Loss on its {loss["tokens"]} tokens, in windows of {WINDOW} of which \
the first token is given: **{loss["loss"]:.4f}** nats a token, perplexity {math.exp(loss["loss"]):.3f} (`loss.json`).
- `golden.safetensors`: `N.tokens` and `N.logits` of two prompts. `continuations.json`: the most probable tokens after ten others, each from all tokens \
before it, and the least lead of a first over a second logit. Like the loss, by transformers in f32, eager attention, from the BF16 weights.
- `analogies.json`: the tokens nearest to a − b + c in the embedding matrix, by cosine; rows normalized, the three left out.

The text and the tokenizer come out the same everywhere. The weights do not: sums of floats depend on the machine and its threads.
""", encoding="utf-8")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)  # products this small: a second thread waits more than it works
    torch.manual_seed(1)
    corpus = world(**TRAINED_ON)
    tokenizer = learn_tokenizer(corpus)
    tokens = stream(tokenizer, corpus)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**configuration() | {"dtype": "float32"}))
    print(f"{len(tokens)} tokens, {sum(weight.numel() for weight in model.parameters())} parameters")
    train(model, tokens, steps)
    write_model(model, tokenizer)
    write_readme(world_goldens.write_all(), steps)


if __name__ == "__main__":
    main()
