"""A model in shards is opened by any of them or by the folder; what does not belong together is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES, Command

import kist
from kist import KistError, open_set
from kist.numpy import load_file, save_file


@pytest.fixture
def shards(command: Command, tmp_path: Path) -> list[Path]:
    if "--shard-size" not in command("convert", "--help").stdout:
        pytest.skip("this kist command has no --shard-size")
    command("convert", FIXTURES / "tiny-llama", "-o", tmp_path / "m.kist", "--shard-size", "200KB", "--no-probes")
    found = sorted(tmp_path.glob("*.kist"))
    assert len(found) > 2
    return found


def test_any_shard_or_the_folder_opens_the_set(command: Command, shards: list[Path], tmp_path: Path) -> None:
    for path in (shards[0], shards[-1], tmp_path):
        files = open_set(path)
        assert [file.shard for file in files] == list(range(1, len(shards) + 1))
    for path in shards:
        kist.verify(path)
    (tmp_path / "whole").mkdir()
    command("convert", FIXTURES / "tiny-llama", "-o", tmp_path / "whole/m.kist", "--no-probes")
    whole, found = load_file(tmp_path / "whole/m.kist"), load_file(tmp_path)
    assert list(whole) == list(found)
    for name in whole:
        np.testing.assert_array_equal(found[name], whole[name])


def test_a_missing_shard_is_named(shards: list[Path]) -> None:
    shards[1].unlink()
    with pytest.raises(FileNotFoundError, match=shards[1].name):
        open_set(shards[0])


def test_a_shard_of_another_set_is_refused(shards: list[Path]) -> None:
    save_file({"a": np.zeros(3)}, shards[1])
    with pytest.raises(KistError, match="set id"):
        open_set(shards[0])


def test_a_shard_under_another_number_is_refused(shards: list[Path]) -> None:
    shutil.copy(shards[0], shards[1])
    with pytest.raises(KistError, match="shard number"):
        open_set(shards[0])


def test_a_file_that_is_in_no_set_is_alone(tmp_path: Path) -> None:
    save_file({"a": np.zeros(3)}, tmp_path / "a.kist")
    assert len(open_set(tmp_path / "a.kist")) == len(open_set(tmp_path)) == 1
    save_file({"a": np.zeros(3)}, tmp_path / "b.kist")
    with pytest.raises(KistError, match="several models"):
        open_set(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.kist file"):
        open_set(tmp_path / "empty")
