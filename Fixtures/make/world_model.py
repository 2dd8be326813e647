"""python Fixtures/make/world_model.py [--steps N] [--seed N]    (pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3)

What PyTorch reaches where tiny_model.sh trains with Kist: learns the tokenizer of the same text with Hugging Face's library, trains the
same Llama, rounds it to BF16 and prints the loss on the held-out text of world_goldens.py. Nothing is written.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from typing import Any

import libraries_first  # noqa: F401
import tokenizers
import torch
import transformers
from world import world
from world_goldens import END, FOLDER, HELD_OUT, WINDOW, held_out_loss

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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # products this small: a second thread waits more than it works
    torch.manual_seed(arguments.seed)
    corpus = world(**TRAINED_ON)
    tokenizer = learn_tokenizer(corpus)
    tokens = stream(tokenizer, corpus)
    configuration = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**configuration | {"dtype": "float32"}))
    print(f"{len(tokens)} tokens, {sum(weight.numel() for weight in model.parameters())} parameters")
    train(model, tokens, arguments.steps)
    with torch.no_grad():
        loss = held_out_loss(model.to(torch.bfloat16).float(), tokenizer, world(**HELD_OUT))
    print(f"held-out loss {loss['loss']:.4f}")


if __name__ == "__main__":
    main()
