"""python Tests/Peers/engines.py KIST

Asks the programs themselves, where this Python has them, whether Kist computes what they do: `kist verify --with transformers` on every family of
Fixtures/families that transformers loads as it is, and `--with llama.cpp` on a GGUF that Kist writes. A model that is not what is verified must fail.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "Fixtures"
FAMILIES = ["llama", "qwen2", "qwen3", "gemma2", "phi3", "mistral", "olmo2", "gpt2", "gpt-neox"]


def verify(kist: str, model: Path | str, engine: str) -> tuple[int, dict]:
    command = [kist, "verify", str(model), "--with", engine, "--python", sys.executable, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout or done.stderr)


def main() -> int:
    kist = sys.argv[1]
    failures = 0

    def report(good: bool, what: str) -> None:
        nonlocal failures
        failures += not good
        print(f"{'ok    ' if good else 'FAILED'} {what}", flush=True)

    if importlib.util.find_spec("transformers") and importlib.util.find_spec("torch"):
        for family in FAMILIES:
            status, result = verify(kist, FIXTURES / "families" / family, "transformers")
            verdict = result.get("verdict", {})
            report(status == 0 and verdict["reference"].startswith("transformers "), f"{family}: {verdict or result}"[:160])
    else:
        print("skipped: transformers and torch are not installed")
    if importlib.util.find_spec("llama_cpp"):
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.gguf"
            subprocess.run([kist, "convert", FIXTURES / "world-llama", "-o", model, "--quiet"], check=True)
            status, result = verify(kist, model, "llama.cpp")
            report(status == 0, f"world-llama as GGUF: {result.get('verdict', result)}"[:160])
    else:
        print("skipped: llama_cpp is not installed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
