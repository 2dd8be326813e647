"""Kist's Python package beside safetensors and ZipNN, in one run: ratios are what counts.

    pip install ./python safetensors==0.8.0 zipnn==0.5.4 torch
    python python/bench.py [--quick] [--command PATH]

Every figure is the best of several tries, taken in turns, so that a busy machine slows both alike. Files are in the page
cache. Each try opens the file anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

import kist.numpy
from kist.threads import core_count

Work = Callable[[], Any]


def compare(works: dict[str, Work], tries: int) -> dict[str, float]:
    """The best time of each, in seconds; they take turns, for a second at least."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    begin = time.perf_counter()
    while len(next(iter(times.values()))) < tries or time.perf_counter() - begin < 1:
        for name, work in works.items():
            start = time.perf_counter()
            result = work()
            times[name].append(time.perf_counter() - start)
            del result
    return {name: min(each) for name, each in times.items()}


def row(what: str, ours: str, theirs: str, ratio: float, goal: str) -> None:
    print(f"{what:66} {ours:>12} {theirs:>16} {ratio:6.2f}×  {goal}")


def opening(folder: Path, tries: int) -> None:
    tensors = {f"model.layers.{at}.weight": np.full((8, 8), at, np.float32) for at in range(1000)}
    kist.numpy.save_file(tensors, folder / "many.kist", packing="none")
    safetensors.numpy.save_file(tensors, folder / "many.safetensors")

    def ours() -> list[str]:
        with kist.safe_open(folder / "many.kist", framework="np") as file:
            return file.keys()

    def theirs() -> list[str]:
        with safetensors.safe_open(folder / "many.safetensors", framework="np") as file:
            return file.keys()

    best = compare({"kist": ours, "safetensors": theirs}, 20 * tries)
    row("open and list 1,000 tensors", f"{best['kist'] * 1e3:.2f} ms", f"{best['safetensors'] * 1e3:.2f} ms",
        best["kist"] / best["safetensors"], "goal ≤ 1 of safetensors' time")  # fmt: skip
    best = compare(
        {
            "kist": lambda: kist.numpy.load_file(folder / "many.kist"),
            "safetensors": lambda: safetensors.numpy.load_file(folder / "many.safetensors"),
        },
        10 * tries,
    )
    row("load 1,000 tensors of 256 bytes, NumPy", f"{best['kist'] * 1e3:.2f} ms", f"{best['safetensors'] * 1e3:.2f} ms",
        best["safetensors"] / best["kist"], "")  # fmt: skip


def used(tensors: dict[str, Any]) -> int:
    """Reads every byte, so that what is only mapped is read too."""
    return sum(int(array.reshape(-1).view(np.uint64).sum()) for array in tensors.values())


def raw(folder: Path, tensors: dict[str, np.ndarray], tries: int) -> None:
    size = sum(array.nbytes for array in tensors.values())
    kist.numpy.save_file(tensors, folder / "raw.kist", packing="none")
    safetensors.numpy.save_file(tensors, folder / "raw.safetensors")
    works: dict[str, dict[str, Work]] = {
        "load raw tensors, NumPy (checked)": {
            "kist": lambda: kist.numpy.load_file(folder / "raw.kist"),
            "safetensors": lambda: safetensors.numpy.load_file(folder / "raw.safetensors"),
        },
        "load raw tensors and read them, NumPy (checked)": {
            "kist": lambda: used(kist.numpy.load_file(folder / "raw.kist")),
            "safetensors": lambda: used(safetensors.numpy.load_file(folder / "raw.safetensors")),
        },
    }
    try:
        import torch
        from safetensors.torch import load_file as load_theirs

        from kist.torch import load_file as load_ours

        torch.set_num_threads(1)

        def read(tensors: dict[str, torch.Tensor]) -> int:
            return sum(int(tensor.reshape(-1).view(torch.int64).sum()) for tensor in tensors.values())

        works["load raw tensors and read them, PyTorch (mapped)"] = {
            "kist": lambda: read(load_ours(folder / "raw.kist")),
            "safetensors": lambda: read(load_theirs(folder / "raw.safetensors")),
        }
        works["load raw tensors and read them, PyTorch (checked)"] = {
            "kist": lambda: read(load_ours(folder / "raw.kist", check=True)),
            "safetensors": lambda: read(load_theirs(folder / "raw.safetensors")),
        }
        works["map raw tensors, PyTorch"] = {
            "kist": lambda: load_ours(folder / "raw.kist"),
            "safetensors": lambda: load_theirs(folder / "raw.safetensors"),
        }
    except ImportError:
        print("no PyTorch: its rows are left out", file=sys.stderr)
    for what, pair in works.items():
        best = compare(pair, tries)
        if what.startswith("map"):
            texts = [f"{best[name] * 1e3:.2f} ms" for name in pair]
        else:
            texts = [f"{size / best[name] / 1e9:.2f} GB/s" for name in pair]
        row(what, *texts, best["safetensors"] / best["kist"], "goal ≥ 0.9 of safetensors' speed")


def packed(folder: Path, tensors: dict[str, np.ndarray], tries: int, command: str | None) -> None:
    size = sum(array.nbytes for array in tensors.values())
    kist.numpy.save_file(tensors, folder / "python.kist")
    files = {"written by Python": folder / "python.kist"}
    if command:
        target = folder / "swift.kist"
        subprocess.run([command, "convert", folder / "raw.safetensors", "-o", target, "--quiet"], check=True,
                       capture_output=True)  # fmt: skip
        files["written by the command"] = target
    try:
        import zipnn
    except ImportError:
        print("no zipnn: its rows are left out", file=sys.stderr)
        return
    codec = zipnn.ZipNN(input_format="byte", bytearray_dtype="bfloat16", threads=core_count())
    theirs = [codec.compress(bytearray(array.tobytes())) for array in tensors.values()]
    for index, content in enumerate(theirs):
        (folder / f"{index}.znn").write_bytes(content)

    def load_zipnn() -> list[np.ndarray]:
        contents = [(folder / f"{index}.znn").read_bytes() for index in range(len(theirs))]
        return [np.frombuffer(codec.decompress(content), ml_dtypes.bfloat16) for content in contents]

    def unpack_zipnn() -> list[Any]:
        return [codec.decompress(content) for content in theirs]

    for what, path in files.items():
        load = partial(kist.numpy.load_file, path)
        for goal, work in (("from its files", load_zipnn), ("from memory", unpack_zipnn)):
            best = compare({"kist": load, "zipnn": work}, tries)
            row(f"load packed bf16, {what}; ZipNN {goal}", f"{size / best['kist'] / 1e9:.2f} GB/s",
                f"{size / best['zipnn'] / 1e9:.2f} GB/s", best["zipnn"] / best["kist"],
                "goal ≥ 1 GB/s, and ≥ 2 of ZipNN's speed")  # fmt: skip
        row("  stored ÷ raw", f"{path.stat().st_size / size:.4f}", f"{sum(map(len, theirs)) / size:.4f}",
            path.stat().st_size / sum(map(len, theirs)), "")  # fmt: skip
    best = compare(
        {
            "kist": lambda: kist.numpy.save_file(tensors, folder / "again.kist"),
            "zipnn": lambda: [codec.compress(bytearray(array.tobytes())) for array in tensors.values()],
        },
        max(1, tries // 2),
    )
    row("pack bf16, with SHA-256 and to disk", f"{size / best['kist'] / 1e9:.2f} GB/s",
        f"ZipNN {size / best['zipnn'] / 1e9:.2f} GB/s", best["zipnn"] / best["kist"], "")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="64 MiB and few tries")
    parser.add_argument("--command", help="the kist command, for files that it writes")
    arguments = parser.parse_args()
    tries, count = (2, 2) if arguments.quick else (5, 8)
    random = np.random.default_rng(0)
    tensors = {
        f"layers.{at}.weight": (random.standard_normal((4096, 4096), np.float32) * 0.02).astype(ml_dtypes.bfloat16)
        for at in range(count)
    }
    print(f"{core_count()} cores; safetensors {safetensors.__version__}; {count * 32} MiB of bf16\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opening(folder, tries)
        raw(folder, tensors, tries)
        packed(folder, tensors, tries, arguments.command)


if __name__ == "__main__":
    main()
