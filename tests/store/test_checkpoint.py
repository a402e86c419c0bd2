"""The newest few checkpoints of an agent, wherever they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CheckpointError, InvalidValue
from agentlab.core.secrets import Secret
from agentlab.memory.working import WorkingMemory
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.checkpoint_format import MemoryEntry
from agentlab.store.checkpoint_stores import (
    BackendCheckpointStore,
    FileCheckpointStore,
    InMemoryCheckpointStore,
)
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend

MEMORY = [MemoryEntry("goal", "find it"), MemoryEntry("seen", [1, {"é": None}])]


class Plain:
    """A user's own, not async."""

    def __init__(self, *_: object) -> None:
        self.kept: dict[str, Any] = {}

    def save(self, name: str, checkpoint: Any) -> None:
        self.kept[name] = checkpoint

    def load(self, name: str) -> Any:
        return self.kept.get(name)

    def list(self) -> list[str]:
        return list(self.kept)

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)


KINDS: dict[str, Callable[[Path], Any]] = {
    "memory": lambda _: InMemoryCheckpointStore(),
    "files": FileCheckpointStore,
    "user": Plain,
    "store": lambda _: InMemoryPersistenceBackend(),
    "file store": FilePersistenceBackend,
    "sqlite": lambda folder: BackendCheckpointStore(SqlitePersistenceBackend(folder / "s.db")),
}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Give each kind of store."""
    return request.param(tmp_path / "kept")


def save(manager: CheckpointManager, *steps: int, agent: str = "agent-1") -> None:
    """Save some steps."""
    for step in steps:
        assert manager.maybe_checkpoint_sync(agent, step, MEMORY, f"at {step}", force=True)


def steps(manager: CheckpointManager) -> list[int]:
    """Name the steps that are there, oldest first."""
    return [row.step for row in manager.refresh_sync()]


def test_w29_1(store: Any) -> None:
    """A step of the interval is saved unasked, and is there again."""
    manager = CheckpointManager(store, 5, 10)

    assert manager.maybe_checkpoint_sync("agent-1", 5, MEMORY, {"turn": "é"}) is True
    latest = manager.load_latest_sync("agent-1")
    assert latest is not None
    assert (latest.agent_id, latest.step, latest.context) == ("agent-1", 5, {"turn": "é"})
    assert latest.memory_snapshot == tuple(MEMORY)
    assert manager.load_latest_sync("nobody") is None


def test_w29_2(store: Any) -> None:
    """Another step is saved only when asked for; step 0 too."""
    manager = CheckpointManager(store, 5, 10)

    assert manager.maybe_checkpoint_sync("agent-1", 3, MEMORY, "") is False
    assert manager.maybe_checkpoint_sync("agent-1", 0, MEMORY, "") is False
    assert manager.checkpoint_count_sync("agent-1") == 0
    assert manager.maybe_checkpoint_sync("agent-1", 3, MEMORY, "", force=True) is True
    assert manager.checkpoint_count_sync("agent-1") == 1


@pytest.mark.parametrize("clock", [FakeClock(), None], ids=["one instant", "real"])
def test_w29_3(store: Any, clock: FakeClock | None) -> None:
    """The oldest go, though all were made in one second, or in one instant."""
    manager = CheckpointManager(store, 1, 3, **({"clock": clock} if clock else {}))
    for step in range(1, 6):
        assert manager.maybe_checkpoint_sync("agent-1", step, MEMORY, "")
    latest = manager.load_latest_sync("agent-1")

    assert manager.checkpoint_count_sync("agent-1") == 3
    assert latest is not None
    assert latest.step == 5
    assert steps(manager) == [3, 4, 5]


def test_w29_4(store: Any) -> None:
    """A new manager finds what another one saved, and takes its rotation up."""
    save(CheckpointManager(store, 1, 3), 1, 2, 5)
    manager = CheckpointManager(store, 1, 3)
    latest = manager.load_latest_sync("agent-1")

    assert latest is not None
    assert latest.step == 5
    save(manager, 6)
    assert steps(manager) == [2, 5, 6]


def test_two_managers_see_each_other(tmp_path: Path) -> None:
    """What one saves the other finds, and what one deletes the other does not miss."""
    one, two = (CheckpointManager(FileCheckpointStore(tmp_path), 1, 2) for _ in range(2))
    save(one, 1)
    save(two, 2)
    assert steps(one) == steps(two) == [1, 2]
    save(two, 3, 4)
    latest = one.load_latest_sync("agent-1")

    assert latest is not None
    assert latest.step == 4
    assert one.checkpoint_count_sync("agent-1") == 2
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_newest_is_what_was_saved_last(store: Any) -> None:
    """Whatever its step; and a step that is saved again replaces the old one, and is new."""
    manager = CheckpointManager(store, 1, 3)
    save(manager, 9, 2, 5)
    assert steps(manager) == [9, 2, 5]
    save(manager, 9)
    assert steps(manager) == [2, 5, 9]
    save(manager, 1)
    assert steps(manager) == [5, 9, 1]


def test_what_was_just_saved_stays() -> None:
    """Also on a clock that stands still, or was put back."""
    clock = FakeClock()
    manager = CheckpointManager(None, 1, 2, clock=clock)
    save(manager, 9, 8, 7)
    assert 7 in steps(manager)
    clock.advance(-3600)
    save(manager, 10)
    latest = manager.load_latest_sync("agent-1")
    assert latest is not None
    assert latest.step == 10


def test_agents_that_look_alike_do_not_collide(tmp_path: Path) -> None:
    """Names of files are readable, safe and distinct; each agent has a rotation of its own."""
    manager = CheckpointManager(FileCheckpointStore(tmp_path), 1, 1)
    agents = ["a/1", "a_1", "A_1", "../../a_1", "ü", "a" * 300, "a__step1", "a"]
    for agent in agents:
        save(manager, 10, agent=agent)
    names = sorted(path.name for path in tmp_path.iterdir() if path.name != ".locks")

    assert len({name.casefold() for name in names}) == len(agents)
    assert any(name.startswith("a_1__step10-") for name in names)
    assert all(name.endswith(".checkpoint.json") and len(name) < 140 for name in names)
    for agent in agents:
        latest = CheckpointManager(FileCheckpointStore(tmp_path)).load_latest_sync(agent)
        assert latest is not None
        assert latest.agent_id == agent


def test_at_a_path(tmp_path: Path) -> None:
    """A manager takes a path, as ``store=`` does, and keeps its checkpoints in SQLite there."""
    for path in (tmp_path / "a.sqlite", str(tmp_path / "b.sqlite")):
        save(CheckpointManager(path, 1), 1, 2)
        assert SqlitePersistenceBackend(path).keys_sync() == [
            f"checkpoint:agent-1__step{n}" for n in (1, 2)
        ]
        assert steps(CheckpointManager(path)) == [1, 2]


def test_what_can_never_be_right() -> None:
    """Each value that is refused is named."""
    for bad in (0, -1, 1.5, True, "5"):
        with pytest.raises(InvalidValue, match="interval_steps must be"):
            CheckpointManager(None, bad)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="max_checkpoints must be"):
            CheckpointManager(None, 1, bad)  # type: ignore[arg-type]
    manager = CheckpointManager()
    with pytest.raises(InvalidValue, match="step must be"):
        manager.maybe_checkpoint_sync("a", -1)
    with pytest.raises(InvalidValue, match="AgentId must not be empty"):
        manager.maybe_checkpoint_sync("", 5)
    with pytest.raises(InvalidValue, match="memory is a WorkingMemory, a mapping"):
        manager.maybe_checkpoint_sync("a", 5, "words")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="checkpoints are kept by"):
        CheckpointManager(object())
    assert (manager.interval_steps, manager.max_checkpoints) == (5, 10)


def test_a_context_that_is_too_large() -> None:
    """10 MB pass, and no byte more."""
    manager = CheckpointManager(interval_steps=1)
    with pytest.raises(CheckpointError, match="the context of 'a' has 10000001 bytes"):
        manager.maybe_checkpoint_sync("a", 1, (), "x" * (10_000_000 - 1))
    assert manager.maybe_checkpoint_sync("a", 1, (), "x" * (10_000_000 - 2))


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The error names the place, and the index does not know it."""
    (tmp_path / "file").write_bytes(b"")
    manager = CheckpointManager(FileCheckpointStore(tmp_path / "file" / "below"), 1)
    with pytest.raises(CheckpointError, match="file"):
        manager.maybe_checkpoint_sync("a", 1)
    assert manager.rows() == []


def test_keys_are_not_written(tmp_path: Path) -> None:
    """Neither known ones nor what looks like one, wherever they are."""
    canary = "canary-5d1f00c0ffee"
    assert Secret(canary).reveal() == canary
    odd = "sk-proj-" + "a1B2" * 6
    memory = {canary: [odd], "k": {"deep": [canary]}}
    for kept in (
        FileCheckpointStore(tmp_path / "a"),
        FilePersistenceBackend(tmp_path / "b"),
        SqlitePersistenceBackend(tmp_path / "c.db"),
    ):
        manager = CheckpointManager(kept, 1)
        assert manager.maybe_checkpoint_sync("a", 1, memory, f"key {canary} and {odd}")
        latest = manager.load_latest_sync("a")
        assert latest is not None
        assert latest.context == "key *** and ***"
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]

    assert len(files) >= 3
    assert not any(canary.encode() in data or odd.encode() in data for data in files)


def test_tasks_at_once(store: Any) -> None:
    """Whoever saves at the same time, the limit holds and what is indexed is there."""

    async def play(manager: CheckpointManager) -> None:
        async with asyncio.TaskGroup() as group:
            for step in range(1, 21):
                group.create_task(manager.maybe_checkpoint("a", step, MEMORY, step))
                group.create_task(manager.maybe_checkpoint("b", step % 4 + 1, MEMORY, step))
                group.create_task(manager.load_latest("a"))

    manager = CheckpointManager(store, 1, 5)
    asyncio.run(play(manager))
    asyncio.run(play(manager))  # on another loop

    assert manager.checkpoint_count_sync("a") == 5
    assert manager.checkpoint_count_sync("b") == 4
    assert CheckpointManager(store).checkpoint_count_sync("a") == 5


def test_rows_and_repr() -> None:
    """What a card needs is there without waiting."""
    manager = CheckpointManager(interval_steps=2, clock=FakeClock())
    save(manager, 4)
    (row,) = manager.rows()

    assert (row.agent, row.step, row.entries, row.context_bytes) == ("agent-1", 4, 2, len('"at 4"'))
    assert row.created_at == FakeClock().now()
    assert repr(manager) == (
        "CheckpointManager(<InMemoryCheckpointStore 1>, interval_steps=2, max_checkpoints=10)"
    )
    assert "agent-1" in manager.to_html()
    assert manager.to_frame()["step"].tolist() == [4]


def pad(**entries: Any) -> WorkingMemory:
    """Give a working memory."""
    made = WorkingMemory(3)
    made.fill(entries.items())
    return made


def test_restore(store: Any) -> None:
    """What an agent had in mind is there again, in its order, whatever is there now."""
    CheckpointManager(store).maybe_checkpoint_sync("a", 5, pad(goal="find", seen=[1]), "here")
    CheckpointManager(store).maybe_checkpoint_sync("b", 5, pad(goal="other"))
    mind = pad(else_="x")
    found = CheckpointManager(store).restore_sync("a", mind)

    assert found is not None
    assert (found.step, found.context) == (5, "here")
    assert mind.entries() == [("goal", "find"), ("seen", "[1]")]
    assert CheckpointManager(store).restore_sync("nobody", mind) is None
    assert mind.keys() == ["goal", "seen"]


def test_a_managers_own_memory() -> None:
    """Is what is kept and restored where nothing else is named; what cannot be there harms none."""
    mind = pad(goal="find", seen="1")
    manager = CheckpointManager(working_memory=mind)
    manager.maybe_checkpoint_sync("a", 5)
    mind.set("goal", "give up")
    manager.restore_sync("a")
    assert mind.entries() == [("goal", "find"), ("seen", "1")]

    manager.maybe_checkpoint_sync("a", 6, {"x": 1, "": 2}, force=True)
    with pytest.raises(InvalidValue, match="empty"):
        manager.restore_sync("a")
    assert mind.keys() == ["goal", "seen"]
    manager.maybe_checkpoint_sync("a", 7, (), force=True)
    manager.restore_sync("a")
    assert mind.keys() == []

    with pytest.raises(InvalidValue, match="needs a WorkingMemory"):
        CheckpointManager().restore_sync("a")
    wrong: Any = {}
    with pytest.raises(InvalidValue, match="WorkingMemory, got"):
        CheckpointManager().restore_sync("a", wrong)
    with pytest.raises(InvalidValue, match="WorkingMemory, got"):
        CheckpointManager(working_memory=wrong)
