"""The parent's side of an export: runs `export` in a child process and follows it. Imports no torch."""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from memory.errors import ProviderUnavailableError
from memory.providers.sentence_transformers.exported import PROGRESS
from memory.providers.sentence_transformers.source import PROVIDER, ModelSource

_REPOSITORY = Path(__file__).resolve().parents[3]

Progress = Callable[[str], None]


class Exporter:
    """Runs one export in a child process; `stop` from another thread ends it."""

    def __init__(self, models_dir: Path, *, timeout_s: float) -> None:
        self._models_dir = models_dir
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, source: ModelSource, model: str, progress: Progress) -> None:
        """Export `model`; blocks until it is done.

        Raises:
            ProviderUnavailableError: It failed, took too long or was stopped.
        """
        with self._lock:
            if self._stopped:
                raise ProviderUnavailableError(PROVIDER, "stopped before the model was exported")
            self._child = self._spawn(source, model)
        deadline = threading.Timer(self._timeout_s, self._child.kill)
        deadline.daemon = True
        deadline.start()
        try:
            last = _follow(self._child, progress)
        finally:
            deadline.cancel()
        if self._child.returncode != 0:
            detail = (
                f"the export of {model!r} failed (exit {self._child.returncode}): {' | '.join(last) or 'no output'}"
            )
            raise ProviderUnavailableError(PROVIDER, detail)

    def stop(self) -> None:
        """End a running export and allow no other; what it had written is cleaned up by the next one."""
        with self._lock:
            self._stopped = True
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()

    def _spawn(self, source: ModelSource, model: str) -> subprocess.Popen[str]:
        module = "memory.providers.sentence_transformers.export"
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module; the model is an argument, no shell
            [sys.executable, "-P", "-m", module, model, str(self._models_dir)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_child_environment(os.environ, offline=source.offline),
        )


def _follow(child: subprocess.Popen[str], progress: Progress) -> list[str]:
    """Pass progress on until the child ends; return the last other lines it wrote."""
    last: deque[str] = deque(maxlen=3)
    with child:
        for line in child.stdout or ():
            if line.startswith(PROGRESS):
                progress(line.removeprefix(PROGRESS).strip())
            elif line.strip():
                last.append(line.strip()[:200])
    return list(last)


def _child_environment(environment: Mapping[str, str], *, offline: bool) -> dict[str, str]:
    """Return the child's environment: this very checkout, no telemetry, and no network unless the hub was asked for."""
    paths = [str(_REPOSITORY), *filter(None, [environment.get("PYTHONPATH")])]
    child = {
        **environment,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLEPROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return {**child, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"} if offline else child
