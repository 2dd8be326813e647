"""docs/python.md: what its examples print is what they print."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from conftest import FIXTURES, REPOSITORY, Command

import kist


def examples() -> list[str]:
    text = (REPOSITORY / "docs/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if ">>>" in block and "bad.kist" not in block]


def test_examples_print_what_they_say(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("convert", FIXTURES / "tiny-llama", "-o", tmp_path / "model.kist", "--quiet")
    command("quantize", FIXTURES / "tiny-llama", "-o", tmp_path / "model-Q8_0.kist", "--type", "Q8_0", "--quiet")
    monkeypatch.chdir(tmp_path)
    names = {"np": np, "ml_dtypes": ml_dtypes, "kist": kist, "json": json}
    runner = doctest.DocTestRunner()
    found = examples()
    assert len(found) >= 4
    for number, block in enumerate(found):
        if "torch" in block:
            names["torch"] = pytest.importorskip("torch")
            pytest.importorskip("transformers")
        test = doctest.DocTestParser().get_doctest(block, names, f"example {number}", "docs/python.md", 0)
        assert runner.run(test, clear_globs=False).failed == 0, block
        names |= test.globs
    listing = command("inspect", "small.kist").stdout.splitlines()
    stated = (REPOSITORY / "docs/python.md").read_text(encoding="utf-8").split("$ kist inspect small.kist\n")[1].split("```")[0]
    for line in stated.splitlines():
        assert line == "…" or line in listing
