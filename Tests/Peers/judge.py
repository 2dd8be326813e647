"""python Tests/Peers/judge.py KIST [ROUNDS]    (pip install torch==2.15.0 transformers==5.23.0)

Every family of Fixtures/families with texts that no golden file has: transformers computes the logits of random tokens, of many
lengths, and `kist verify --golden` must agree. Exits with 1 if one does not.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "Fixtures/make"))

import torch
import transformers
from family_models import FAMILIES
from family_models.family import Family
from family_models.files import read_model, tensor_of
from safetensors_bytes import save


def longest(config: transformers.PretrainedConfig) -> int:
    return min(getattr(config, "max_position_embeddings", 48), 48)


def agrees(kist: str, family: Family, model: torch.nn.Module, chance: random.Random) -> bool:
    config = model.config.get_text_config()
    tokens = [chance.randrange(4, config.vocab_size) for _ in range(chance.randint(1, longest(config)))]
    with torch.no_grad():
        logits = model(torch.tensor([tokens]), use_cache=False).logits[0]
    with tempfile.TemporaryDirectory() as folder:
        golden = Path(folder) / "golden.safetensors"
        metadata = {"reference": f"transformers {transformers.__version__}"}
        golden.write_bytes(save({"tokens": tensor_of(torch.tensor(tokens)), "logits": tensor_of(logits)}, metadata))
        source = REPOSITORY / "Fixtures/families" / family.name
        run = subprocess.run(
            [kist, "verify", source, "--golden", golden, "--json"], capture_output=True, text=True, check=False
        )
    if run.returncode != 0:
        verdict = json.loads(run.stdout).get("verdict") if run.stdout.startswith("{") else run.stderr
        print(f"{family.name}, tokens {tokens}: {verdict}")
    return run.returncode == 0


def main() -> None:
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    kist, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8
    decoders = [family for family in FAMILIES if family.task == "causal"]
    wrong = 0
    for family in decoders:
        model = read_model(family, REPOSITORY / "Fixtures/families" / family.name)
        chance = random.Random(family.name)
        wrong += sum(not agrees(kist, family, model, chance) for _ in range(rounds))
    print(f"judge: {len(decoders)} models, {rounds} texts each, against transformers: {wrong} differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
