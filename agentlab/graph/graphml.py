"""GraphML, so that nothing is lost on the way: neither odd letters nor the types of properties.

XML cannot hold every letter, and turns some into others; those are written as Python writes them,
and so is the backslash, by which they are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

from agentlab.core.errors import GraphError
from agentlab.graph.entities import Edge, Entity

SPACE = "http://graphml.graphdrawing.org/xmlns"
OURS = "agentlab"  # the name of who wrote it, and so which values are JSON
ODD = re.compile("[\\\\\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "long", float: "double"}
FIXED = ("id", "label", "missing", "kind", "weight", "origin")


def write(entities: Iterable[Entity], edges: Iterable[Edge]) -> str:
    """Give entities and edges as one document."""
    body = ET.Element("graph", edgedefault="directed")
    keys: dict[tuple[str, str, str, bool], str] = {}
    nodes: dict[str, str] = {}

    def tell(where: ET.Element, name: str, value: Any, own: str = "") -> None:
        kind = TYPES.get(type(value), "json")
        key = keys.setdefault((where.tag, name, kind, bool(own)), own or f"p{len(keys)}")
        text = value if isinstance(value, str) else json.dumps(value)
        ET.SubElement(where, "data", key=key).text = escaped(text)

    def node(name: str) -> ET.Element:
        nodes[name] = f"n{len(nodes)}"
        made = ET.SubElement(body, "node", id=nodes[name])
        tell(made, "id", name, "id")
        return made

    for entity in entities:
        made = node(entity.id)
        tell(made, "label", entity.label, "label")
        for name, value in entity.properties.items():
            tell(made, name, value)
    for edge in edges:
        for end in edge.ends[:2]:
            if end not in nodes:
                tell(node(end), "missing", value=True, own="missing")
        ends = {"source": nodes[edge.ends[0]], "target": nodes[edge.ends[1]]}
        made = ET.SubElement(body, "edge", ends)
        for name in ("kind", "weight", "origin"):
            tell(made, name, getattr(edge, name), name)
    return document(body, keys)


def document(body: ET.Element, keys: dict[tuple[str, str, str, bool], str]) -> str:
    """Put what is said of the keys before the graph."""
    root = ET.Element("graphml", xmlns=SPACE)
    ET.SubElement(root, "desc").text = OURS
    for (tag, name, kind, _), key in keys.items():
        told = "string" if kind == "json" else kind
        made = ET.SubElement(
            root, "key", {"id": key, "for": tag, "attr.name": escaped(name), "attr.type": told}
        )
        if kind == "json":
            ET.SubElement(made, "desc").text = "json"
    root.append(body)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def read(text: str) -> tuple[list[Entity], list[tuple[Any, ...]]]:
    """Give entities, and edges as ends, kind, weight and origin.

    Raises
    ------
    GraphError
        It is not GraphML, or it declares entities of XML, which can blow it up.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise GraphError("not GraphML that can be trusted: it has a DOCTYPE")
    try:
        root = ET.fromstring(text)  # noqa: S314 - it has none that could be expanded
    except (ET.ParseError, ValueError) as error:
        raise GraphError(f"not GraphML: {error}") from None
    reader = Reader(root)
    body = root.find("{*}graph")
    if body is None:
        raise GraphError(f"not GraphML: there is no graph in <{root.tag}>")
    entities = []
    for node in body.iterfind("{*}node"):
        name, entity = reader.node(node)
        if entity is not None:
            entities.append(entity)
        reader.names[node.get("id", "")] = name
    directed = body.get("edgedefault") != "undirected"
    edges = []
    for edge in body.iterfind("{*}edge"):
        here, there, *rest = reader.edge(edge)
        edges.append((here, there, *rest))
        if edge.get("directed", str(directed).lower()) == "false" and here != there:
            edges.append((there, here, *rest))
    return entities, edges


class Reader:
    """Reads the values of one document by its keys."""

    def __init__(self, root: ET.Element) -> None:
        self.ours = root.findtext("{*}desc") == OURS
        self.names: dict[str, str] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        for key in root.iterfind("{*}key"):
            kind = (key.findtext("{*}desc") if self.ours else None) or key.get("attr.type")
            name = self.text(key.get("attr.name", key.get("id", "")))
            self.keys[key.get("id", "")] = name, kind or "string"

    def node(self, node: ET.Element) -> tuple[str, Entity | None]:
        """Give the name of a node, and the entity, unless it is only named."""
        own, others = self.values(node)
        name = str(own.get("id") or node.get("id") or "")
        if own.get("missing"):
            return name, None
        return name, Entity(name, str(own.get("label", "")), others)

    def edge(self, edge: ET.Element) -> tuple[Any, ...]:
        """Give an edge as ends, kind, weight and origin."""
        ends = [self.names.get(edge.get(end, "")) for end in ("source", "target")]
        if None in ends:
            raise GraphError(f"not GraphML: an edge leads to no node: {edge.attrib}")
        own, others = self.values(edge)
        kind = str(own.get("kind") or others.get("label") or "related_to")
        return *ends, kind, float(own.get("weight", 1.0)), str(own.get("origin", ""))

    def values(self, where: ET.Element) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give what has a place of its own, and the rest."""
        own: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for data in where.iterfind("{*}data"):
            key = data.get("key", "")
            name, kind = self.keys.get(key, (key, "string"))
            value = valued(self.text(data.text or ""), kind)
            fixed = key in FIXED if self.ours else name in FIXED
            (own if fixed else others)[name] = value
        return own, others

    def text(self, text: str) -> str:
        """Take back what was written as Python writes it."""
        return unescaped(text) if self.ours else text


def valued(text: str, kind: str) -> Any:
    """Give a value of that type, or the text where it is none."""
    with suppress(ValueError, RecursionError):
        match kind:
            case "boolean":
                return text.strip().lower() in ("true", "1")
            case "int" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "json":
                return json.loads(text)
    return text


def escaped(text: str) -> str:
    r"""Write what XML cannot hold as Python does.

    >>> print(escaped("a\\b\x00"))
    a\x5cb\x00
    """
    return ODD.sub(
        lambda odd: "\\x5c" if odd[0] == "\\" else odd[0].encode("unicode_escape").decode(), text
    )


def unescaped(text: str) -> str:
    r"""Take that back.

    >>> unescaped(escaped("a\\b\r")) == "a\\b\r"
    True
    """
    if "\\" not in text:
        return text
    return re.sub(
        r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[rnt])",
        lambda odd: odd[0].encode().decode("unicode_escape"),
        text,
    )
