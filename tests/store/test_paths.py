"""Whatever takes a path says at once what is wrong with it, and stays where it was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.events import Warned
from agentlab.core.trace import Trace
from agentlab.store.checkpoint_format import AgentCheckpoint
from agentlab.store.checkpoint_stores import FileCheckpointStore
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.store.sqlite import SqlitePersistenceBackend


@pytest.mark.parametrize("path", ["", None, 3, b"bytes", "nul\0byte", "~nobody-of-that-name/x"])
@pytest.mark.parametrize(
    "make", [FilePersistenceBackend, SqlitePersistenceBackend, FileCheckpointStore, Journal, load]
)
def test_no_path(make: Callable[[Any], object], path: Any) -> None:
    """Whatever takes a path says so at once when it gets something else."""
    with pytest.raises(InvalidValue, match="must be a path, got"):
        make(path)


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    """A file where plain files are to be kept is told at once, or when it came later."""
    folder = tmp_path / "kept"
    store = FilePersistenceBackend(folder)
    folder.touch()

    with pytest.raises(InvalidValue, match="must be a folder, got the file"):
        FilePersistenceBackend(folder)
    for work in (lambda: store.save_sync("k", b"v"), lambda: store.load_sync("k"), store.keys_sync):
        with pytest.raises(PersistenceError, match="choose a folder, not a file"):
            work()


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given a relative path stays there when the process goes elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    kept = (FilePersistenceBackend("a"), SqlitePersistenceBackend("b"))
    checkpoints, journal = FileCheckpointStore("c"), Journal("d.jsonl")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for store in kept:
        store.save_sync("k", b"v")
    checkpoints.save_sync("a__step1", AgentCheckpoint("a", 1))
    Trace(journal).emit(Warned("how odd"), run="r")
    journal.close()

    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert {"a", "b", "c", "d.jsonl"} <= {path.name for path in tmp_path.iterdir()}
    assert len(load(tmp_path / "d.jsonl").entries) == 1
