"""`--scheduler ADDRESS`: folders and components are handed to the workers of a Dask cluster.

A worker does what a thread of the command does otherwise: it starts child processes of its own, with the same limits.
It has to see the folders under the same paths, those of the copies (`TMPDIR`) included, and to have this gradcheck.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from gradcheck import __version__
from gradcheck.errors import UsageError

# Seconds until a scheduler has to answer.
PATIENCE = 10


class Cluster(Executor):
    """The workers of a Dask scheduler. Raises UsageError where they cannot be used.

    `no_sandbox`: why one of them has no sandbox for folders.
    """

    def __init__(self, address: str) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError:
            raise UsageError("--scheduler needs Dask: pip install distributed") from None
        try:
            self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"expected a Dask scheduler at {address!r}, as in tcp://10.0.0.1:8786: {error}") from error
        self._tasks = self._client.get_executor(pure=False)
        found: dict[str, tuple[str, str]] = self._client.run(_version_and_sandbox)
        others = {who: version for who, (version, _) in found.items() if version != __version__}
        self.no_sandbox = next((f"{why} (on {who})" for who, (_, why) in found.items() if why), "")
        if not found or others:
            self.shutdown()
            who = next((f"{worker} has {one or 'none'}" for worker, one in others.items()), "there are no workers")
            raise UsageError(f"expected workers with gradcheck {__version__} at {address}, but {who}")

    def submit(self, work: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        """Have `work(*args, **keywords)` done by whichever worker is free."""
        future: Future[Any] = self._tasks.submit(work, *args, **keywords)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; what nobody waits for is given up there."""
        self._tasks.shutdown(wait=wait and not cancel_futures)
        self._client.close()


def _version_and_sandbox() -> tuple[str, str]:
    """The version of gradcheck that a worker has, "" for none; and why it has no sandbox for folders."""
    try:
        from gradcheck import __version__ as version
        from gradcheck.command.processes import sandbox
    except ImportError:
        return "", ""
    return version, sandbox.why_not()
