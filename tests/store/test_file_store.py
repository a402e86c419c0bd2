"""The store of plain files: names, rights, links, locks and what dead writers leave."""

from __future__ import annotations

import logging
import os
import stat
import string
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import DamagedRecord, NewerFormat, PersistenceError
from agentlab.core.files import opened, replacing, tidy
from agentlab.store import folder as module
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.names import is_name, name_of, readable
from tests.store.contract import ODD_KEYS

FORBIDDEN = set('/\\:*?"<>|') | {chr(code) for code in range(32)} | {"\x7f"}


def only(folder: Path) -> Path:
    """Give the one value's file."""
    (path,) = folder.glob("*.bin")
    return path


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_names(key: str) -> None:
    """Whatever the key, its file name is one that every system takes, hash at its end."""
    name = name_of(key)

    assert is_name(name)
    assert not set(name) & FORBIDDEN
    assert name.isprintable()
    assert not name.startswith(".")
    assert len(name.encode()) + len("..12345678.tmp") <= 143
    prefix, digest = name[:-21], name[-20:-4]
    assert name[-21] == "-"
    assert set(digest) <= set(string.hexdigits.lower())
    assert len(prefix) <= 80
    assert prefix.split(".")[0].strip().upper() not in {"CON", "NUL", "AUX", "PRN", "COM1", "LPT9"}


def test_what_names_show() -> None:
    """A name can be read, and what could mislead is a line."""
    shown = {
        key: readable(key) for key in ("session:1", "..", "CON", "nul.txt", "CONTROL", "a\u202eb")
    }

    assert shown == {
        "session:1": "session_1", "..": "__", "CON": "_", "nul.txt": "_.txt",
        "CONTROL": "CONTROL", "a\u202eb": "a_b",
    }  # fmt: skip


def test_case_folding_twins() -> None:
    """Keys that differ in case alone have names that differ in more."""
    assert name_of("Key").casefold() != name_of("key").casefold()


def test_nothing_leaves_the_folder(tmp_path: Path) -> None:
    """Every odd key is a file in the folder, and nothing is anywhere else."""
    folder = tmp_path / "in" / "kept"
    store = FilePersistenceBackend(folder)

    for key in ODD_KEYS:
        store.save_sync(key, key.encode())

    assert {path.name for path in folder.iterdir() if path.is_file()} == {*map(name_of, ODD_KEYS)}
    assert [*tmp_path.iterdir()] == [tmp_path / "in"]
    assert [*(tmp_path / "in").iterdir()] == [folder]


def test_rights(tmp_path: Path) -> None:
    """Nobody else can read a folder or a file that the store makes."""
    store = FilePersistenceBackend(tmp_path / "kept")
    store.save_sync("k", b"v")
    only(tmp_path / "kept").write_bytes(b"?")
    with pytest.raises(DamagedRecord):
        store.load_sync("k")
    store.save_sync("k", b"v")

    for path in [tmp_path / "kept", *(tmp_path / "kept").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600) or path.parent.name == "damaged", path


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    """A store that holds nothing leaves no trace, however it is asked."""
    store = FilePersistenceBackend(tmp_path / "kept")

    assert store.load_sync("k") is None
    assert store.batch_load_sync(["a", "b"]) == [None, None]
    assert store.keys_sync() == []
    assert store.rows_sync() == store.listing() == []
    assert store.stats_sync().count == store.version_sync("k") == 0
    store.delete_sync("k")
    assert not (tmp_path / "kept").exists()


def test_a_file_can_be_read_by_others(tmp_path: Path) -> None:
    """A value follows its head, one line of JSON, as it is."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("a:b", b"\x00value\n")

    head, _, value = only(tmp_path).read_bytes().partition(b"\n")

    assert value == b"\x00value\n"
    assert b'"key":"a:b","kind":"agentlab value"' in head
    assert b'"format":1' in head


@pytest.mark.parametrize("what", ["link to a file", "link to nothing", "folder", "pipe"])
def test_planted(tmp_path: Path, what: str) -> None:
    """Something else in a file's place is damage, not a way out."""
    folder, secret = tmp_path / "kept", tmp_path / "secret"
    store = FilePersistenceBackend(folder)
    store.save_sync("k", b"v")
    path = only(folder)
    secret.write_bytes(path.read_bytes())
    plants: dict[str, Callable[[], object]] = {
        "link to a file": lambda: path.symlink_to(secret),
        "link to nothing": lambda: path.symlink_to(tmp_path / "none"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
    }
    plant = plants[what]

    path.unlink()
    plant()
    assert store.rows_sync() == []
    with pytest.raises(DamagedRecord, match="it is a link or a device"):
        store.load_sync("k")
    assert store.load_sync("k") is None
    plant()
    store.save_sync("k", b"new")
    assert store.load_sync("k") == b"new"
    assert secret.read_bytes().endswith(b"\nv")
    assert not (tmp_path / "none").exists()
    assert store.stats_sync().damaged == 2


@pytest.mark.parametrize("what", ["damaged", ".locks", ".locks/*.lock"])
def test_links_beside(tmp_path: Path, what: str) -> None:
    """A link where the store keeps its own things is refused, with its path."""
    folder, other = tmp_path / "kept", tmp_path / "other"
    store = FilePersistenceBackend(folder)
    store.save_sync("k", b"v")
    other.mkdir()
    if "*" in what:
        (lock,) = folder.glob(what)
        lock.unlink()
        lock.symlink_to(other / "out")
    else:
        if (folder / what).exists():
            (folder / what).rename(tmp_path / "away")
        (folder / what).symlink_to(other)
    only(folder).write_bytes(b"?")

    with pytest.raises(PersistenceError, match="leads elsewhere"):
        FilePersistenceBackend(folder).load_sync("k")
    assert [*other.iterdir()] == []


def test_a_file_of_another_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was copied over another is noticed, listed under no key, and put aside."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("a", b"1")
    (tmp_path / name_of("b")).write_bytes(only(tmp_path).read_bytes())
    store = FilePersistenceBackend(tmp_path)

    with caplog.at_level(logging.WARNING, "agentlab.store"):
        assert store.keys_sync() == ["a"]
    assert "named for another key" in caplog.text
    with pytest.raises(DamagedRecord, match="it belongs to the key 'a'"):
        store.load_sync("b")
    assert store.load_sync("a") == b"1"


def test_saving_over_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A save over a damaged file succeeds, and what was there is kept aside and told."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"1")
    only(tmp_path).write_bytes(b"rubbish")

    with caplog.at_level(logging.WARNING, "agentlab.store"):
        store.save_sync("k", b"2")

    assert "is damaged: its head is damaged; its bytes now lie at" in caplog.text
    assert (store.load_sync("k"), store.version_sync("k")) == (b"2", 1)
    assert [path.read_bytes() for path in (tmp_path / "damaged").iterdir()] == [b"rubbish"]


def test_an_update_of_damage(tmp_path: Path) -> None:
    """An update of a damaged value raises and calls no change."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"1")
    only(tmp_path).write_bytes(b"rubbish")

    with pytest.raises(DamagedRecord):
        store.update_sync("k", lambda *_: pytest.fail("it was called"))
    assert store.update_sync("k", lambda old, _: b"first" if old is None else b"") == b"first"


def test_a_newer_format(tmp_path: Path) -> None:
    """A file from the future is neither read nor overwritten nor moved."""
    from agentlab.core.lines import frame

    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"1")
    newer = frame(b'{"format":2,"kind":"agentlab value","new":true}') + b"?"
    only(tmp_path).write_bytes(newer)

    for act in (
        lambda: store.load_sync("k"),
        lambda: store.save_sync("k", b"2"),
        lambda: store.update_sync("k", lambda *_: b"2"),
    ):
        with pytest.raises(NewerFormat, match="has format 2, newer than 1: update agentlab"):
            act()  # type: ignore[no-untyped-call]
    assert only(tmp_path).read_bytes() == newer
    store.delete_sync("k")
    assert store.keys_sync() == []


def test_what_dead_writers_left(tmp_path: Path) -> None:
    """Unfinished files are never keys; old ones go when a store opens, young ones stay."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"v")
    name = only(tmp_path).name
    young, old = tmp_path / f".{name}.00000001.tmp", tmp_path / f".{name}.00000002.tmp"
    for path in (young, old):
        path.write_bytes(b"half")
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    (tmp_path / "notes.txt").write_text("mine")

    assert FilePersistenceBackend(tmp_path).keys_sync() == ["k"]
    assert (young.exists(), old.exists()) == (True, False)
    assert (tmp_path / "notes.txt").exists()


def test_a_lock_that_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process does not let go, a save ends with an error that may pass."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", b"old")
    monkeypatch.setattr(module, "LOCK_S", 0.05)
    (lock,) = (tmp_path / ".locks").iterdir()

    with (
        FileLock(lock),
        pytest.raises(PersistenceError, match=r"another process has held its lock") as caught,
    ):
        store.save_sync("k", b"new")

    assert caught.value.kind == "transient"
    assert store.load_sync("k") == b"old"
    store.save_sync("k", b"new")
    assert store.load_sync("k") == b"new"


@pytest.mark.parametrize("sync", [True, False])
def test_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sync: bool) -> None:
    """A save waits for the disk twice, for the file and for its name; without sync, never."""
    calls: list[int] = []
    real = os.fsync
    store = FilePersistenceBackend(tmp_path, sync=sync)
    store.save_sync("k", b"1")

    def counted(handle: int) -> None:
        calls.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", counted)

    store.save_sync("k", b"2")
    saved = len(calls)
    store.delete_sync("k")

    assert (saved, len(calls)) == ((2, 3) if sync else (0, 0))


def test_replacing_keeps_to_the_users_rights(tmp_path: Path) -> None:
    """A file for everybody gets the rights of the user's new files, a private one no others."""
    before = os.umask(0o022)
    try:
        for name, mode in (("public", 0o666), ("private", 0o600)):
            with replacing(tmp_path / name, mode) as file:
                file.write(b"x")
    finally:
        os.umask(before)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("public", "private")]
    assert modes == [0o644, 0o600]


def test_replacing_that_fails(tmp_path: Path) -> None:
    """What is half written when something fails is gone, and the old file is there."""
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def half() -> None:
        with replacing(target) as file:
            file.write(b"new")
            raise LookupError

    with pytest.raises(LookupError):
        half()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_bytes() == b"old"


def test_tidy_and_opened(tmp_path: Path) -> None:
    """Tidying a folder that is not there is no error; a link is not opened."""
    tidy(tmp_path / "none")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(OSError, match="it is a link"):
        opened(tmp_path / "link")
    with opened(tmp_path / "file") as file:
        assert file.read() == b"x"
