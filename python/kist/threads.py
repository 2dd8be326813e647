"""One pool of threads for the process. What it runs is NumPy, zstd, XXH3 and SHA-256, which let go of the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["core_count", "pool", "run_all"]

_pool: ThreadPoolExecutor | None = None


def core_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pool() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(core_count(), thread_name_prefix="kist")
    return _pool


def _forget() -> None:
    """Threads do not survive a fork, so a child (a data loader's worker) starts a pool of its own."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def run_all(jobs: Sequence[Callable[[], None]]) -> None:
    """Runs the jobs and returns when none is left; raises the error of the first job, in order, that has one."""
    if len(jobs) < 2 or core_count() == 1:
        for job in jobs:
            job()
        return
    futures: list[Future[None]] = [pool().submit(job) for job in jobs]
    try:
        for future in futures:
            future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        # A job writes into memory of the caller, so none may outlive this call.
        for future in futures:
            if not future.cancelled():
                future.exception()
        raise
