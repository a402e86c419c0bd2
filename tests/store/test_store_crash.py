"""Processes that are killed while they write lose nothing that was safe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentlab.store.file import FilePersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend

ROUNDS = os.environ.get("AGENTLAB_FAULTS", "50")
HERE = Path(__file__).parent
ENV = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
BETWEEN_WRITE_AND_RENAME = """
import os, signal, sys
from agentlab.store.file import FilePersistenceBackend
store = FilePersistenceBackend(sys.argv[1])
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
store.save_sync("k", b"new" * 5000)
"""
BEFORE_THE_COMMIT = """
import os, signal, sys
from agentlab.core.clock import SystemClock
from agentlab.store.sqlite import SqlitePersistenceBackend
class Clock(SystemClock):
    calls = 0
    def now(self):
        self.calls += 1
        if self.calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().now()
store = SqlitePersistenceBackend(sys.argv[1] + "/kept.sqlite", clock=Clock())
store.batch_save_sync({"k": b"new" * 5000, "later": b"1"})
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL here")


def killed(code: str, folder: Path) -> None:
    """Run ``code``, which kills itself."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", code, str(folder)], env=ENV, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_w28_5(tmp_path: Path) -> None:
    """A process that dies between the write and the rename leaves the old value readable."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"old")

    killed(BETWEEN_WRITE_AND_RENAME, tmp_path)

    (left,) = tmp_path.glob(".*.tmp")
    assert left.stat().st_size > 15_000
    assert FilePersistenceBackend(tmp_path).load_sync("k") == b"old"
    assert FilePersistenceBackend(tmp_path).keys_sync() == ["k"]


def test_w28_5_sqlite(tmp_path: Path) -> None:
    """A process that dies before the commit has saved none of a batch."""
    store = SqlitePersistenceBackend(tmp_path / "kept.sqlite")
    store.save_sync("k", b"old")

    killed(BEFORE_THE_COMMIT, tmp_path)

    assert store.load_sync("k") == b"old"
    assert SqlitePersistenceBackend(tmp_path / "kept.sqlite").keys_sync() == ["k"]


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_killed_at_any_moment(tmp_path: Path, kind: str) -> None:
    """Whenever a writer is killed, every value is whole and what was safe is there."""
    campaign = [
        sys.executable,
        str(HERE / "campaign.py"),
        kind,
        str(tmp_path / "disk"),
        ROUNDS,
        "28",
    ]
    done = subprocess.run(campaign, env=ENV, check=False, capture_output=True, text=True)  # noqa: S603

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rounds"] == int(ROUNDS)
    assert told["safe"] > told["rounds"] // 2
