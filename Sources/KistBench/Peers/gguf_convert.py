"""llama.cpp's converter as a user runs it, on a model whose vocabulary it can't know.

    python gguf_convert.py LLAMA.CPP MODEL OUTPUT
"""

import runpy
import sys

llama, model, output = sys.argv[1:]
sys.path[:0] = [llama, llama + "/gguf-py"]

from conversion.base import TextModel  # noqa: E402

# It tells pre-tokenizers by a digest of what a known vocabulary gives.
TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
sys.argv = ["convert_hf_to_gguf.py", model, "--outfile", output, "--outtype", "bf16"]
runpy.run_path(llama + "/convert_hf_to_gguf.py", run_name="__main__")
