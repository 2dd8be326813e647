"""Converts a checkpoint on a Ray cluster: one task a part, then `kist join`.

    python -m kist.ray convert ./hf-dir big.kist --workers 8
    python -m kist.ray convert ./hf-dir big.kist --type Q4_K_M --workers 8 -- --imatrix im.gguf
    python -m kist.ray quantize ./hf-dir big.kist --workers 8 --probes -- --types types.json

Each task runs the command with `--part i/n`; source, target and the folder that this is started in lie where all nodes see
them under the same path. Options after `--` go to the command as they are. The file is byte for byte the one that a single
run writes. Types that are chosen for the whole model are chosen before: `kist quantize … --target-size 40GiB --dry-run --json
>types.json`.

What fails is tried again: a part whose worker, node or process died, on any node. A part appears under its name only when it
is complete, so nothing half-done is ever joined, and a run that was stopped goes on with the parts that are there.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

# The types that `kist convert` takes; `kist quantize` takes those that are chosen tensor by tensor.
_PLAIN_TYPES = {"keep", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"}

__all__ = ["Job", "PartError", "convert", "main"]


class PartError(Exception):
    """The command refused: the same would happen again, so the task is not retried."""


class Job(NamedTuple):
    """A conversion, as every task needs to know it."""

    command: str
    verb: str
    source: str
    target: str
    parts: int
    options: tuple[str, ...]
    force: bool
    folder: str
    probes: bool = False

    def path(self, part: int) -> Path:
        """Where the command puts a part."""
        target = Path(self.target)
        return target.with_name(f"{target.stem}-part-{part:05}-of-{self.parts:05}{target.suffix}")


def convert(job: Job, *, workers: int, retries: int = 3, keep_parts: bool = False, quiet: bool = False) -> dict[str, Any]:
    """Runs a conversion on the cluster that Ray is connected to. Gives what `kist join --json` says of the file.

    Args:
        workers: parts that are worked on at once.
        retries: how often a part is tried again when its worker dies.
        keep_parts: leave the parts beside the target.
    """
    say = _Progress(job.parts, quiet)
    nodes = sorted(node["NodeID"] for node in ray.nodes() if node["Alive"])
    task = ray.remote(max_retries=retries, retry_exceptions=[OSError])(_run_part)
    waiting = []
    for part in range(1, job.parts + 1):
        if job.path(part).exists() and not job.force:
            say.kept(job.path(part))
        else:
            waiting.append(part)
    running: dict[Any, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                part = waiting.pop(0)
                running[task.options(**_place(job, part, nodes)).remote(job, part)] = part
            done, _ = ray.wait(list(running), num_returns=1)
            for reference in done:
                part = running.pop(reference)
                say.done(part, ray.get(reference))
    except BaseException:
        for reference in running:
            ray.cancel(reference, force=True)
        raise
    result = ray.get(ray.remote(max_retries=retries)(_join).remote(job))
    if not keep_parts:
        for part in range(1, job.parts + 1):
            job.path(part).unlink(missing_ok=True)
    return dict(result)


def _place(job: Job, part: int, nodes: Sequence[str]) -> dict[str, Any]:
    """Neighbouring parts read the same files, so they go to one node, which then has these in its cache. Soft: a node that
    is busy or gone is no obstacle."""
    if len(nodes) < 2:
        return {}
    node = nodes[(part - 1) * len(nodes) // job.parts]
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True)}


# On the workers.


def _run_part(job: Job, part: int) -> dict[str, Any]:
    start = time.monotonic()
    arguments = [job.verb, job.source, "-o", job.target, "--part", f"{part}/{job.parts}", "--force", *job.options]
    result = _run(job, arguments)
    return {"node": socket.gethostname(), "seconds": time.monotonic() - start, "bytes": result.get("bytes", 0)}


def _join(job: Job) -> dict[str, Any]:
    parts = [str(job.path(part)) for part in range(1, job.parts + 1)]
    # What a source computes takes the whole model: no part can say it.
    probes = ["--probes-of", job.source] if job.probes else []
    return _run(job, ["join", *parts, "-o", job.target, *probes, *(["--force"] if job.force else [])])


def _run(job: Job, arguments: Sequence[str]) -> dict[str, Any]:
    """Runs the command, which ends when this worker does, where options name files as the person does."""
    process = subprocess.run(
        [job.command, *arguments, "--json", "--quiet"],
        cwd=job.folder if os.path.isdir(job.folder) else None,
        capture_output=True, text=True, preexec_fn=_die_with_parent,
    )  # fmt: skip
    if process.returncode == 0:
        return dict(json.loads(process.stdout or "{}"))
    if process.returncode < 0 or process.returncode == 130:  # killed: perhaps for memory; another time it may go well
        raise OSError(f"kist {arguments[0]} was ended by signal {-process.returncode}")
    raise PartError(_message(process.stderr))


def _die_with_parent() -> None:
    """Linux ends the command when the worker is killed: two never write the same part."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _message(text: str) -> str:
    """The command's error, in one line."""
    lines = text.strip().splitlines()
    last = lines[-1] if lines else "the command failed and said nothing"
    try:
        error = json.loads(last)["error"]
    except (ValueError, KeyError, TypeError):
        return lines[0] if lines else last
    told = ": ".join(str(error[key]) for key in ("file", "field", "problem") if key in error)
    return told + (f"; {error['advice']}" if "advice" in error else "")


# On the driver.


class _Progress:
    def __init__(self, parts: int, quiet: bool) -> None:
        self._parts = parts
        self._left = parts
        self._quiet = quiet

    def kept(self, path: Path) -> None:
        self._left -= 1
        self._say(f"{path.name} is there already: kept")

    def done(self, part: int, report: dict[str, Any]) -> None:
        self._left -= 1
        seconds = report["seconds"]
        self._say(f"part {part}/{self._parts}: {report['bytes'] / 1e6:.1f} MB in {seconds:.1f} s on {report['node']}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(f"kist.ray: {text}; {self._left} left", file=sys.stderr, flush=True)


def _find_command(named: str | None) -> str:
    found = named or os.environ.get("KIST_BINARY") or shutil.which("kist")
    if not found:
        raise PartError("there is no kist command on the path: install it on all nodes, or name it with --command")
    return found


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m kist.ray", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("verb", choices=["convert", "quantize"])
    parser.add_argument("source", help="a checkpoint, where all nodes see it")
    parser.add_argument("target", help="the .kist file to write, likewise")
    parser.add_argument("--type", help="what tensors become: f32, f16, bf16 or a quantized type")
    parser.add_argument(
        "--workers", type=int, default=0, help="parts worked on at once; by default one per CPU of the cluster"
    )
    parser.add_argument("--parts", type=int, default=0, help="parts; by default two for each worker")
    parser.add_argument("--retries", type=int, default=3, help="how often a part is tried again (3)")
    parser.add_argument("--address", help="of the cluster; by default the one of RAY_ADDRESS, else one on this machine")
    parser.add_argument("--command", help="the kist command on the nodes; by default that of KIST_BINARY or of the path")
    parser.add_argument("--probes", action="store_true", help="record what the source computes, after the join")
    parser.add_argument("--keep-parts", action="store_true", help="leave the parts beside the target")
    parser.add_argument("--force", action="store_true", help="replace the target, and do parts again that are there")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    own, passed = list(arguments), []
    if "--" in own:
        at = own.index("--")
        own, passed = own[:at], own[at + 1 :]
    options = parser.parse_args(own)
    options.passed = passed
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 could not run, 64 wrong usage."""
    try:
        options = _parse(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as exit:
        return 64 if exit.code else 0
    try:
        result = _start(options)
    except KeyboardInterrupt:
        return 130
    except (PartError, ray.exceptions.RayError, OSError) as error:
        cause = error.cause if isinstance(error, ray.exceptions.RayTaskError) else error
        print(f"kist.ray: {cause}", file=sys.stderr)
        return 2
    print(f"{options.target}: {result.get('tensors', '?')} tensors of {result.get('parts', '?')} parts, "
          f"{result.get('bytes', 0) / 1e6:.1f} MB")  # fmt: skip
    return 0


def _start(options: argparse.Namespace) -> dict[str, Any]:
    command = _find_command(options.command)
    if os.path.exists(options.target) and not options.force:
        raise PartError(f"{options.target}: exists already; choose another name, or --force to replace it")
    if not ray.is_initialized():
        ray.init(address=options.address, logging_level="warning", log_to_driver=False)
    workers = options.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    passed = (*(["--type", options.type] if options.type else []), *options.passed)
    verb = "quantize" if options.type and options.type.lower() not in _PLAIN_TYPES else options.verb
    job = Job(os.path.abspath(command) if os.path.dirname(command) else command, verb, os.path.abspath(options.source), os.path.abspath(options.target),
              options.parts or 2 * workers, passed, options.force, os.getcwd(), options.probes)  # fmt: skip
    return convert(job, workers=workers, retries=options.retries, keep_parts=options.keep_parts, quiet=options.quiet)


if __name__ == "__main__":
    sys.exit(main())
