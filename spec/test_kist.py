"""python -m pytest spec/test_kist.py    (pip install pytest numpy ml_dtypes zstandard xxhash safetensors cryptography)

With KIST_FILES=FOLDER also: every .kist there loads, verifies, and equals the .safetensors of the same stem beside it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

SPEC = Path(__file__).resolve().parent
FIXTURES = SPEC.parent / "Fixtures"
sys.path[:0] = [str(SPEC), str(FIXTURES / "make")]
import kist  # noqa: E402
from hex import assemble  # noqa: E402

HAS_ED25519 = importlib.util.find_spec("cryptography") is not None
MEMORY = 256 << 20  # no hostile file may make the reader use this much more


def manifest(folder: Path) -> list[dict[str, str]]:
    if not (folder / "manifest.tsv").exists():
        return []
    head, *rows = (line.split("\t") for line in (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.kist"
    path.write_bytes(assemble((SPEC / "tiny.hex").read_text(encoding="utf-8")))
    return path


# The worked example.


def test_tiny_holds_what_its_comments_say(tiny: Path) -> None:
    tensors = kist.load_file(tiny)
    assert list(tensors) == ["norm.weight", "proj.weight"]
    assert tensors["norm.weight"].dtype == np.float32 and tensors["norm.weight"].tolist() == [1.0, 0.5, -2.0, 0.0]
    magnitudes = [1.0, 1.5, 1.25, 1.75, 1.125, 1.375, 1.625, 1.875]
    expected = np.array([sign * m for m in magnitudes for sign in (1, -1)], ml_dtypes.bfloat16).reshape(4, 4)
    assert tensors["proj.weight"].dtype == ml_dtypes.bfloat16
    assert tensors["proj.weight"].tobytes() == expected.tobytes()


def test_tiny_has_an_asset_and_records(tiny: Path) -> None:
    file = kist.KistFile(tiny)
    assert [entry.name for entry in file.assets] == ["model.safetensors"]
    assert file.metadata() == {"format": {"type": "string", "value": "pt"}}
    assert file.provenance() == {"source": "safetensors", "weights": ["model.safetensors"]}
    assert file.find("norm.weight", kist.ASSET) is None


def test_tiny_gives_back_its_source(tiny: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    file = kist.KistFile(tiny)
    source = file.read(file.assets[0]) + b"".join(map(file.read, file.tensors))
    assert [name for name, _ in sorted(safetensors.deserialize(source))] == ["norm.weight", "proj.weight"]


def test_tiny_verifies(tiny: Path) -> None:
    assert kist.verify(tiny) == []


@pytest.mark.parametrize("offset", [*range(0, 20), 4096, 4128, 8191, 12288, *range(16384, 18240, 7)])
def test_no_byte_of_tiny_can_change_unseen(tiny: Path, tmp_path: Path, offset: int) -> None:
    content = bytearray(tiny.read_bytes())
    content[offset] ^= 0x10
    (tmp_path / "changed.kist").write_bytes(content)
    text = (SPEC / "tiny.hex").read_text(encoding="utf-8")
    given = [line.split(":") for line in text.splitlines() if line.strip()[:1].isdigit()]
    in_a_field = any(int(start) <= offset < int(start) + len(code.split(";")[0].split()) for start, code, *_ in given)
    stated = in_a_field or offset < 16384  # between chunks nothing is
    assert bool(kist.verify(tmp_path / "changed.kist")) == stated


def test_a_right_signature_verifies(tmp_path: Path) -> None:
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    make = pytest.importorskip("hostile_kist")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes_raw()
    signed = make.Kist()
    signed.build()  # a signature does not change the package digest
    content = public + key.sign(signed.root["package digest"])
    signed = make.Kist()
    signed.add(f"kist:signature/{sha256(public).hexdigest()[:16]}", kist.RECORD, content)
    (tmp_path / "signed.kist").write_bytes(signed.build())
    assert kist.verify(tmp_path / "signed.kist") == []


def test_command_line(tiny: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(SPEC / "kist.py"), *arguments], capture_output=True, text=True)

    listing = run(str(tiny))
    assert listing.returncode == 0 and "proj.weight" in listing.stdout
    assert run("--verify", str(tiny)).returncode == 0
    bad = run("--verify", str(SPEC / "tiny.hex"))
    assert bad.returncode == 1 and "magic" in bad.stderr and "Traceback" not in bad.stderr
    assert run(str(tiny) + ".gone").returncode == 1


# Files that are wrong, and files that only look so.


def failures(path: Path) -> tuple[str, list[kist.KistError]]:
    """The stage at which a file is refused, and why."""
    try:
        file = kist.KistFile(path)
    except kist.KistError as error:
        return "open", [error]
    errors = []
    for entry in file.entries:
        try:
            file.read(entry)
        except kist.KistError as error:
            errors.append(error)
    return ("read", errors) if errors else ("verify", file.verify())


def check_refused(path: Path, row: dict[str, str]) -> None:
    if row["file"] == "signature-wrong.kist" and not HAS_ED25519:
        pytest.skip("signature-wrong.kist: checking a signature needs the package cryptography")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stage, errors = failures(path)
    assert errors, "not refused"
    if row["stage"] == "verify" and stage == "read":  # checked earlier than it must be
        stage, errors = "verify", kist.verify(path)
    assert stage == row["stage"], errors
    texts = [f"{error.field}: {error.message}".lower() for error in errors]
    assert any(all(word in text for word in row["words"].split()) for text in texts), texts
    assert kist.verify(path), "verify does not see it"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MEMORY


@pytest.mark.parametrize("row", manifest(FIXTURES / "hostile/kist"), ids=lambda row: row["file"])
def test_hostile_file_is_refused(row: dict[str, str]) -> None:
    check_refused(FIXTURES / "hostile/kist" / row["file"], row)


def test_hostile_files_that_are_not_kept_are_refused(tmp_path: Path) -> None:
    make = pytest.importorskip("hostile_kist")
    make.write(tmp_path, set())
    kept = {row["file"] for row in manifest(FIXTURES / "hostile/kist")}
    rows = [row for row in manifest(tmp_path) if row["file"] not in kept]
    assert len(rows) == len(make.LEFT_OUT)
    for row in rows:
        check_refused(tmp_path / row["file"], row)


@pytest.mark.parametrize("row", manifest(FIXTURES / "hostile/kist"), ids=lambda row: row["file"])
def test_hostile_file_is_what_its_script_makes(row: dict[str, str]) -> None:
    make = pytest.importorskip("hostile_kist")
    (change,) = (change for name, *_, change in make.CASES if name + ".kist" == row["file"])
    made = make.Kist()
    change(made)
    assert made.build() == (FIXTURES / "hostile/kist" / row["file"]).read_bytes()


@pytest.mark.parametrize("row", manifest(FIXTURES / "odd"), ids=lambda row: row["file"])
def test_odd_file_is_accepted(row: dict[str, str]) -> None:
    path = FIXTURES / "odd" / row["file"]
    assert kist.verify(path) == []
    kist.load_file(path)


def test_shared_content_reads_the_same() -> None:
    run, chunk = (kist.load_file(FIXTURES / f"odd/shared-{what}.kist") for what in ("run", "chunk"))
    assert run["norm.bytes"].tobytes() == run["norm.weight"].tobytes()
    assert chunk["proj.twin"].tobytes() == chunk["proj.weight"].tobytes()


def test_two_chunks_join() -> None:
    (weights,) = (t for n, t in kist.load_file(FIXTURES / "odd/two-chunks.kist").items() if n == "proj.weight")
    assert weights.shape == (524304,) and (weights.astype(np.float32) == 1).all()


def test_unknown_dtype_is_given_as_bytes() -> None:
    norm = kist.load_file(FIXTURES / "odd/dtype-unknown.kist")["norm.weight"]
    assert norm.dtype == np.uint8 and norm.nbytes == 16


# The parts that the worked example is too small for.


@pytest.mark.parametrize("width", [2, 4, 8])
@pytest.mark.parametrize("rotated", [False, True], ids=["planes", "float planes"])
def test_planes_are_undone(width: int, rotated: bool) -> None:
    numbers = np.frombuffer(np.random.default_rng(width).bytes(37 * width), f"<u{width}")
    bits = 8 * width
    planes = []
    for k in range(width):
        turned = [(x << 1 | x >> (bits - 1)) % (1 << bits) if rotated else x for x in numbers.tolist()]
        planes.append(bytes((y >> (8 * (width - 1 - k))) & 255 for y in turned))
    assert kist.join_planes(planes, (kist.Field(width, 1),), rotated) == numbers.tobytes()


def test_block_planes_are_undone() -> None:
    # Two blocks of: one number of two bytes, three of one byte, two of four bytes.
    fields = (kist.Field(2, 1), kist.Field(1, 3), kist.Field(4, 2))
    blocks = bytes.fromhex("0100 111213 24232221 28272625 0302 141516 34333231 38373635")
    planes = ["0002", "0103", "111213141516", "21253135", "22263236", "23273337", "24283438"]
    assert kist.join_planes([bytes.fromhex(plane) for plane in planes], fields, False) == blocks


def test_fields_of_block_types_are_those_of_the_page() -> None:
    """The table of Dtypes: | code | name | elements | bytes | fields |."""
    text = (SPEC / "kist-format.md").read_text(encoding="utf-8")
    rows = [re.fullmatch(r"\| (2\d\d) \| (\w+) \| (\d+) \| (\d+) \| ([\d× ]+) \|", line) for line in text.splitlines()]
    page = {int(row[1]): (row[2], int(row[3]), int(row[4]), row[5]) for row in rows if row}
    assert len(page) == len(kist.BLOCK_TYPES)
    for name, (kind, count, fields) in kist.BLOCK_TYPES.items():
        assert page[256 + kind] == (name, count, kist.DTYPES[256 + kind].unit, fields)


def test_block_planes_read_as_blocks() -> None:
    file = kist.KistFile(FIXTURES / "odd/block-planes.kist")
    blocks = file.read(file.tensors[-1])
    assert file.tensors[-1].transform == kist.BLOCK_PLANES
    assert blocks == bytes(range(124, 256))


def golden_dtypes() -> dict[str, dict]:
    path = FIXTURES / "dtypes-values.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@pytest.mark.parametrize("name", [n for n, t in golden_dtypes().items() if t["dtype"] in ("F4", "F6_E2M3", "F6_E3M2")])
def test_small_elements_unpack_to_the_golden_values(name: str) -> None:
    safetensors = pytest.importorskip("safetensors")
    golden = golden_dtypes()[name]
    stored = dict(safetensors.deserialize((FIXTURES / "dtypes.safetensors").read_bytes()))[name]["data"]
    (dtype,) = (dtype for dtype in kist.DTYPES.values() if dtype.name == golden["dtype"])
    values = kist.unpack_bits(np.frombuffer(bytes(stored), np.uint8), dtype.bits).view(dtype.numpy)
    assert values.size == np.prod(golden["shape"])
    assert [repr(float(value)) for value in values[: len(golden["values"])]] == golden["values"]


# What another program wrote.


def written_files() -> list[Path]:
    folder = os.environ.get("KIST_FILES")
    return sorted(Path(folder).glob("**/*.kist")) if folder else []


@pytest.mark.skipif("KIST_FILES" not in os.environ, reason="KIST_FILES names no folder of .kist files")
def test_there_are_written_files() -> None:
    assert written_files()


@pytest.mark.parametrize("path", written_files(), ids=str)
def test_written_file_verifies(path: Path) -> None:
    assert kist.verify(path) == []


@pytest.mark.parametrize("path", written_files(), ids=str)
def test_written_file_equals_its_source(path: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    source = path.with_suffix(".safetensors")
    if not source.exists():
        pytest.skip(f"no {source.name} beside {path.name}")
    content = source.read_bytes()
    file = kist.KistFile(path)
    expected = dict(safetensors.deserialize(content))
    assert {entry.name for entry in file.tensors} == expected.keys()
    for entry in file.tensors:
        tensor = expected[entry.name]
        assert (entry.type.name, list(entry.shape)) == (tensor["dtype"], tensor["shape"])
        assert file.read(entry) == bytes(tensor["data"]), entry.name
    header_length = 8 + int.from_bytes(content[:8], "little")
    (asset,) = (file.find(name, kist.ASSET) for name in file.provenance()["weights"])
    assert asset is not None and file.read(asset) == content[:header_length]
    metadata = json.loads(content[8:header_length]).get("__metadata__", {})
    assert {key: member["value"] for key, member in file.metadata().items()} == metadata
    check_values(file, golden_dtypes() if source.name == "dtypes.safetensors" else {})


def check_values(file: kist.KistFile, golden: dict[str, dict]) -> None:
    for entry in file.tensors:
        values = file.array(entry)
        assert values.shape == entry.shape
        if entry.name in golden:
            expected = golden[entry.name]["values"]
            assert [as_text(value) for value in values.reshape(-1)[: len(expected)]] == expected, entry.name


def as_text(value: np.generic) -> str:
    if isinstance(value, np.complexfloating):
        return f"{float(value.real)!r},{float(value.imag)!r}"
    return str(int(value)) if isinstance(value, (np.integer, np.bool_)) else repr(float(value))
