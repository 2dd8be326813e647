"""On a real local Ray cluster conversions give the bytes of a single run, also when workers are killed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, Command, binary

ray = pytest.importorskip("ray")
if binary() is None:
    pytest.skip("there is no kist command: set KIST_BINARY or run make build", allow_module_level=True)

SOURCE = FIXTURES / "tiny-llama"
WORLD = FIXTURES / "world-llama"
QUANTIZED = ["--type", "Q4_K_M", "--imatrix", str(FIXTURES / "quantization/llama/world-llama.imatrix.gguf")]
PACKAGE = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A head and another node, one CPU each."""
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(PACKAGE)
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    yield made.address
    made.shutdown()


@pytest.fixture(scope="module")
def single(command: Command, tmp_path_factory: pytest.TempPathFactory) -> str:
    """SHA-256 of what one run writes."""
    path = tmp_path_factory.mktemp("single") / "model.kist"
    command("convert", SOURCE, "-o", path, "--no-probes")
    return digest(path)


@pytest.fixture(scope="module")
def quantized(command: Command, tmp_path_factory: pytest.TempPathFactory) -> str:
    """SHA-256 of what one run of `kist quantize` writes of WORLD, with probes."""
    path = tmp_path_factory.mktemp("quantized") / "model.kist"
    command("quantize", WORLD, "-o", path, *QUANTIZED, "--no-verify")
    return digest(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(cluster: str, *arguments: Any, status: int = 0, folder: Path | None = None) -> str:
    """`python -m kist.ray`, connected to the cluster; gives what it says on standard error."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "RAY_ADDRESS": cluster, "KIST_BINARY": str(binary())}
    process = subprocess.run([sys.executable, "-m", "kist.ray", *map(str, arguments)], env=environment, text=True,
                             cwd=folder, capture_output=True, timeout=300)  # fmt: skip
    assert process.returncode == status, process.stderr
    return process.stderr


def test_four_parts_on_two_workers_are_one_run(cluster: str, single: str, tmp_path: Path) -> None:
    target = tmp_path / "model.kist"
    told = run(cluster, "convert", SOURCE, target, "--workers", 2, "--parts", 4)
    assert digest(target) == single
    assert "part 3/4: " in told and "0 left" in told
    assert [path.name for path in tmp_path.iterdir()] == ["model.kist"], "parts stayed"


def test_a_killed_worker_changes_nothing_but_time(cluster: str, single: str, tmp_path: Path) -> None:
    """The command of part 2 kills its parent, Ray's worker, the first time that it runs, and would go on for ever."""
    flag, wrapper = tmp_path / "killed", tmp_path / "kist.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"--part 2/4"*) if mkdir "{flag}" 2>/dev/null; then kill -9 $PPID; sleep 600; fi;; esac\n'
        f'exec "{binary()}" "$@"\n'
    )
    wrapper.chmod(0o755)
    target = tmp_path / "model.kist"
    run(cluster, "convert", SOURCE, target, "--workers", 2, "--parts", 4, "--command", wrapper)
    assert flag.exists(), "no worker was killed"
    assert digest(target) == single


def test_quantized_parts_are_one_run_though_a_worker_is_killed(cluster: str, quantized: str, tmp_path: Path) -> None:
    flag, wrapper = tmp_path / "killed", tmp_path / "kist.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"--part 3/4"*) if mkdir "{flag}" 2>/dev/null; then kill -9 $PPID; sleep 600; fi;; esac\n'
        f'exec "{binary()}" "$@"\n'
    )
    wrapper.chmod(0o755)
    target = tmp_path / "model.kist"
    told = run(cluster, "convert", WORLD, target, *QUANTIZED[:2], "--workers", 2, "--parts", 4, "--probes",
               "--command", wrapper, "--", *QUANTIZED[2:])  # fmt: skip
    assert flag.exists(), "no worker was killed"
    assert digest(target) == quantized and "0 left" in told


def test_types_that_were_chosen_for_the_whole_are_those_of_its_parts(
    cluster: str, tmp_path: Path, command: Command
) -> None:
    goal = ["--target-size", "1500kB", "--no-probes"]
    plan = command("quantize", WORLD, "-o", tmp_path / "model.kist", *goal, "--dry-run", "--json")
    (tmp_path / "types.json").write_text(plan.stdout)
    # Options name files as seen from where the person is.
    run(cluster, "quantize", WORLD, "model.kist", "--workers", 2, "--", "--types", "types.json", folder=tmp_path)
    command("quantize", WORLD, "-o", tmp_path / "one.kist", *goal, "--no-verify")
    assert digest(tmp_path / "model.kist") == digest(tmp_path / "one.kist")


def test_a_choice_needs_the_whole_model(cluster: str, tmp_path: Path) -> None:
    target = tmp_path / "model.kist"
    told = run(cluster, "quantize", WORLD, target, "--workers", 1, "--", "--target-size", "1500kB", status=2)
    assert "--types" in told and not list(tmp_path.iterdir())


def test_a_killed_command_is_run_again(cluster: str, single: str, tmp_path: Path) -> None:
    flag, wrapper = tmp_path / "killed", tmp_path / "kist.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"--part 1/2"*) if mkdir "{flag}" 2>/dev/null; then kill -9 $$; fi;; esac\n'
        f'exec "{binary()}" "$@"\n'
    )
    wrapper.chmod(0o755)
    target = tmp_path / "model.kist"
    run(cluster, "convert", SOURCE, target, "--workers", 1, "--parts", 2, "--command", wrapper)
    assert flag.exists() and digest(target) == single


def test_a_stopped_run_goes_on_with_the_parts_that_are_there(
    cluster: str, single: str, tmp_path: Path, command: Command
) -> None:
    target = tmp_path / "model.kist"
    command("convert", SOURCE, "-o", target, "--part", "2/3")
    told = run(cluster, "convert", SOURCE, target, "--workers", 2, "--parts", 3)
    assert "model-part-00002-of-00003.kist is there already: kept" in told and "part 2/3" not in told
    assert digest(target) == single


def test_parts_with_other_options_are_not_joined(cluster: str, tmp_path: Path, command: Command) -> None:
    target = tmp_path / "model.kist"
    command("convert", SOURCE, "-o", target, "--part", "2/3", "--pack", "none")
    told = run(cluster, "convert", SOURCE, target, "--workers", 2, "--parts", 3, status=2)
    assert "pack" in told and not target.exists()


def test_what_the_command_refuses_is_said_once(cluster: str, tmp_path: Path) -> None:
    target = tmp_path / "model.kist"
    told = run(cluster, "convert", tmp_path / "nope", target, "--workers", 2, status=2)
    assert "nope: no such file or directory" in told and not list(tmp_path.iterdir())
    target.write_bytes(b"")
    assert "exists already" in run(cluster, "convert", SOURCE, target, status=2)


def test_options_reach_the_command(cluster: str, tmp_path: Path, command: Command) -> None:
    target, other = tmp_path / "model.kist", tmp_path / "other.kist"
    run(cluster, "convert", SOURCE, target, "--workers", 2, "--quiet", "--", "--pack", "none")
    command("convert", SOURCE, "-o", other, "--pack", "none", "--no-probes")
    assert digest(target) == digest(other)


def test_a_type_reaches_the_command(cluster: str, tmp_path: Path, command: Command) -> None:
    if "--type" not in command("convert", "--help").stdout:
        pytest.skip("this kist command has no --type")
    source = FIXTURES / "families/llama"
    target, other = tmp_path / "model.kist", tmp_path / "other.kist"
    run(cluster, "convert", source, target, "--workers", 2, "--type", "bf16")
    command("convert", source, "-o", other, "--type", "bf16", "--no-probes")
    assert digest(target) == digest(other)


def test_a_quantized_type_is_work_for_quantize(cluster: str, tmp_path: Path) -> None:
    """What it says of its arguments shows which verb ran."""
    wrapper = tmp_path / "kist.sh"
    wrapper.write_text('#!/bin/sh\necho "ran: $*" >&2\nexit 2\n')
    wrapper.chmod(0o755)
    target = tmp_path / "model.kist"
    told = run(cluster, "convert", SOURCE, target, "--type", "Q4_K_M", "--command", wrapper, "--workers", 1, status=2)
    assert f"ran: quantize {SOURCE} -o {target} --part 1/2 --force --type Q4_K_M" in told
