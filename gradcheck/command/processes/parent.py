"""Worker processes, seen from the command: ask, wait no longer than the limit, kill, start again.

The command's own process imports none of the checked code. A worker handles one subject after another; one
that hangs or dies takes only the subject with it that it was at.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gradcheck.command.processes import sandbox, seal

if TYPE_CHECKING:
    from gradcheck.command.processes.child import Trust

STARTUP_SECONDS = 60.0
"""How long Python, NumPy and gradcheck may take to start; a slow disk is no fault of the subject's."""

# The most bytes that are kept of what a process prints.
PRINTED = 2**16

_ROOT = str(Path(__file__).resolve().parents[3])

# gradcheck and what it needs are imported before the current folder is looked at: a gradcheck/ or a random.py
# in there must not be taken for ours.
_PROGRAM = (
    "import os, sys; rest = lambda path: [entry for entry in path if os.path.realpath(entry) != os.getcwd()]; "
    "sys.path[:] = rest(sys.path); import json; path = json.loads(sys.argv[1]); "
    "sys.path[:] = [sys.argv[2], *rest(path)]; "
    "from gradcheck.command.processes.child import serve; import collections; "
    "collections.deque(serve(path, sys.argv[3]), maxlen=0)"
)

_SETTINGS = {
    # One thread each: the workers are the parallelism, and sums then come out the same every time.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Sets iterate in the same order in every run.
    "PYTHONHASHSEED": "0",
    # A module that plots on import must not wait for a window, nor one that logs for a login.
    "MPLBACKEND": "Agg",
    "WANDB_MODE": "disabled",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@dataclass(frozen=True)
class Apart:
    """How somebody else's code is run: what it is told of the user (`environment`), how far it is believed, and the
    only folder that it can write into (`""`: there is no sandbox here).
    """

    environment: Mapping[str, str]
    trust: Trust
    sandbox: str = ""


class Died(Exception):
    """The worker hung or ended; the message says how. `at` is the module that it was importing, if it was."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.at = at


class Untrusted(Died):
    """The checked code has put something of its own in the place of gradcheck, or of what gradcheck answers."""


class Worker:
    """One worker process that works in `folder` with `path` as its `sys.path`, started at once, restarted at need.

    What is imported from another folder than before gets a new process: both may have a `core.py`.
    """

    def __init__(self, path: list[str], folder: str | None = None, apart: Apart | None = None) -> None:
        self._path, self._folder, self._apart = path, folder or os.getcwd(), apart
        self._lock = threading.Lock()
        self._closed = False
        self._imports_from = ""
        self._start()

    def _start(self) -> None:
        apart = self._apart or Apart(os.environ, "own")
        environment = {**_SETTINGS, **apart.environment, "PYTHONUNBUFFERED": "1"}
        around = sandbox.inside(apart.sandbox, [*self._path, _ROOT]) if apart.sandbox else []
        key = secrets.token_bytes(seal.KEY)
        self._process = subprocess.Popen(
            [*around, sys.executable, "-P", "-c", _PROGRAM, json.dumps(self._path), _ROOT, apart.trust],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env=environment,
            start_new_session=True,  # so that whatever the subject starts can be ended with it
        )
        self._opened = seal.opening(key)
        self._write(key)
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._printed = bytearray()
        self._ready = False
        threading.Thread(target=_collect, args=(self._process.stdout, self._answers), daemon=True).start()
        self._listener = threading.Thread(target=_remember, args=(self._process.stderr, self._printed), daemon=True)
        self._listener.start()

    def ask(
        self, task: dict[str, Any], limit: float, progress: Callable[[str], None] = lambda text: None, spare: float = 0
    ) -> dict[str, Any]:
        """Return the answer to a task; `Died` if none comes in `limit` seconds, and the next task finds a new worker.

        `spare`: so many seconds later, where the worker itself stops after the limit and says what it has found.
        """
        with self._lock:
            if self._closed:
                raise Died("interrupted")
            imports_from = task["folder"] or self._folder
            if self._process.poll() is not None:
                self._hang_up()
                self._start()
            elif self._imports_from not in ("", imports_from):
                self._kill()
                self._start()
            self._imports_from = imports_from
        if not self._ready:
            self._wait_until_ready()
        at, far = "", ""
        end = time.monotonic() + limit + spare
        self._write(json.dumps(task).encode() + b"\n")
        while True:
            answer = self._next(end - time.monotonic(), at, limit, far)
            if "at" in answer:
                at = str(answer["at"])
            elif "progress" in answer:
                at, far = "", str(answer["progress"])
                progress(far)
            elif "replaced" in answer:
                self._kill()
                raise Untrusted(f"it cannot be trusted: its code replaced {answer['replaced']}", at)
            else:
                return answer

    def _wait_until_ready(self) -> None:
        try:
            self._ready = "ready" in self._next(STARTUP_SECONDS, "", STARTUP_SECONDS)
        except Died as died:
            if self._closed:
                raise
            said = self._printed.decode("utf-8", "replace")
            raise RuntimeError(f"a worker process did not start: {died}\n{said}") from died

    def _write(self, content: bytes) -> None:
        assert self._process.stdin is not None
        # A worker that has just died is noticed by the end of its answers.
        with contextlib.suppress(OSError):
            self._process.stdin.write(content)
            self._process.stdin.flush()

    def _next(self, wait: float, at: str, limit: float, far: str = "") -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=max(wait, 0.0))
        except queue.Empty:
            self._kill()
            where = f", at “{far}”" if far else ""
            raise Died(f"it did not finish within {limit:g} s (time limit){where}", at) from None
        if line is None:
            self._wait()
            self._listener.join(timeout=1.0)
            code = self._process.returncode
            how = sandbox.status(code) if self._apart is not None and self._apart.sandbox else code
            raise Died(_ended(how, bytes(self._printed)), at)
        answer = self._read(line)
        if answer is None:
            self._kill()
            raise Untrusted("it cannot be trusted: its code wrote into the pipe that gradcheck listens to", at)
        return answer

    def _read(self, line: bytes) -> dict[str, Any] | None:
        """An answer, or how far it is, which needs no seal and decides nothing; None for anything else."""
        told = line.startswith(b"{")
        try:
            answer = json.loads(line if told else self._opened(line) or b"null")
        except ValueError:
            return None
        is_answer = isinstance(answer, dict) and (not told or answer.keys() in ({"at"}, {"progress"}))
        return answer if is_answer else None

    def _wait(self) -> None:
        """Wait for a process that has closed its answers, so that its own exit status is seen; then kill the rest."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2.0)
        self._kill()

    def _kill(self) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # what could not be sent any more
                self._process.stdin.close()

    def close(self) -> None:
        """End the process, and let nobody start it again."""
        with self._lock:
            self._closed = True
            self._kill()


# Each thread closes its own stream, at its end: closing it elsewhere would wait for a read that may never return,
# since a process that the subject started can hold the pipe open.
def _collect(stream: IO[bytes], answers: queue.SimpleQueue[bytes | None]) -> None:
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(None)


def _remember(stream: IO[bytes], printed: bytearray) -> None:
    """Keep the end of what a process prints: Python's fault handler writes in pieces of a few letters."""
    with stream:
        while chunk := os.read(stream.fileno(), 4096):
            printed += chunk
            del printed[:-PRINTED]


def _ended(status: int, printed: bytes) -> str:
    """Say how a process ended, and where, if Python's fault handler could still write that down."""
    text = printed.decode("utf-8", "replace")
    where = re.findall(r'File "([^"]+)", line (\d+) in (\S+)', text.rpartition("Fatal Python error")[2])
    place = f" in {where[0][2]} ({where[0][0]}, line {where[0][1]})" if where and "Fatal Python error" in text else ""
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"it crashed the process ({name}){place}"
    return f"it ended the process with exit status {status}{place}"
