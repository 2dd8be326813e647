"""python3 Fixtures/make/scaling_runs.py    (no dependencies)

Writes Fixtures/training/runs.csv: runs as Chinchilla's law would have them, with the constants that Hoffmann et al. 2022 published and
noise of half a percent.
"""

import random
from pathlib import Path

E, A, ALPHA, B, BETA = 1.69, 406.4, 0.34, 410.7, 0.28

random.seed(1)
rows = ["params,tokens,loss"]
for size in range(10, 20):  # 10^5 to 10^9.5
    for amount in range(14, 23):  # 10^7 to 10^11
        n, d = 10 ** (size / 2), 10 ** (amount / 2)
        loss = (E + A / n**ALPHA + B / d**BETA) * (1 + 0.005 * random.gauss(0, 1))
        rows.append(f"{n:.0f},{d:.0f},{loss:.5f}")
path = Path(__file__).resolve().parents[1] / "training" / "runs.csv"
path.write_text("\n".join(rows) + "\n", encoding="ascii")
