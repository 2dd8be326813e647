"""The package as it is installed: whole, typed, and importable without PyTorch."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]


def test_pip_installs_all_of_it(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="70.1", reason="pip builds with setuptools 70.1 or newer")
    source = tmp_path / "source"  # pip leaves what it builds beside the source
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    target = tmp_path / "target"
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    installed = {path.relative_to(target) for path in (target / "kist").rglob("*") if path.suffix in (".py", ".typed")}
    written = {path.relative_to(PACKAGE) for path in (PACKAGE / "kist").rglob("*") if path.suffix in (".py", ".typed")}
    assert installed == written
    assert [each.version for each in importlib.metadata.distributions(name="kist", path=[str(target)])]


def test_importing_it_needs_no_pytorch() -> None:
    code = "import sys, kist, kist.numpy; sys.exit('torch' in sys.modules or 'cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE)


def test_types_are_clean() -> None:
    pytest.importorskip("mypy")
    result = subprocess.run([sys.executable, "-m", "mypy"], cwd=PACKAGE, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_it_is_no_other_kist() -> None:
    """spec/kist.py, the independent reader, has the same name."""
    import kist

    assert Path(kist.__file__).parent == PACKAGE / "kist"
