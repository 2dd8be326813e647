"""What tests share: the repository's fixtures, the command, and the worked example of the specification."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "Fixtures"
SPEC = REPOSITORY / "spec"

Command = Callable[..., subprocess.CompletedProcess[str]]


def manifest(folder: Path) -> list[dict[str, str]]:
    """The rows of a folder's manifest.tsv."""
    head, *rows = (line.split("\t") for line in (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """spec/tiny.hex as a file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.kist"
    subprocess.run([sys.executable, str(SPEC / "hex.py"), str(SPEC / "tiny.hex"), str(path)], check=True)
    return path


def binary() -> Path | None:
    """The command: KIST_BINARY, or what `make build` makes."""
    named = os.environ.get("KIST_BINARY")
    path = Path(named).resolve() if named else REPOSITORY / ".build/release/kist"
    return path if path.exists() else None


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs the Swift command; the test is skipped where there is none."""
    path = binary()
    if path is None:
        pytest.skip("there is no kist command: set KIST_BINARY or run make build")

    def run(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        result = subprocess.run([str(path), *map(str, arguments)], capture_output=True, text=True)
        assert result.returncode == status, result.stderr
        return result

    return run
