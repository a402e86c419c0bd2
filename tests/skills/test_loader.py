"""Skills from files that anybody may have written."""

from __future__ import annotations

import logging
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.skills.loader import MAX_BYTES, Unfit, skill_of

README = """
name = "web_search"
description = "Search the web for current information"
version = "1.0.0"
author = "example"
capabilities = ["search", "web", "internet"]
"""


def load(folder: Path) -> tuple[int, al.SkillRegistry]:
    """Load a folder."""
    skills = al.SkillRegistry()
    return al.SkillLoader(folder).load_into(skills), skills


def test_w41_4(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The README's file loads; a broken one beside it is skipped, and the log says why."""
    (tmp_path / "web_search.toml").write_text(README)
    (tmp_path / "broken.toml").write_text("name = ")
    count, skills = load(tmp_path)

    assert (count, len(skills)) == (1, 1)
    assert skills["web_search"] == al.Skill(
        "web_search", "Search the web for current information", "1.0.0", "example",
        ["search", "web", "internet"],
    )  # fmt: skip
    assert "broken.toml holds no skill and is left out: it is no TOML" in caplog.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has no name"),
        ("description = 'x'", "it has no name"),
        ("name = ''", "must be a name, got ''"),
        ("name = 3", "must be a name, got 3"),
        ("name = 'x'\ndescription = ['a']", "description must be text, got ['a']"),
        ("name = 'x'\nversion = 1.2", "version must be text, got 1.2"),
        ("name = 'x'\ncapabilities = 'web'", "capabilities must be a list, got 'web'"),
        ("name = 'x'\ncapabilities = ['web', 3]", "each of capabilities must be text, got 3"),
        ("name = 'x'\nname = 'y'", "it is no TOML"),
        ("x = " + "[" * 200_000, "it is no TOML"),
        ("x = " + "9" * 10_000, "it is no TOML"),
        (".".join("a" * 400_000) + " = 1", "a key has more than 32 parts"),
        ("[" + " . ".join('"b"' for _ in range(100_000)) + "]", "a key has more than 32 parts"),
        ("a" * MAX_BYTES, "it is no TOML"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_skill(text: str, why: str) -> None:
    """It is refused soon, whatever it is, and never by another error."""
    with pytest.raises(Unfit) as caught:
        skill_of(text)
    assert why in str(caught.value)


def test_what_is_not_there_has_its_default() -> None:
    """A name is enough; what is not known is passed over."""
    assert skill_of("name = 'x'\nlicence = 'MIT'\n[more]\ny = 1") == al.Skill("x")
    assert skill_of("name = 'x'\n[a.b.c.d]\ne.f = 'v1.2.3'") == al.Skill("x")


def test_files_that_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Links to outside, pipes, folders, what is too large, no text, or no TOML by its name."""
    folder, outside = tmp_path / "skills", tmp_path / "secret.toml"
    folder.mkdir()
    outside.write_text("name = 'secret'")
    (folder / "a_link.toml").symlink_to(outside)
    (folder / "b_lost.toml").symlink_to(folder / "nowhere")
    (folder / "c_loop.toml").symlink_to(folder / "c_loop.toml")
    os.mkfifo(folder / "d_pipe.toml")
    (folder / "e_folder.toml").mkdir()
    (folder / "f_large.toml").write_text("name = 'large'\n#" + " " * MAX_BYTES)
    (folder / "g_bytes.toml").write_bytes(b"name = '\xff'")
    (folder / "h_notes.txt").write_text("name = 'notes'")
    (folder / "i_full.toml").write_text("name = 'full'\n#".ljust(MAX_BYTES, "x"))
    (folder / "j_bom.toml").write_bytes(b"\xef\xbb\xbfname = 'bom'")
    (folder / "k_near.toml").symlink_to(folder / "j_bom.toml")
    count, skills = load(folder)

    assert [each.name for each in skills] == ["bom", "full"]
    assert count == 3
    for name in ("a_link", "b_lost", "c_loop", "d_pipe", "e_folder", "f_large", "g_bytes"):
        assert f"{name}.toml holds no skill" in caplog.text, name
    assert "h_notes" not in caplog.text
    assert "secret'" not in caplog.text


def test_the_later_file_replaces(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Files are read by name; a skill that is there twice is the later one, with a warning."""
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.toml").write_text(f"name = 's'\nauthor = '{name}'")
    count, skills = load(tmp_path)

    assert (count, skills["s"].author) == (3, "c")
    assert caplog.text.count("skill 's' of") == 2


def test_the_default_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours comes after the other; neither must be there, and nothing is written."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        skills = al.SkillRegistry()
        assert al.SkillLoader().load_into(skills) == 0
    assert not caplog.text
    assert not list(tmp_path.iterdir())

    for place, author in ((".agentlab", "ours"), (".agent-runtime", "theirs")):
        folder = tmp_path / place / "skills"
        folder.mkdir(parents=True)
        (folder / "s.toml").write_text(f"name = 's'\nauthor = '{author}'")
        (folder / f"{author}.toml").write_text(f"name = '{author}'")
    assert al.SkillLoader().load_into(skills) == 4
    assert [each.name for each in skills] == ["ours", "s", "theirs"]
    assert skills["s"].author == "ours"


def test_a_folder_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that was named is missed in the log; nothing is loaded."""
    assert load(tmp_path / "none")[0] == 0
    assert "no skills can be read from" in caplog.text


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = TEXTS | st.integers() | st.booleans() | st.floats(allow_nan=False)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


def toml(value: object) -> str:
    """Write a value as TOML does."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(c):08x}" for c in value if not "\ud800" <= c <= "\udfff") + '"'
        )
    return repr(value)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(["name", "description", "version", "capabilities", "x"]),
                       VALUES, max_size=5))  # fmt: skip
def test_whatever_toml_says(values: dict[str, object]) -> None:
    """It is a skill that has what is said, or is unfit; nothing else comes of it."""
    text = "\n".join(f"{key} = {toml(value)}" for key, value in values.items())
    said = tomllib.loads(text)
    try:
        skill = skill_of(text)
    except Unfit:
        texts = [said.get(key, "x") for key in ("name", "description", "version")]
        able = said.get("capabilities", [])
        fine = all(isinstance(each, str) for each in texts) and isinstance(able, list)
        assert not (fine and said.get("name") and all(isinstance(each, str) for each in able))
    else:
        assert skill.name == said["name"]
        assert list(skill.capabilities) == said.get("capabilities", [])


@given(st.text(max_size=60) | st.text("[]{}=.\"'\n#a1,", max_size=60))
def test_whatever_is_in_a_file(text: str) -> None:
    """It is a skill or unfit, and nothing else."""
    try:
        found: al.Skill | None = skill_of(text)
    except Unfit:
        found = None
    assert found is None or found.name
