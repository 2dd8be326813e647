"""python Fixtures/make/mathematics.py    (pip install torch==2.15.0 transformers==5.23.0 numpy)

Rewrites Fixtures/mathematics.safetensors: what transformers computes, in f32 with eager attention, on the tokens of
Fixtures/families:

- attention.F: softmax(QK^T scale) of each layer and head, [layers, heads, tokens, tokens] (`output_attentions`);
- loss.F: PyTorch's cross-entropy of each token but the first;
- lens.F: the logits of each layer's last state, after the final norm and the head, [layers + 1, vocabulary];

and of numpy's singular values, for principal components: pca.vectors, pca.coordinates, pca.explained.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import libraries_first  # noqa: F401
import numpy as np
import torch
import transformers
from family_models import FAMILIES
from family_models.files import read_model, tensor_of
from safetensors.torch import load_file
from safetensors_bytes import save

FIXTURES = Path(__file__).resolve().parents[1]
ATTENTION = (
    "llama gpt2 bert gemma2 gemma3 gpt-oss bloom deepseek-v3 mistral qwen3 falcon gpt-neox opt phi cohere2 roberta"
).split()
"""Grouped heads, learned positions, both directions, soft caps, windows, sinks, ALiBi, latent heads, norms of queries."""
LOSS = "llama gpt2 gemma2 cohere2".split()
LENSES = {  # family: the final norm, the head
    "llama": lambda model, states: model.lm_head(model.model.norm(states)),
    "gpt2": lambda model, states: model.lm_head(model.transformer.ln_f(states)),
}


@torch.no_grad()
def compute(name: str) -> dict[str, torch.Tensor]:
    family = next(family for family in FAMILIES if family.name == name)
    folder = FIXTURES / "families" / name
    model: Any = read_model(family, folder)
    golden = load_file(folder / "golden.safetensors")
    tokens = golden["tokens"][None]
    inputs = {"input_ids": tokens, "output_attentions": True, "output_hidden_states": True}
    if "token_types" in golden:
        inputs["token_type_ids"] = golden["token_types"][None]
    if family.task == "causal":
        inputs["use_cache"] = False
    output = model(**inputs)
    found = {f"attention.{name}": torch.cat(output.attentions)}
    if name in LOSS:
        found[f"loss.{name}"] = torch.nn.functional.cross_entropy(
            output.logits[0, :-1], tokens[0, 1:], reduction="none"
        )
    if lens := LENSES.get(name):
        last = [lens(model, states[0, -1]) for states in output.hidden_states[:-1]] + [output.logits[0, -1]]
        found[f"lens.{name}"] = torch.stack(last)
    return found


def components() -> dict[str, torch.Tensor]:
    """The first two principal components by SVD, the furthest point of each on its positive side."""
    random = np.random.default_rng(7)
    vectors = random.normal(size=(9, 16)) * np.linspace(2, 0.2, 16)
    centred = vectors.astype(np.float32).astype(np.float64)
    centred -= centred.mean(0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    places = left[:, :2] * values[:2]
    places *= np.sign(places[np.abs(places).argmax(0), [0, 1]])
    return {
        "pca.vectors": torch.tensor(vectors, dtype=torch.float32),
        "pca.coordinates": torch.tensor(places, dtype=torch.float32),
        "pca.explained": torch.tensor((values**2 / (values**2).sum())[:2], dtype=torch.float32),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    found = components()
    for name in ATTENTION:
        found |= compute(name)
        print(name, tuple(found[f"attention.{name}"].shape))
    metadata = {"reference": f"transformers {transformers.__version__}, torch {torch.__version__.partition('+')[0]}"}
    content = save({name: tensor_of(values) for name, values in found.items()}, metadata)
    (FIXTURES / "mathematics.safetensors").write_bytes(content)
    print(len(content), "bytes")


if __name__ == "__main__":
    main()
