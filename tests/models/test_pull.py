"""Fetching a model: what is there at the end is whole and right, or it is not there."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import pytest

from agentlab.core.errors import (
    AgentLabError,
    InvalidValue,
    NotConfigured,
    PersistenceError,
    ProviderError,
)
from agentlab.models import fetch
from agentlab.models.catalogue import look_up
from agentlab.models.files import join
from agentlab.models.pull import at_hand, pull
from tests.models.shelf import BODY, Shelf, serving

SHA256 = hashlib.sha256(BODY).hexdigest()
MIDDLE = 500_000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache."""
    monkeypatch.setenv("AGENTLAB_CACHE", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """Serve a file."""
    with serving(Shelf()) as shelf:
        yield shelf


def names(folder: Path) -> list[str]:
    """Name what is in a folder, without the digest of the address."""
    return sorted(path.name.replace(path.name.split(".")[1], "*") for path in folder.iterdir())


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_whole_file(shelf: Shelf, cache: Path) -> None:
    """It comes, alone; and is not fetched again while it is right."""
    path = pull(shelf.url(), sha256=SHA256.upper())

    assert path.read_bytes() == BODY
    assert names(cache) == ["tiny.*.gguf"]
    assert pull(shelf.url(), sha256=SHA256) == pull(shelf.url()) == path
    assert shelf.asked == [None]
    assert at_hand(look_up(path.stem)) == at_hand(look_up(shelf.url())) == path


def test_a_cut_is_mended_at_once(shelf: Shelf) -> None:
    """Where the connection breaks, only the rest is asked for, as long as it gets further."""
    shelf.cuts = [MIDDLE, MIDDLE]

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert len(shelf.asked) == 3
    starts = [int(str(asked)[6:-1]) for asked in shelf.asked[1:]]
    assert 0 < starts[0] < starts[1] <= 2 * MIDDLE


def test_the_next_try_goes_on(shelf: Shelf, cache: Path) -> None:
    """What had come before the error is kept, and is not fetched again."""
    shelf.cuts = [MIDDLE, 0]
    with pytest.raises(ProviderError, match=r"262144 bytes are kept, and the next try goes on"):
        pull(shelf.url())
    assert names(cache) == ["tiny.*.gguf.part", "tiny.*.gguf.part.json"]

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert shelf.asked == [None, "bytes=262144-", "bytes=262144-"]
    assert names(cache) == ["tiny.*.gguf"]


def test_a_date_will_do(shelf: Shelf) -> None:
    """A server without a strong tag is asked for the rest by the date of the file."""
    shelf.etag, shelf.modified, shelf.cuts = 'W/"weak"', "Wed, 21 Oct 2015 07:28:00 GMT", [MIDDLE]

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert shelf.asked == [None, "bytes=262144-"]


@pytest.mark.parametrize("change", [{"ranges": False}, {"etag": ""}])
def test_a_server_that_gives_no_parts(shelf: Shelf, change: dict[str, object]) -> None:
    """The file comes again from its beginning, whole."""
    vars(shelf).update(change, cuts=[MIDDLE])

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert len(shelf.asked) == 2


def test_a_file_that_changed_between_two_tries(shelf: Shelf) -> None:
    """Halves of two different files are never joined."""
    shelf.cuts = [MIDDLE, 0]
    with pytest.raises(ProviderError):
        pull(shelf.url())
    shelf.body, shelf.etag = BODY[::-1].replace(b"FUGG", b"GGUF") + b"new", '"two"'
    shelf.body = b"GGUF" + shelf.body

    assert pull(shelf.url()).read_bytes() == shelf.body
    assert shelf.asked[-1] == "bytes=262144-"


def test_another_sha256(shelf: Shelf, cache: Path) -> None:
    """Nothing is kept, and the error says what came and what was wanted."""
    with pytest.raises(PersistenceError, match=f"its sha256 is {SHA256}, not {'0' * 64}; nothing"):
        pull(shelf.url(), sha256="0" * 64)

    assert names(cache) == []


def test_another_sha256_than_that_of_the_file_here(shelf: Shelf) -> None:
    """What is here and is not what is wanted is replaced only by what is."""
    path = pull(shelf.url())
    with pytest.raises(PersistenceError):
        pull(shelf.url(), sha256="0" * 64)
    assert path.read_bytes() == BODY
    shelf.body = b"GGUF of a new kind"

    assert pull(shelf.url(), sha256=hashlib.sha256(shelf.body).hexdigest()) == path
    assert path.read_bytes() == shelf.body


def test_a_file_of_ones_own_is_checked_and_left(tmp_path: Path) -> None:
    """The error is about its digest; the file is the user's, and stays."""
    path = tmp_path / "own.gguf"
    path.write_bytes(BODY)

    assert pull(str(path), sha256=SHA256) == path
    with pytest.raises(PersistenceError, match=f"sha256 is {SHA256}, not {'0' * 64}"):
        pull(str(path), sha256="0" * 64)
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("body", [b"", b"GG", b"<html>Log in</html>"])
def test_what_is_no_model(shelf: Shelf, cache: Path, body: bytes) -> None:
    """An empty file, or a page that asks for a login, is not kept as a model."""
    shelf.body = body
    with pytest.raises(PersistenceError, match=r"tiny\.gguf is not a GGUF file: it begins with b'"):
        pull(shelf.url())

    assert names(cache) == []


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_a_server_that_says_no(shelf: Shelf, cache: Path, status: int) -> None:
    """Its status is in the error, which a retry loop can read; nothing is left behind."""
    shelf.answers["/tiny.gguf"] = (status, "")
    with pytest.raises(ProviderError, match=rf"tiny\.gguf answered {status}$") as caught:
        pull(shelf.url())

    assert caught.value.kind == ("transient" if status in (429, 503) else "permanent")
    assert names(cache) == []


def test_offline(cache: Path) -> None:
    """A clear error that may pass, and says what would work; nothing is left behind."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, so that nobody else takes it, and not listening
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/tiny.gguf"
        with pytest.raises(ProviderError, match=r"is this machine offline\? .* by its path") as e:
            pull(url)

    assert e.value.kind == "transient"
    assert names(cache) == []


def test_redirects_are_followed(shelf: Shelf) -> None:
    """As a hub sends one on to where its files lie; also when going on after a cut."""
    shelf.answers["/resolve/main/tiny.gguf"] = (302, shelf.url("/blob"))
    shelf.cuts = [MIDDLE]

    assert pull(shelf.url("/resolve/main/tiny.gguf"), sha256=SHA256).read_bytes() == BODY
    assert shelf.asked == [None, None, "bytes=262144-", "bytes=262144-"]


def test_redirects_without_end(shelf: Shelf) -> None:
    """They end in an error."""
    shelf.answers["/tiny.gguf"] = (302, "/tiny.gguf")
    with pytest.raises(ProviderError, match="TooManyRedirects"):
        pull(shelf.url())


def test_the_hub(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """``hf:`` names a file of the hub, or of a mirror."""
    monkeypatch.setenv("HF_ENDPOINT", shelf.url(""))
    shelf.answers["/o/r/resolve/main/sub/tiny.gguf"] = (302, shelf.url("/blob"))

    assert pull("hf:o/r/sub/tiny.gguf", sha256=SHA256).read_bytes() == BODY
    assert at_hand(look_up("hf:o/r/sub/tiny.gguf")).name.startswith("tiny.")


def test_a_body_of_unknown_length(shelf: Shelf) -> None:
    """Progress is told without a total."""
    shelf.length = False
    told: list[tuple[int, int | None]] = []
    pull(shelf.url(), progress=lambda *news: told.append(news))

    assert {total for _, total in told} == {None}
    assert told[-1][0] == len(BODY)


def test_progress_is_told(shelf: Shelf) -> None:
    """From where it begins to the end, without going back, also across a cut."""
    shelf.cuts = [MIDDLE]
    told: list[tuple[int, int | None]] = []
    pull(shelf.url(), progress=lambda *news: told.append(news))

    done = [done for done, _ in told]
    assert {total for _, total in told} == {len(BODY)}
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(BODY))


def test_two_at_once(shelf: Shelf) -> None:
    """The second is told so, and does not spoil the first."""
    shelf.before_gate = MIDDLE
    first = threading.Thread(target=pull, args=(shelf.url(),), kwargs={"sha256": SHA256})
    first.start()
    eventually(lambda: bool(shelf.asked))
    with pytest.raises(PersistenceError, match=r"tiny\.\w+\.gguf\.part is being fetched"):
        pull(shelf.url())
    shelf.gate.set()
    first.join()

    assert at_hand(look_up(shelf.url())).read_bytes() == BODY
    assert shelf.asked == [None]


def test_killed_in_the_middle(shelf: Shelf, cache: Path) -> None:
    """Under the final name there is nothing; and the next pull takes only the rest."""
    shelf.before_gate = 2 * MIDDLE
    code = "import sys; from agentlab.models.pull import pull; pull(sys.argv[1])"
    child = subprocess.Popen([sys.executable, "-c", code, shelf.url()])  # noqa: S603 - ours
    eventually(lambda: any(path.stat().st_size > MIDDLE for path in cache.glob("*.part")))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert names(cache) == ["tiny.*.gguf.part", "tiny.*.gguf.part.json"]
    shelf.before_gate = 0
    (part,) = cache.glob("*.part")
    have = part.stat().st_size

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert have > MIDDLE
    assert shelf.asked[1:] == [f"bytes={have}-"]


def test_killed_before_the_last_move(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it had come, so that nothing is fetched again; it is checked all the same."""

    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "check_digest", die)
        with pytest.raises(KeyboardInterrupt):
            pull(shelf.url())
    shelf.gate.set()

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert shelf.asked == [None]


def test_a_part_longer_than_the_whole(shelf: Shelf, cache: Path) -> None:
    """A damaged rest of an earlier try is fetched anew."""
    shelf.cuts = [MIDDLE, 0]
    with pytest.raises(ProviderError):
        pull(shelf.url())
    (part,) = cache.glob("*.part")
    part.write_bytes(BODY * 2)

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"thing": 3}'])
def test_a_label_that_cannot_be_read(shelf: Shelf, cache: Path, damage: bytes) -> None:
    """What it is a part of is unknown, so it is fetched anew."""
    shelf.cuts = [MIDDLE, 0]
    with pytest.raises(ProviderError):
        pull(shelf.url())
    (label,) = cache.glob("*.json")
    label.write_bytes(damage)

    assert pull(shelf.url(), sha256=SHA256).read_bytes() == BODY
    assert shelf.asked[-1] is None


def test_keys_are_shown_nowhere(
    shelf: Shelf, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the user and password of a URL nor its query is in an error, a log, or a file."""
    caplog.set_level(logging.DEBUG, "agentlab")
    monkeypatch.setattr(fetch, "TIMEOUT_S", 5)
    url = f"http://me:CANARY@127.0.0.1:{shelf.port}/tiny.gguf?token=CANARY"
    errors: list[AgentLabError] = []

    def fails(name: str, **settings: str) -> None:
        with pytest.raises(AgentLabError) as caught:
            pull(name, **settings)  # type: ignore[arg-type]
        errors.append(caught.value)

    with pytest.raises(AgentLabError) as caught:
        at_hand(look_up(url))
    errors.append(caught.value)
    shelf.cuts = [MIDDLE, 0]
    fails(url)
    kept = b"".join(path.read_bytes() for path in cache.glob("*.json"))
    fails(url, sha256="0" * 64)
    shelf.answers["/tiny.gguf"] = (403, "")
    fails(url)
    fails("http://me:CANARY@127.0.0.1:1/tiny.gguf?token=CANARY")
    fails("http://me:CANARY@127.0.0.1:no/tiny.gguf?token=CANARY")
    fails("http://me:CANARY@/tiny.gguf?token=CANARY")
    fails("http://me:CANARY@[::1/tiny.gguf?token=CANARY")
    shelf.answers.clear()
    pull(url, sha256=SHA256)

    said = [*map(str, errors), caplog.text, repr(look_up(url).name), *names(cache)]
    assert b"CANARY" not in kept
    assert not [text for text in said if "CANARY" in text]


def test_long_names(shelf: Shelf) -> None:
    """The file of a long address has a name that every system takes; else there is no such file."""
    path = pull(shelf.url(f"/{'é' * 300}{'a' * 3000}.gguf"), sha256=SHA256)

    assert path.read_bytes() == BODY
    assert len(path.name.encode()) < 100
    for name in ("a" * 5000, "a" * 5000 + ".gguf", "~nobody-of-that-name/a.gguf"):
        with pytest.raises(NotConfigured):
            pull(name)
        with pytest.raises(NotConfigured):
            at_hand(look_up(name))


def test_the_rights_of_a_file(tmp_path: Path) -> None:
    """They are those of every new file of the user's, so that others may read it where they may."""
    before = os.umask(0o022)
    try:
        join([BytesIO(b"GGUF")], tmp_path / "a.gguf", hashlib.sha256(b"GGUF").hexdigest())
    finally:
        os.umask(before)

    assert (tmp_path / "a.gguf").stat().st_mode & 0o777 == 0o644


def test_a_lock_that_was_let_go_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been moved away while one asked for it is another's: nothing is written to it."""
    path, flock = tmp_path / "a.part", fcntl.flock

    def moved(*args: Any) -> None:
        path.rename(tmp_path / "a")
        flock(*args)

    monkeypatch.setattr(fcntl, "flock", moved)
    with pytest.raises(PersistenceError, match="another process"), fetch.alone(path):
        pytest.fail("it was held")


@pytest.mark.parametrize("url", ["ftp://x/y.gguf", "file:///etc/passwd", "s3://b/y.gguf"])
def test_other_ways_to_fetch(url: str) -> None:
    """There are none, and the error says so."""
    with pytest.raises(InvalidValue, match=f"over http or https, got '{url}'"):
        pull(url)


def test_a_scheme_in_capitals(shelf: Shelf) -> None:
    """It is the same scheme, and the same file."""
    url = shelf.url()

    assert pull(url.replace("http:", "HTTP:")) == pull(url)


@pytest.mark.parametrize("url", ["http:///tiny.gguf", "https://", "http://[::1/tiny.gguf"])
def test_what_is_no_url(url: str) -> None:
    """It can never be right, and the error says what was given."""
    with pytest.raises(InvalidValue, match=r"a URL needs a host, got '"):
        pull(url)


@pytest.mark.parametrize("name", ["tiny", "smollm2-135m"])
def test_a_folder_that_cannot_be_written(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The error names it, and what to do."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AGENTLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(PersistenceError, match=r"file/models.* set AGENTLAB_CACHE to another"):
        pull(shelf.url() if name == "tiny" else name)


@pytest.mark.parametrize("call", ["seal", "digest_of", "Partial.become", "Partial.begin"])
def test_a_full_disk(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Wherever it fails, what was there before stays as it was, and the error says where."""
    path = pull(shelf.url())
    shelf.body, shelf.etag = BODY + b"new", '"two"'

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(f"agentlab.models.fetch.{call}", full)
        with pytest.raises(PersistenceError, match=f"{path.parent}.*No space left on device"):
            fetch.download(shelf.url(), path, sha256=hashlib.sha256(shelf.body).hexdigest())
        assert path.read_bytes() == BODY

    fetch.download(shelf.url(), path, sha256=hashlib.sha256(shelf.body).hexdigest())
    assert path.read_bytes() == shelf.body


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_joining_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """The same holds for a file that is joined; no temporary file is left."""
    path, digest = tmp_path / "there" / "a.gguf", hashlib.sha256(b"before").hexdigest()
    join([BytesIO(b"before")], path, digest)

    def full(*_: object) -> NoReturn:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("agentlab.core.files.seal", full)
    with pytest.raises(PersistenceError, match=os.strerror(error)):
        join([BytesIO(b"after")], path, hashlib.sha256(b"after").hexdigest())
    assert path.read_bytes() == b"before"
    assert [each.name for each in path.parent.iterdir()] == ["a.gguf"]
