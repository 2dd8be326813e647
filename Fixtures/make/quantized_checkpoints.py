"""python Fixtures/make/quantized_checkpoints.py [LLAMA_CPP]    (pip install torch==2.15.0 transformers==5.23.0 bitsandbytes==0.50.2
compressed-tensors==0.20.0 gguf==0.19.0)

Rewrites Fixtures/quantized: a tiny random Llama as other programs quantize it (GPTQ, AWQ, FP8 with block scales, compressed-tensors, bitsandbytes),
and golden.safetensors of each: the logits that transformers computes in f32 from the dequantized weights. bitsandbytes quantizes and dequantizes
itself; the packers of compressed-tensors pack. GPTQ, AWQ and FP8 are packed here from their definitions, and with LLAMA_CPP (its source folder), GPTQ, FP8 and
compressed-tensors are also dequantized by its converter (conversion/base.py), and must agree.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(sys.path.pop(0))  # the library named tokenizers comes before the script of that name here

import numpy as np
import torch
import transformers
from safetensors_bytes import Tensor, save

FOLDER = Path(__file__).resolve().parents[1] / "quantized"
WIDTH, INNER, VOCABULARY = 64, 128, 48
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": INNER,
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": VOCABULARY, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 32, "tie_word_embeddings": False, "torch_dtype": "float16", "rope_theta": 10000.0,
}  # fmt: skip
NAMES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.uint8: "U8", torch.int8: "I8", torch.int32: "I32",
    torch.int64: "I64", torch.float8_e4m3fn: "F8_E4M3",
}  # fmt: skip
Weights = dict[str, torch.Tensor]


def stored(values: torch.Tensor) -> Tensor:
    values = values.detach().contiguous()
    return Tensor(NAMES[values.dtype], tuple(values.shape), values.reshape(-1).view(torch.uint8).numpy().tobytes())


def pack(codes: np.ndarray, bits: int, axis: int, order: list[int] | None = None) -> torch.Tensor:
    """Codes into words of 32 bits along an axis: a stream of bits, the first code lowest."""
    codes = np.moveaxis(codes, axis, -1)
    if order:
        codes = codes.reshape(*codes.shape[:-1], -1, len(order))[..., order].reshape(codes.shape)
    streams = ((codes[..., None] >> np.arange(bits)) & 1).reshape(*codes.shape[:-1], -1, 32).astype(np.uint64)
    words = (streams << np.arange(32, dtype=np.uint64)).sum(-1).astype(np.uint32).view(np.int32)
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(words, -1, axis)))


def grouped(weight: torch.Tensor, bits: int, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, torch.Tensor]:
    """Codes [in, out], zero points and scales [groups, out], and what they stand for, [out, in]."""
    inputs = weight.float().numpy().T
    most = 2**bits - 1
    count = groups.max() + 1
    low = np.stack([inputs[groups == g].min(0) for g in range(count)])
    high = np.stack([inputs[groups == g].max(0) for g in range(count)])
    scales = np.maximum((high - low) / most, 1e-4).astype(np.float16)
    zeros = np.clip(np.rint(-low / scales), 1, most).astype(np.int64)
    codes = np.clip(np.rint(inputs / scales[groups]) + zeros[groups], 0, most).astype(np.int64)
    plain = (codes - zeros[groups]).astype(np.float32) * scales[groups].astype(np.float32)
    return codes, zeros, scales, torch.from_numpy(np.ascontiguousarray(plain.T))


def gptq(bits: int, second: bool, shuffled: bool):
    def layer(name: str, weight: torch.Tensor, random: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        groups = np.arange(weight.shape[1]) // 32
        if shuffled:
            random.shuffle(groups)
        codes, zeros, scales, plain = grouped(weight, bits, groups)
        return {
            f"{name}.qweight": pack(codes, bits, 0), f"{name}.qzeros": pack(zeros if second else zeros - 1, bits, 1),
            f"{name}.scales": torch.from_numpy(scales), f"{name}.g_idx": torch.from_numpy(groups.astype(np.int32)),
        }, plain  # fmt: skip

    form = {"checkpoint_format": "gptq_v2"} if second else {"checkpoint_format": "gptq"}
    return {"quant_method": "gptq", "bits": bits, "group_size": 32, "desc_act": shuffled, "sym": False} | form, layer


def awq():
    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        codes, zeros, scales, plain = grouped(weight, 4, np.arange(weight.shape[1]) // 32)
        order = [0, 2, 4, 6, 1, 3, 5, 7]  # AutoAWQ, WQLinear_GEMM.from_linear
        return {
            f"{name}.qweight": pack(codes, 4, 1, order), f"{name}.qzeros": pack(zeros, 4, 1, order),
            f"{name}.scales": torch.from_numpy(scales),
        }, plain  # fmt: skip

    return {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm", "zero_point": True}, layer


def fp8():
    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        block = 40  # does not divide the matrices
        rows, columns = weight.shape
        padded = torch.zeros(-(-rows // block) * block, -(-columns // block) * block)
        padded[:rows, :columns] = weight
        blocks = padded.reshape(padded.shape[0] // block, block, -1, block)
        scales = blocks.abs().amax((1, 3)) / 448
        expanded = scales.repeat_interleave(block, 0).repeat_interleave(block, 1)[:rows, :columns]
        codes = (weight.float() / expanded).to(torch.float8_e4m3fn)
        return {f"{name}.weight": codes, f"{name}.weight_scale_inv": scales}, codes.float() * expanded

    return {"quant_method": "fp8", "weight_block_size": [40, 40], "activation_scheme": "dynamic"}, layer


def packed_tensors(asymmetric: bool):
    from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        codes, zeros, scales, plain = grouped(weight, 4, np.arange(weight.shape[1]) // 32)
        scales = torch.from_numpy(scales.T.copy())
        if not asymmetric:
            inner = weight.float().reshape(weight.shape[0], -1, 32)
            scales = (inner.abs().amax(-1) / 7.5).half()
            signed = (inner / scales.float()[..., None]).round().clamp(-8, 7).reshape(weight.shape)
            plain = (signed.reshape(inner.shape) * scales.float()[..., None]).reshape(weight.shape)
            packed = pack_to_int32(signed.to(torch.int8), 4)
        else:
            packed = pack_to_int32(torch.from_numpy((codes.T - 8).astype(np.int8)), 4)
        layer = {
            f"{name}.weight_packed": packed, f"{name}.weight_scale": scales, f"{name}.weight_shape": torch.tensor(weight.shape),
        }  # fmt: skip
        if asymmetric:
            points = torch.from_numpy((zeros.T - 8).astype(np.int8))
            layer[f"{name}.weight_zero_point"] = pack_to_int32(points, 4, packed_dim=0).contiguous()
        return layer, plain

    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": not asymmetric}
    groups = {"group_0": {"targets": ["Linear"], "weights": weights}}
    return {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": groups, "ignore": ["lm_head"]}, layer


def channels():
    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        scales = (weight.float().abs().amax(1, keepdim=True) / 448).bfloat16()
        codes = (weight.float() / scales.float()).to(torch.float8_e4m3fn)
        return {f"{name}.weight": codes, f"{name}.weight_scale": scales}, codes.float() * scales.float()

    weights = {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}
    groups = {"group_0": {"targets": ["Linear"], "weights": weights}}
    return {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": groups, "ignore": ["lm_head"]}, layer


def four_bits(nested: bool):
    import bitsandbytes.functional as F

    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        codes, state = F.quantize_4bit(weight.float(), blocksize=64, quant_type="nf4", compress_statistics=nested)
        parts = {f"{name}.weight.{key}": value for key, value in state.as_dict(packed=True).items()}
        return {f"{name}.weight": codes} | parts, F.dequantize_4bit(codes, state)

    return {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": nested}, layer


def eight_bits():
    def layer(name: str, weight: torch.Tensor, _: np.random.Generator) -> tuple[Weights, torch.Tensor]:
        largest = weight.float().abs().amax(1)
        codes = (weight.float() * 127 / largest[:, None]).round().to(torch.int8)
        return {f"{name}.weight": codes, f"{name}.SCB": largest}, codes.float() * (largest / 127)[:, None]

    return {"quant_method": "bitsandbytes", "load_in_8bit": True}, layer


FORMS = {
    "gptq": gptq(4, second=False, shuffled=False), "gptq-act-order": gptq(4, second=False, shuffled=True),
    "gptq-v2-8": gptq(8, second=True, shuffled=False), "gptq-2": gptq(2, second=False, shuffled=False),
    "gptq-3": gptq(3, second=False, shuffled=False), "awq": awq(), "fp8": fp8(), "packed": packed_tensors(asymmetric=False),
    "packed-zero-points": packed_tensors(asymmetric=True), "float-quantized": channels(), "nf4": four_bits(nested=False),
    "nf4-nested": four_bits(nested=True), "int8": eight_bits(),
}  # fmt: skip


def model_weights() -> Weights:
    config = transformers.LlamaConfig(**{key: value for key, value in CONFIG.items() if key != "torch_dtype"})
    torch.manual_seed(7)
    model = transformers.LlamaForCausalLM(config)
    return {name: torch.randn(value.shape) * (1 if value.dim() == 1 else value.shape[1] ** -0.5 * 1.5) for name, value in model.state_dict().items()}


def logits_of(weights: Weights, tokens: torch.Tensor) -> torch.Tensor:
    config = transformers.LlamaConfig(**{key: value for key, value in CONFIG.items() if key != "torch_dtype"})
    model = transformers.LlamaForCausalLM._from_config(config, attn_implementation="eager", dtype=torch.float32)
    model.load_state_dict(weights)
    with torch.no_grad():
        return model.eval()(tokens[None], use_cache=False).logits[0]


def check_with_llama_cpp(folder: Path, plain: Weights, source: str) -> None:
    """Its converter's own dequantizing gives the same numbers."""
    sys.path[:0] = [source, f"{source}/gguf-py"]
    from conversion.base import ModelBase

    class Model(ModelBase):
        def __init__(self) -> None:
            self.hparams = json.loads((folder / "config.json").read_text())
            self.lazy, self._is_nvfp4, self._fp8_as_q8 = False, False, False
            from safetensors.torch import load_file

            self.model_tensors = {name: (lambda value=value: value) for name, value in load_file(folder / "model.safetensors").items()}

    model = Model()
    model.dequant_model()
    for name, value in model.model_tensors.items():
        if not torch.allclose(value().float(), plain[name].float(), rtol=1e-6, atol=1e-7):
            raise SystemExit(f"{folder.name}: {name} is other numbers in llama.cpp")


def main() -> None:
    tokens = torch.tensor([1, 5, 47, 9, 5, 30, 2, 11])
    originals = model_weights()
    for form, (config, layer) in FORMS.items():
        random = np.random.default_rng(5)
        stored_weights: Weights = {}
        plain: Weights = {}
        for name, weight in originals.items():
            if name.endswith("_proj.weight"):
                parts, plain[name] = layer(name.removesuffix(".weight"), weight, random)
                stored_weights |= parts
            else:
                stored_weights[name] = weight.half()
                plain[name] = stored_weights[name].float()
        folder = FOLDER / form
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(CONFIG | {"quantization_config": config}, indent=1) + "\n")
        tensors = {name: stored(value) for name, value in stored_weights.items()}
        (folder / "model.safetensors").write_bytes(save(tensors, {"format": "pt"}))
        golden = {"tokens": stored(tokens), "logits": stored(logits_of(plain, tokens))}
        reference = {"reference": f"transformers {transformers.__version__}, of dequantized weights"}
        (folder / "golden.safetensors").write_bytes(save(golden, reference))
        known = config["quant_method"] in ("gptq", "fp8", "compressed-tensors") and config.get("bits") != 3
        if known and len(sys.argv) > 1:
            check_with_llama_cpp(folder, plain, sys.argv[1])
        print(f"{form}: {sum(file.stat().st_size for file in folder.iterdir()) / 1000:.0f} KB" + (", as in llama.cpp" if known and len(sys.argv) > 1 else ""))


if __name__ == "__main__":
    main()
