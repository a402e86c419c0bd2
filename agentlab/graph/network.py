"""A pyvis network that needs nothing but itself: no other host is asked for anything."""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyvis.network import Network

from agentlab.core.files import path_of, replacing
from agentlab.core.secrets import scrub

if TYPE_CHECKING:
    from agentlab.graph.measures import Measured

WIDTH, HEIGHT = 1120, 700
HUES = ("#2d8cff", "#12a85c", "#d98a00", "#8a63f0", "#f04438")
REST, LINE = "#8a8a8a", "#b8b8b8"
FEW = 40  # nodes in a picture of that size, and edges that may say what they are
# What pyvis has in its page of others' hosts: sheets and scripts that only its menus need.
OUTSIDE = re.compile(
    r"<link\b[^>]*https?://[^>]*>|<script\b[^>]*\bsrc=[\"']https?://[^>]*>\s*</script>", re.DOTALL
)


class OfflineNetwork(Network):  # type: ignore[misc]  # it says nothing of its types
    """A pyvis network whose page, and whose output in a cell, hold every resource."""

    def __init__(self) -> None:
        super().__init__(
            height=f"{HEIGHT}px", width="100%", directed=True, cdn_resources="in_line",
            bgcolor="#ffffff", font_color="#1c1c1c",
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<OfflineNetwork {self.num_nodes()} nodes, {self.num_edges()} edges>"

    def generate_html(self, name: str = "index.html", *_: Any, **__: Any) -> str:
        """Give the page as text."""
        made: str = super().generate_html(name, local=True, notebook=False)
        return OUTSIDE.sub("", made)

    def write_html(self, name: str, *_: Any, **__: Any) -> Path:
        """Write the page to a file, whole or not at all, and give where it is."""
        place = path_of(name, "name")
        with replacing(place) as file:
            file.write(self.generate_html().encode())
        return place

    def show(self, name: str, *_: Any, **__: Any) -> Path:
        """Do the same; a cell shows the network itself."""
        return self.write_html(name)

    def _repr_html_(self) -> str:
        page = escape(self.generate_html(), quote=True)
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{page}" title="a network to drag about"'
            f' style="width:100%;height:{HEIGHT + 20}px;border:0"></iframe>'
        )


def network(graph: Measured[Any], seed: int) -> OfflineNetwork:
    """Make the network of a graph, where its layout puts things; colours are communities."""
    made, places, rows = OfflineNetwork(), graph.layout(seed), graph.rows()
    titles = {entity.id: graph.title(entity) for entity in graph.held()[0]}
    largest = Counter(row.community for row in rows).most_common(len(HUES))
    hues = {community: hue for (community, _), hue in zip(largest, HUES, strict=False)}
    room = max(1.0, (len(rows) / FEW) ** 0.5)  # a larger graph is a larger picture
    for row in rows:
        x, y = places.get(row.id, (0.5, 0.5))
        links = row.links_in + row.links_out
        made.add_node(
            row.id, label=scrub(titles.get(row.id, row.id)),
            title=scrub(f"{row.label or row.id}: {links} links"),
            x=x * WIDTH * room, y=y * HEIGHT * room, size=5 + min(2.5 * links**0.5, 20),
            color=hues.get(row.community, REST),
        )  # fmt: skip
    edges = [e for e in graph.held()[1] if e.ends[0] in titles and e.ends[1] in titles]
    for edge in edges:
        tail, head, kind = edge.ends
        told = scrub(kind.replace("_", " "))
        made.add_edge(
            tail, head, title=f"{told} ({edge.weight:g})", color={"color": LINE},
            **({"label": told} if len(edges) <= FEW else {}),
        )  # fmt: skip
    made.toggle_physics(False)  # noqa: FBT003 - pyvis has no name for it
    return made
