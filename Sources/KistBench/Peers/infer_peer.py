"""transformers' prefill of 512 tokens: python infer_peer.py FOLDER THREADS RUNS. Prints tokens a second in f32 and bf16 as JSON."""
import json
import sys
import time

import torch
import transformers

folder, threads, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
tokens = torch.arange(5, 517)[None]
result = {}
for name, dtype in {"f32": torch.float32, "bf16": torch.bfloat16}.items():
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    with torch.no_grad():
        model(tokens)
        best = float("inf")
        for _ in range(runs):
            start = time.perf_counter()
            model(tokens)
            best = min(best, time.perf_counter() - start)
    result[name] = tokens.shape[1] / best
print(json.dumps(result))
