"""Skills from files: TOML and nothing else, read as what anybody may have put there."""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentlab.core.errors import AgentLabError
from agentlab.core.files import path_of
from agentlab.skills.registry import Skill, SkillRegistry

log = logging.getLogger("agentlab.skills")

MAX_BYTES = 1_000_000
MAX_FILES = 10_000
FIELDS = ("name", "description", "version", "author", "capabilities")
OURS, UPSTREAMS = Path("~/.agentlab/skills"), Path("~/.agent-runtime/skills")
MAX_PARTS = 32
# The parser takes time with the square of the parts of a key: half a million of them are an hour.
PART = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
LONG_KEY = re.compile(rf"{PART}(?:[ \t]*+\.[ \t]*+{PART}){{{MAX_PARTS}}}")


class Unfit(Exception):
    """A file holds no skill."""


class SkillLoader:
    """Reads skills from the ``*.toml`` files of a folder.

    Each has ``name``, and may have ``description``, ``version``, ``author`` and ``capabilities``.
    A file that holds no skill is left out, with a warning that says why; so is one that is a link
    to somewhere outside, or no plain file, or larger than a megabyte.

    Parameters
    ----------
    folder : path, optional
        Where they are. By default ``~/.agentlab/skills``, and before it
        ``~/.agent-runtime/skills``; nothing is ever written there.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        places = (UPSTREAMS, OURS) if folder is None else (path_of(folder, "folder"),)
        self.folders = tuple(place.expanduser() for place in places)
        self._given = folder is not None

    def __repr__(self) -> str:
        return f"SkillLoader({', '.join(repr(str(folder)) for folder in self.folders)})"

    def load_into(self, registry: SkillRegistry) -> int:
        """Register every skill there is, by file name; tell how many files held one.

        A skill that is there already is replaced, with a warning where that is from a file, too.
        """
        loaded: dict[str, Path] = {}
        count = 0
        for path, root in self._files():
            try:
                skill = skill_of(read(path, root))
            except (Unfit, OSError) as error:
                log.warning("%s holds no skill and is left out: %s", path, error)
                continue
            if skill.name in loaded:
                log.warning("skill %r of %s replaces %s's", skill.name, path, loaded[skill.name])
            loaded[skill.name] = path
            registry.register(skill)
            count += 1
        return count

    def _files(self) -> Iterable[tuple[Path, Path]]:
        """Give the files in the order of their names, each with its folder as it really is."""
        for folder in self.folders:
            try:
                found = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
                root = Path(os.path.realpath(folder, strict=True))
            except (OSError, ValueError) as error:  # the system may not know such a name
                if self._given:
                    log.warning("no skills can be read from %s: %s", folder, error)
                continue
            if len(found) > MAX_FILES:
                log.warning("%s has %d files; the first %d are read", folder, len(found), MAX_FILES)
            yield from ((path, root) for path in found[:MAX_FILES])


def read(path: Path, root: Path) -> str:
    """Give the text of a file in ``root``.

    Raises
    ------
    Unfit
        It is elsewhere, no plain file, too large, or no text.
    OSError
        It cannot be read.
    """
    real = Path(os.path.realpath(path, strict=True))  # unlike resolve(), an OSError for a loop
    if not real.is_relative_to(root):
        raise Unfit("it is a link to somewhere outside")
    if not stat.S_ISREG(real.stat().st_mode):  # one that is a pipe would never end
        raise Unfit("it is no plain file")
    with real.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unfit(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unfit("it is not UTF-8") from None


def skill_of(text: str) -> Skill:
    """Read a skill; what is not known of it is passed over.

    Raises
    ------
    Unfit
        It is no TOML, or no skill.
    """
    if LONG_KEY.search(text):
        raise Unfit(f"a key has more than {MAX_PARTS} parts")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"it is no TOML: {error}") from None
    if "name" not in data:
        raise Unfit("it has no name")
    return made({field: data[field] for field in FIELDS if field in data})


def made(fields: dict[str, Any]) -> Skill:
    """Make a skill of what a file says.

    Raises
    ------
    Unfit
        Something is of another type.
    """
    if not isinstance(fields.get("capabilities", []), list):
        raise Unfit(f"capabilities must be a list, got {fields['capabilities']!r:.80}")
    try:
        return Skill(**fields)
    except AgentLabError as error:
        raise Unfit(str(error)) from None
