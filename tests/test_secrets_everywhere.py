"""A key appears in no byte that is written, whatever is on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentlab.display import mimebundle
from agentlab.models.scripted import ScriptedModel
from agentlab.recording import record
from agentlab.runtime import AgentRuntime
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.checkpoint_stores import FileCheckpointStore
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.tools.spec import tool

MARK = "7f3a9b1c5d2e"


@pytest.mark.parametrize("key", [f"canary-{MARK}", f"a\"<&>\\'{MARK}", f"sk-{MARK}-{MARK}"])
@pytest.mark.filterwarnings("ignore:a key was about to be recorded")
def test_no_byte_of_a_key(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a store, a journal, a tape, a checkpoint, a page to mail, nor in what a cell shows.

    Not where it is JSON inside JSON, as an observation is, nor where it is escaped for a page.
    """
    if not key.startswith("sk-"):  # that one is known by its look alone
        monkeypatch.setenv("CAVE_API_KEY", key)

    @tool(inline=True)
    def leaks(text: str) -> list[str]:
        """Say it again."""
        return [text, key]

    call = json.dumps({"text": f"my key is {key}"})
    lab = AgentRuntime(
        ScriptedModel(
            f"Thought: {key}\nAction: leaks {call}", f"Thought: {key}\nAction: FINAL_ANSWER {key}"
        ),
        tools=[leaks],
        store=tmp_path / "runs.sqlite",
        sinks=[Journal(tmp_path / "run.jsonl")],
    )
    session = record(lab, tmp_path / "tape.jsonl", mode="record").run_sync(f"What of {key}?")
    manager = CheckpointManager(FileCheckpointStore(tmp_path / "checkpoints"))
    manager.maybe_checkpoint_sync("a", 5, {"key": key}, session.to_dict())
    other = AgentRuntime(ScriptedModel(f"Action: FINAL_ANSWER {key}"),
                         store=FilePersistenceBackend(tmp_path / "files"))  # fmt: skip
    other.run_sync(f"And {key}?")
    session.to_html(tmp_path / "page.html")
    lab.shutdown_sync()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    shown = [*mimebundle(session).values(), *mimebundle(session.trace).values()]

    assert session.final_answer() == key
    assert len(files) >= 7
    assert [path.name for path in files if MARK.encode() in path.read_bytes()] == []
    assert not any(re.search(MARK, text) for text in shown)
