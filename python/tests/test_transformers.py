"""Models and tokenizers come straight from a container, the same as from the folder. Skipped without transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, Command

import kist

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from kist.transformers import from_pretrained, load_model, load_tokenizer  # noqa: E402

FAMILIES = ["llama", "llama-bf16", "gpt2-hub", "mixtral", "bert", "gemma2", "qwen3-moe", "bloom"]


def equal(a: Any, b: Any) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(
        ours[name].dtype == theirs[name].dtype and torch.equal(ours[name], theirs[name]) for name in ours
    )


def packed(command: Command, source: Path, target: Path, *options: object) -> Path:
    command("convert", source, "-o", target, "--no-probes", *options)
    return target


@pytest.mark.parametrize("packing", ["auto", "none"])
def test_model_and_tokenizer_are_those_of_the_folder(command: Command, tmp_path: Path, packing: str) -> None:
    source = FIXTURES / "tiny-llama"
    model, tokenizer = from_pretrained(packed(command, source, tmp_path / "m.kist", "--pack", packing))
    reference = transformers.AutoModelForCausalLM.from_pretrained(source)
    assert type(model) is type(reference) and equal(model, reference)
    assert model.generation_config.to_dict() == reference.generation_config.to_dict()
    text = "Once upon a time"
    assert tokenizer(text)["input_ids"] == transformers.AutoTokenizer.from_pretrained(source)(text)["input_ids"]
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    assert torch.equal(model(ids).logits, reference(ids).logits)


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_those_of_the_folder(command: Command, tmp_path: Path, family: str) -> None:
    source = FIXTURES / "families" / family
    model, _ = from_pretrained(packed(command, source, tmp_path / "m.kist"))
    assert equal(model, type(model).from_pretrained(source))


def test_another_dtype_and_class(command: Command, tmp_path: Path) -> None:
    path = packed(command, FIXTURES / "families/llama", tmp_path / "m.kist")
    model = load_model(path, dtype=torch.bfloat16, model_class=transformers.LlamaModel)
    assert type(model) is transformers.LlamaModel and model.dtype == torch.bfloat16
    assert load_tokenizer(path) is None


def test_large_raw_weights_stay_mapped(command: Command, tmp_path: Path) -> None:
    """The model's memory is the file: what is written there without the model's knowledge shows in it."""
    path = packed(command, FIXTURES / "tiny-llama", tmp_path / "m.kist", "--pack", "none")
    model = load_model(path)
    file = kist.KistFile(path)
    name = max(file.tensors, key=lambda name: file.tensor(name).raw_length)
    entry = file.tensor(name)
    assert entry.raw_length >= 65536
    weight = model.get_parameter(name)
    with path.open("r+b") as stream:
        stream.seek(entry.run)
        stream.write(bytes(weight.element_size()))
    assert weight.reshape(-1)[0] == 0


def test_what_has_no_config_is_refused(tmp_path: Path) -> None:
    from kist.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / "a.kist")
    with pytest.raises(kist.KistError, match=r"config\.json"):
        from_pretrained(tmp_path / "a.kist")


def test_assets_never_leave_their_folder(tmp_path: Path) -> None:
    for name in ("../config.json", "/tmp/config.json", "a//config.json", "./config.json"):
        with kist.Writer(tmp_path / "a.kist") as writer:
            writer.add_asset("config.json", b'{"model_type": "llama"}')
            writer.add_asset(name, b"{}")
        with pytest.raises(kist.KistError, match="no path inside a folder"):
            from_pretrained(tmp_path / "a.kist")


def test_a_model_in_shards(command: Command, tmp_path: Path) -> None:
    if "--shard-size" not in command("convert", "--help").stdout:
        pytest.skip("this kist command has no --shard-size")
    packed(command, FIXTURES / "tiny-llama", tmp_path / "m.kist", "--shard-size", "200KB")
    shards = sorted(tmp_path.glob("*.kist"))
    assert len(shards) > 1
    reference = transformers.AutoModelForCausalLM.from_pretrained(FIXTURES / "tiny-llama")
    for path in (tmp_path, shards[-1]):
        model, tokenizer = from_pretrained(path)
        assert equal(model, reference) and tokenizer is not None
