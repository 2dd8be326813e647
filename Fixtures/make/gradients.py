"""python Fixtures/make/gradients.py [NAME…]    (pip install torch==2.15.0 transformers==5.23.0)

Writes Fixtures/training/NAME.safetensors for some models of Fixtures/families: what PyTorch's autograd gives for the gradient of every
parameter, f32, eager attention: its norm and 32 of its numbers, evenly spread; and the losses of 100 steps of AdamW from the
same weights on batches of random tokens, with a schedule, weight decay and clipping.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import libraries_first  # noqa: F401
import torch
import transformers
from safetensors.torch import load_file
from safetensors_bytes import Tensor, save

FAMILIES = Path(__file__).resolve().parents[1] / "families"
FOLDER = Path(__file__).resolve().parents[1] / "training"
TRAINED = ["gpt2", "llama", "qwen2", "qwen3"]
OTHERS = [
    "bloom", "cohere", "cohere-qk", "gemma", "gemma3", "gpt-neox", "gptj", "granite", "llama-bias", "mistral",
    "nemotron", "olmo", "olmo-clip", "olmo2", "opt", "phi", "phi3", "qwen2-window", "smollm3", "stablelm", "stablelm-12b",
    "starcoder2",
]  # fmt: skip
BATCHES, BATCH, CONTEXT, STEPS, SAMPLES = 4, 3, 24, 100, 32
RATE, WARM_UP, LOWEST = 3e-3, 10, 3e-4


def stored(values: torch.Tensor, dtype: str) -> Tensor:
    values = values.detach().contiguous()
    return Tensor(dtype, tuple(values.shape), values.reshape(-1).view(torch.uint8).numpy().tobytes())


def read(name: str) -> Any:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        FAMILIES / name, dtype=torch.float32, attn_implementation="eager"
    )
    # A text has no padding: the token that some configurations take for it learns like any other.
    model.get_input_embeddings().padding_idx = None
    return model.eval()  # no dropout


def loss_of(model: Any, batch: torch.Tensor) -> torch.Tensor:
    logits = model(batch[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())


def samples(values: torch.Tensor) -> torch.Tensor:
    flat = values.flatten()
    count = min(SAMPLES, len(flat))
    return flat[[index * len(flat) // count for index in range(count)]]


def gradients(name: str, batch: torch.Tensor) -> dict[str, Tensor]:
    model = read(name)
    loss = loss_of(model, batch)
    loss.backward()
    golden = {"loss": stored(loss.detach()[None], "F32")}
    names = load_file(FAMILIES / name / "model.safetensors").keys()
    for parameter, values in model.named_parameters():
        if parameter == "lm_head.weight" and "embed_out.weight" in names:
            parameter = "embed_out.weight"  # as GPT-NeoX's files call it
        golden[f"norm.{parameter}"] = stored(values.grad.norm()[None], "F32")
        golden[f"samples.{parameter}"] = stored(samples(values.grad), "F32")
    return golden


def rate_at(step: int) -> float:
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / (STEPS - WARM_UP)
    return LOWEST + (RATE - LOWEST) * (1 + math.cos(math.pi * progress)) / 2


def losses(name: str, batches: torch.Tensor) -> torch.Tensor:
    model = read(name)
    matrices = [values for values in model.parameters() if values.dim() == 2]
    others = [values for values in model.parameters() if values.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))
    result = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        loss = loss_of(model, batches[step % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        result.append(loss.item())
    return torch.tensor(result)


def main() -> None:
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or TRAINED + OTHERS:
        size = read(name).config.vocab_size
        random = torch.Generator().manual_seed(7)
        batches = torch.randint(size, (BATCHES, BATCH, CONTEXT + 1), generator=random)
        golden = gradients(name, batches[0])
        golden["batches"] = stored(batches if name in TRAINED else batches[:1], "I64")
        if name in TRAINED:
            golden["losses"] = stored(losses(name, batches), "F32")
        content = save(golden, {"engine": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}"})
        (FOLDER / f"{name}.safetensors").write_bytes(content)
        print(f"{name}: {len(content)} bytes", flush=True)


if __name__ == "__main__":
    main()
