"""python Fixtures/make/families.py [NAME…]    (pip install torch==2.15.0 transformers==5.23.0)

Rewrites Fixtures/families: for each family of the table in family_models a tiny random model in Hugging Face form, and
golden.safetensors with what transformers computes from it in f32, eager attention (unless the table says why not), no cache.
Each model is read back from the very files written. Every parameter is checked to matter, and every config key of the
table's `bites`: a change of it moves the logits well past the tolerance of a port. Exits with 1 if one does not.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # the library named tokenizers comes before the script of that name here

import torch
import transformers
from family_models import FAMILIES
from family_models.family import Family, changed
from family_models.files import new_model, read_model, tensor_of, write_config, write_model
from family_models.outside import STANDS
from family_models.weights import fill, tokens_of
from safetensors_bytes import save

FOLDER = Path(__file__).resolve().parents[1] / "families"
SENSITIVE = 3e-4
"""Least change of the logits, over their range, that 2 % up or down of a parameter must make: three times the tolerance."""


def last_layer(model: Any) -> torch.nn.Module:
    """The last of the model's layers; its output is the residual stream before the final norm."""
    count = model.config.get_text_config().num_hidden_layers
    return next(part for part in model.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == count)[-1]


def compute(family: Family, model: Any, tokens: torch.Tensor, types: torch.Tensor | None) -> dict[str, torch.Tensor]:
    kept: list[torch.Tensor] = []
    hook = last_layer(model).register_forward_hook(
        lambda _, __, output: kept.append(output[0] if isinstance(output, tuple) else output)
    )
    inputs = {"input_ids": tokens[None]} | ({} if types is None else {"token_type_ids": types[None]})
    if family.task == "causal":
        inputs["use_cache"] = False
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
    hook.remove()
    golden = {f"hidden.{at}": states.reshape(-1, states.shape[-1]) for at, states in enumerate(output.hidden_states)}
    last = kept[-1].reshape(-1, kept[-1].shape[-1])
    if not torch.equal(last, output.hidden_states[-1][0]):
        golden["before_norm"] = last
    if family.task == "encoder":
        mean = output.last_hidden_state[0].mean(0)
        return golden | {"pooled": mean / mean.norm()}
    return golden | {"logits": output.logits[0]}


def result_of(golden: dict[str, torch.Tensor]) -> torch.Tensor:
    """What a change must show in: logits, or the states that a sentence vector is the mean of."""
    last_states = max(name for name in golden if name.startswith("hidden."))  # fewer than ten layers
    return golden.get("logits", golden[last_states])


def bites(family: Family, folder: Path, change: dict[str, Any], inputs: Any, expected: torch.Tensor) -> float:
    """How far the output moves, over its range, when these config keys are changed."""
    with tempfile.TemporaryDirectory() as temporary:
        other = Path(temporary)
        write_config(other, changed(family.config, change))
        (other / "model.safetensors").symlink_to(folder / "model.safetensors")
        moved = result_of(compute(family, read_model(family, other), *inputs)) - expected
    return moved.abs().max().item() / (expected.max() - expected.min()).item()


def check(family: Family, folder: Path, model: Any, tokens: torch.Tensor, types: torch.Tensor | None) -> bool:
    """Whether all matters; prints the parameters and config keys that matter too little: a port that loses them would pass."""
    expected = result_of(compute(family, model, tokens, types))
    span = (expected.max() - expected.min()).item()
    if not torch.isfinite(expected).all() or span < 0.1:
        raise SystemExit(f"{family.name}: logits range {span}")
    random, weak = torch.Generator().manual_seed(5), []
    for name, tensor in model.state_dict(keep_vars=True).items():
        if any(part in name for part in family.silent) or not tensor.is_floating_point():
            continue
        saved = tensor.detach().clone()
        with torch.no_grad():
            tensor.mul_(1 + 0.02 * torch.randn(tensor.shape, generator=random).sign())
        change = (result_of(compute(family, model, tokens, types)) - expected).abs().max().item() / span
        with torch.no_grad():
            tensor.copy_(saved)
        if change < SENSITIVE:
            weak.append(f"{name} {change:.1e}")
    for change in family.bites:
        if (moved := bites(family, folder, change, (tokens, types), expected)) < SENSITIVE:
            weak.append(f"{change} {moved:.1e}")
    print(f"{family.name}: {size_of(folder) / 1000:.0f} KB, range {span:.1f}", *(f"\n    weak: {line}" for line in weak))
    return not weak


def reference_of(family: Family) -> str:
    stand = f", its {STANDS[family.stand].name}" if family.stand else ""
    return f"transformers {transformers.__version__}{stand}"


def make(family: Family) -> bool:
    folder = FOLDER / family.name
    model = new_model(family)
    fill(model, family)
    write_model(family, folder, model)
    model = read_model(family, folder)
    tokens = torch.from_numpy(tokens_of(family, model.config.get_text_config().vocab_size))
    typed = family.task != "causal" and family.config.get("type_vocab_size", 1) > 1
    types = (torch.arange(len(tokens)) >= len(tokens) // 2).long() if typed else None
    golden = {"tokens": tokens} | ({} if types is None else {"token_types": types})
    golden |= compute(family, copy.deepcopy(model), tokens, types)
    metadata = {
        "family": family.name,
        "reference": reference_of(family),
        "torch": torch.__version__.partition("+")[0],
        "transformers": transformers.__version__,
    }
    (folder / "golden.safetensors").write_bytes(save({name: tensor_of(values) for name, values in golden.items()}, metadata))
    return check(family, folder, model, tokens, types)


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def write_readme() -> None:
    lines = [
        "# Tiny random models of each family",
        "",
        "Made by `Fixtures/make/families.py` from its table; random weights, every one of which matters. "
        "`golden.safetensors` has",
        f"what transformers {transformers.__version__} computes (f32, eager attention, no cache): `tokens`, `logits`, "
        "`hidden.0` (what enters",
        "the first layer) to `hidden.L` (after the last layer *and* the final norm), `before_norm` (after the last layer, "
        "before the",
        "final norm, where there is one); encoders have `pooled` (the mean over tokens, L2-normalized) in place of "
        "logits, and",
        "`token_types`. `gguf.json` says what llama.cpp's converter makes of each, by `Fixtures/make/families_gguf.py`.",
        "",
        "| folder | exercises |",
        "|---|---|",
        *(f"| {family.name} | {family.exercises} |" for family in FAMILIES),
    ]
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    chosen = [family for family in FAMILIES if len(sys.argv) == 1 or family.name in sys.argv[1:]]
    good = [make(family) for family in chosen]
    write_readme()
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
