"""Files that are wrong end in KistError, at the stage that the fixtures' list says; files that only look so are read."""

from __future__ import annotations

import importlib.util
import random
import resource
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES, manifest

from kist import KistError, KistFile, safe_open
from kist.numpy import load_file

HOSTILE = FIXTURES / "hostile/kist"
MEMORY = 256 << 20  # no hostile file may make the reader use this much more
HAS_ED25519 = importlib.util.find_spec("cryptography") is not None
sys.path.append(str(FIXTURES / "make"))


def failures(path: Path) -> tuple[str, list[KistError]]:
    """The stage at which a file is refused, and why."""
    try:
        file = KistFile(path)
    except KistError as error:
        return "open", [error]
    errors: list[KistError] = []
    for names, read in ((file.tensors, file.array), (file.assets, file.asset), (file.records, file.record)):
        for name in names:
            try:
                read(name)
            except KistError as error:
                errors.append(error)
    return ("read", errors) if errors else ("verify", file.problems())


def check_refused(path: Path, row: dict[str, str]) -> None:
    if row["file"] == "signature-wrong.kist" and not HAS_ED25519:
        pytest.skip("signature-wrong.kist: checking a signature needs the package cryptography")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stage, errors = failures(path)
    assert errors, "not refused"
    if row["stage"] == "verify" and stage == "read":  # checked earlier than it must be
        stage, errors = "verify", KistFile(path).problems()
    assert stage == row["stage"], errors
    texts = [f"{error.field}: {error.message}".lower() for error in errors]
    assert any(all(word in text for word in row["words"].split()) for text in texts), texts
    with pytest.raises(KistError):
        KistFile(path).verify()
    assert all(error.file == str(path) for error in errors)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MEMORY


@pytest.mark.parametrize("row", manifest(HOSTILE), ids=lambda row: row["file"])
def test_hostile_file_is_refused(row: dict[str, str]) -> None:
    check_refused(HOSTILE / row["file"], row)


def test_hostile_files_that_are_not_kept_are_refused(tmp_path: Path) -> None:
    make = pytest.importorskip("hostile_kist")
    make.write(tmp_path, set())
    kept = {row["file"] for row in manifest(HOSTILE)}
    rows = [row for row in manifest(tmp_path) if row["file"] not in kept]
    assert rows
    for row in rows:
        check_refused(tmp_path / row["file"], row)


@pytest.mark.parametrize("name", ["safetensors", "gguf", "zip", "pickle"])
def test_files_of_other_formats_are_refused(name: str) -> None:
    for path in sorted((FIXTURES / "hostile" / name).iterdir()):
        if path.is_file():
            with pytest.raises(KistError):
                safe_open(path, framework="np")


@pytest.mark.parametrize("row", manifest(FIXTURES / "odd"), ids=lambda row: row["file"])
def test_odd_file_is_read(row: dict[str, str]) -> None:
    path = FIXTURES / "odd" / row["file"]
    KistFile(path).verify()
    if row["file"] == "rank-64.kist" and int(np.__version__.split(".")[0]) < 2:
        pytest.skip("rank-64.kist: NumPy 1 has at most 32 dimensions")
    load_file(path)


def test_shared_content_reads_the_same() -> None:
    run, chunk = (load_file(FIXTURES / f"odd/shared-{what}.kist") for what in ("run", "chunk"))
    assert run["norm.bytes"].tobytes() == run["norm.weight"].tobytes()
    assert chunk["proj.twin"].tobytes() == chunk["proj.weight"].tobytes()


def test_two_chunks_join() -> None:
    weights = load_file(FIXTURES / "odd/two-chunks.kist")["proj.weight"]
    assert weights.shape == (524304,) and (weights.astype(np.float32) == 1).all()


def test_unknown_dtype_is_given_as_bytes() -> None:
    norm = load_file(FIXTURES / "odd/dtype-unknown.kist")["norm.weight"]
    assert norm.dtype == np.uint8 and norm.nbytes == 16


def test_a_changed_byte_is_found_or_changes_nothing(tiny: Path, tmp_path: Path) -> None:
    """Every byte that a reader uses is under a checksum: whatever is read is what was written."""
    content = tiny.read_bytes()
    expected = {name: array.tobytes() for name, array in load_file(tiny).items()}
    seed = 20261127
    chance = random.Random(seed)
    path = tmp_path / "changed.kist"
    for _ in range(400):
        changed = bytearray(content)
        at = chance.choice([chance.randrange(len(content)), chance.randrange(16384, len(content))])
        changed[at] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        try:
            found = load_file(path)
        except KistError:
            continue
        assert {name: array.tobytes() for name, array in found.items()} == expected, f"byte {at}, seed {seed}"


def test_a_cut_file_is_refused(tiny: Path, tmp_path: Path) -> None:
    content = tiny.read_bytes()
    path = tmp_path / "cut.kist"
    for length in [0, 1, 15, 16, 4095, 8192, 16383, 16384, *range(16400, len(content), 97)]:
        path.write_bytes(content[:length])
        with pytest.raises(KistError):
            load_file(path)


def test_what_does_not_fit_into_memory_is_an_error(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(*_: object) -> None:
        raise MemoryError

    file = KistFile(tiny)
    monkeypatch.setattr("kist.file.np.empty", empty)
    with pytest.raises(KistError, match="no memory"):
        file.array("proj.weight")


def test_an_error_says_where(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.kist"
    content = bytearray(tiny.read_bytes())
    content[16460] ^= 1  # a stored byte of proj.weight
    path.write_bytes(content)
    with pytest.raises(KistError) as caught:
        load_file(path)
    error = caught.value
    assert (error.file, error.field, error.offset) == (str(path), "tensor 'proj.weight': chunk 0: XXH3", 16448)
    assert str(error) == f"{path}: {error.field}: does not match the stored bytes (at byte 16448)"
