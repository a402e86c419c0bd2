"""Checkpoints that are damaged: skipped, told of, and kept aside."""

from __future__ import annotations

import json
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentlab.core.errors import CheckpointError
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.checkpoint_format import AgentCheckpoint, sealed
from agentlab.store.checkpoint_stores import (
    BackendCheckpointStore,
    FileCheckpointStore,
)
from agentlab.store.folder import Folder
from agentlab.store.memory import InMemoryPersistenceBackend
from tests.store.test_checkpoint import save, steps


@pytest.mark.parametrize("harm", ["torn", "flipped", "empty", "noise", "future", "swapped"])
def test_a_damaged_file_is_skipped(
    harm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names it, the next older one is given, and its bytes are kept aside.

    A file from the future, and a copy by another name, are left where they are.
    """
    save(CheckpointManager(FileCheckpointStore(tmp_path), 1), 1, 2)
    (path,) = tmp_path.glob("*step2*")
    data = path.read_bytes()
    path.write_bytes({
        "torn": data[:-20], "flipped": data.replace(b"at 2", b"at 3"), "empty": b"",
        "noise": b"\xff\x00" * 30, "future": data.replace(b'"format": 1', b'"format": 9'),
        "swapped": data.replace(b"__step2", b"__step3"),
    }[harm])  # fmt: skip
    harmed = path.read_bytes()
    manager = CheckpointManager(FileCheckpointStore(tmp_path), 1)
    with caplog.at_level(logging.WARNING, "agentlab"):
        latest = manager.load_latest_sync("agent-1")

    assert harmed != data
    assert latest is not None
    assert latest.step == 1
    assert "step2" in caplog.text or harm == "swapped"
    left = harm in {"future", "swapped"}
    aside = [file.read_bytes() for file in (tmp_path / "damaged").glob("*step2*")]
    assert (path.exists(), aside) == (left, [] if left else [harmed])
    assert not left or path.read_bytes() == harmed
    caplog.clear()
    manager.load_latest_sync("agent-1")
    assert not caplog.records  # once is enough
    save(manager, 2)  # which mends it
    latest = manager.load_latest_sync("agent-1")
    assert latest is not None
    assert latest.context == "at 2"


def test_every_flipped_byte_of_a_file_is_found(tmp_path: Path) -> None:
    """What is read is what was written, or nothing; spaces between do not matter."""
    kept = FileCheckpointStore(tmp_path)
    save(CheckpointManager(kept, 1), 7)
    (path,) = tmp_path.glob("*.json")
    whole = path.read_bytes()
    (name,) = kept.list_sync()
    wanted = kept.load_sync(name)
    found = 0
    assert path.stat().st_mode & 0o777 == 0o600
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1
        path.write_bytes(broken)
        try:
            assert kept.load_sync(name) == wanted
        except CheckpointError:
            found += 1

    assert wanted is not None
    assert found > len(whole.split()) * 3
    assert len(list((tmp_path / "damaged").iterdir())) == found
    assert json.loads(whole)["checkpoint"]["agent_id"] == "agent-1"
    assert whole.count(b"\n") > 10


def test_a_store_that_damages_one(caplog: pytest.LogCaptureFixture) -> None:
    """In a store of bytes it is the same: the bytes are kept under another key."""
    inner = InMemoryPersistenceBackend()
    save(CheckpointManager(inner, 1), 1, 2)
    inner.save_sync("checkpoint:agent-1__step2", b"{}")
    latest = CheckpointManager(inner).load_latest_sync("agent-1")

    assert latest is not None
    assert latest.step == 1
    assert "skipped a checkpoint" in caplog.text
    assert inner.keys_sync() == ["checkpoint:agent-1__step1", "damaged:checkpoint:agent-1__step2"]
    assert inner.load_sync("damaged:checkpoint:agent-1__step2") == b"{}"


def test_damage_that_was_just_mended(tmp_path: Path) -> None:
    """What somebody saves while the damaged one is put aside is not put aside with it."""

    class Mended(InMemoryPersistenceBackend):
        async def load(self, key: str, /) -> bytes | None:
            found = self.load_sync(key)
            if found == b"{}":
                whole = sealed("a__step1", AgentCheckpoint("a", 1))
                self.save_sync(key, whole)
            return found

    kept = Mended()
    kept.save_sync("checkpoint:a__step1", b"{}")
    stores = BackendCheckpointStore(kept)
    with pytest.raises(CheckpointError, match="is damaged"):
        stores.load_sync("a__step1")
    assert stores.load_sync("a__step1") == AgentCheckpoint("a", 1)

    files = FileCheckpointStore(tmp_path)
    files.save_sync("a__step1", AgentCheckpoint("a", 1))
    (path,) = tmp_path.glob("*.json")
    whole = path.read_bytes()
    path.write_bytes(b"{}")
    with ThreadPoolExecutor() as pool:
        with Folder(tmp_path).turn(path.name):  # somebody is saving it
            loaded = pool.submit(files.load_sync, "a__step1")
            time.sleep(0.05)
            path.write_bytes(whole)
        assert loaded.result(10) == AgentCheckpoint("a", 1)
    assert not (tmp_path / "damaged").exists()


def test_planted(tmp_path: Path) -> None:
    """A link in a file's place is not followed, and a pipe not waited for."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for plant in (lambda path: path.symlink_to(outside), os.mkfifo):
        save(CheckpointManager(FileCheckpointStore(inside), 1), 1, 2)
        (path,) = inside.glob("*step2*")
        path.rename(outside)
        plant(path)
        manager = CheckpointManager(FileCheckpointStore(inside), 1)
        assert steps(manager) == [1]
        assert not os.path.lexists(path)
        save(manager, 2)
        assert steps(manager) == [1, 2]
