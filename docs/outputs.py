"""python3 docs/outputs.py KIST [FILE…]

Runs the commands of the console blocks in docs/mathematics.md (or other files) again, in the repository's folder, and writes
what they print below them: a line that begins with `$ ` is a command, what follows up to the next is its output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent


def run(command: str, kist: Path) -> str:
    environment = os.environ | {"PATH": f"{kist.parent}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "110"}
    done = subprocess.run(["sh", "-c", command], cwd=DOCS.parent, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout


def refreshed(block: re.Match[str], kist: Path) -> str:
    commands = [line[2:] for line in block.group(1).splitlines() if line.startswith("$ ")]
    parts = [f"$ {command}\n{run(command, kist)}" for command in commands]
    return "```console\n" + "\n".join(parts) + "```"


def main() -> None:
    kist = Path(sys.argv[1]).resolve()
    for path in map(Path, sys.argv[2:] or [DOCS / "mathematics.md"]):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"```console\n(.*?)```", lambda block: refreshed(block, kist), text, flags=re.S), encoding="utf-8")


if __name__ == "__main__":
    main()
