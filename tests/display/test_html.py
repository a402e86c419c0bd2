"""The builder, the sheet, and the page that carries a part of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.display import h, page
from agentlab.display.html import CLASSES, OURS, rules, sheet, stylesheet
from tests.display.things import Reader, states

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def classes(html: str) -> set[str]:
    """Give the classes that are used."""
    return {name for names in CLASSES.findall(html) for name in names.split()}


def test_the_builder_escapes() -> None:
    """Children and attributes; what it has built itself goes in as it is."""
    built = h("b", title='"')("<", h("i")("&"), None, 3)

    assert built == '<b title="&quot;">&lt;<i>&amp;</i>3</b>'


def test_what_cannot_be_seen_is_written_out() -> None:
    """Controls, marks that turn text round and lone surrogates, as Python writes them."""
    assert h("b")("a\x00b\u202ec\ud800\n\td\x85") == "<b>a\\x00b\\u202ec\\ud800\n\td\\x85</b>"


def test_other_writing_is_left_alone() -> None:
    """Every language, joined emoji and soft spaces come through."""
    text = "Ελλάδα עברית العربية 日本語 👩‍👩‍👧 a\u00a0b"

    assert h("b")(text) == f"<b>{text}</b>"


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_stays_text(text: str, title: str) -> None:
    """Whatever it is, it makes no element and no attribute, and can be sent."""
    html = h("b", title=title)(text)

    assert Reader(html).names == {"b", "b title"}
    assert html.encode()


def test_the_sheet_keeps_to_itself() -> None:
    """No ids, nothing from elsewhere, nothing on the root, no selector outside of ``.agl``."""
    text = re.sub(r"/\*.*?\*/", "", stylesheet(), flags=re.DOTALL)
    before, nested = text.split(".agl.agl.agl {")
    selectors = re.findall(r"^([^@\s][^{]*)\{", before, flags=re.MULTILINE)

    assert not re.search(r"url\(|@import|:root|!important|#[\w-]+\s*\{", text)
    assert all(part.strip().endswith(".agl") for each in selectors for part in each.split(","))
    assert nested.count("}") == nested.count("{") + 1


def test_a_rule_is_a_line() -> None:
    """So that a page can take some and leave others."""
    _, nested = rules()

    assert len(nested) > 50
    assert all(rule.count("{") == rule.count("}") > 0 for _, rule in nested)


@pytest.mark.parametrize("name", states())
def test_a_page_has_the_rules_it_needs(name: str) -> None:
    """Every class that is used and that the whole sheet knows is in the page's part of it."""
    html = states()[name].to_html()
    body = html.partition("</style>")[2]
    known = set(re.findall(r"\.(agl-[\w-]+)", stylesheet()))

    assert classes(body) & known <= set(re.findall(r"\.(agl-[\w-]+)", sheet(body)))
    assert len(sheet(body)) < len(stylesheet())


def test_no_class_is_unknown() -> None:
    """What the views write, the sheet knows; or whoever sets formulas."""
    used = set().union(*(classes(str(each.to_html())) for each in states().values()))
    known = set(re.findall(r"\.([a-z][\w-]*)", stylesheet()))

    assert used <= known | set(OURS.split())


def test_a_page_is_one_section() -> None:
    """It needs nothing else, and is the same every time."""
    body = h("div", "agl-card")("text")

    assert page(body) == page(body)
    assert [tag for tag, _ in Reader(page(body)).tags] == ["section", "style", "div"]
