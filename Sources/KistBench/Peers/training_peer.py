"""PyTorch's training step: python training_peer.py CONFIG THREADS RUNS. Prints the least seconds of a step in f32 as JSON."""
import json
import sys
import time

import torch
import transformers

path, threads, runs = sys.argv[1], int(sys.argv[2]), max(10, int(sys.argv[3]))
torch.set_num_threads(threads)
torch.manual_seed(1)
best = float("inf")
for attention in ["eager", "sdpa"]:  # whichever is faster
    config = transformers.LlamaConfig(**json.load(open(path)), attn_implementation=attention)
    model = transformers.LlamaForCausalLM(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    batch = torch.randint(1024, (4, 257))
    for _ in range(runs):
        start = time.perf_counter()
        logits = model(batch[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        best = min(best, time.perf_counter() - start)
print(json.dumps({"seconds": best}))
