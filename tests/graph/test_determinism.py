"""Communities, places, orders and cards are the same in every process, whatever its hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentlab

CODE = """
import hashlib, json
from agentlab.graph.facts import rivers
from tests.graph.graphs import cliques, scattered
graphs = [scattered(80, 100, 3), scattered(600, 900, 1), cliques(4, 5, 6), rivers()]
told = []
for graph in graphs:
    told.append([
        graph.communities(), graph.communities("label_propagation"), graph.communities(seed=7),
        graph.layout(), graph.layout(1), graph.central(20), graph.find_cycle(),
        graph.degree_centrality(), hashlib.sha256(graph.to_html().encode()).hexdigest(),
        graph.to_dot(), graph.to_graphml(),
    ])
print(json.dumps(told))
"""


def told(seed: str, *path: str) -> object:
    """Run it in a process of its own."""
    root = str(Path(agentlab.__file__).parents[1])
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([root, *path])}
    run = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", CODE], check=True, capture_output=True, text=True, env=env
    )
    return json.loads(run.stdout)


def test_every_process_gives_the_same() -> None:
    """A sparse graph, a large one, groups, and the rivers."""
    assert told("1") == told("22")


@pytest.mark.parametrize("seed", [0, 5])
def test_places(seed: int) -> None:
    """All differ, are in the unit square, and fill it one way; nothing is not a number."""
    from tests.graph.graphs import cliques, path, scattered, store

    for graph in (cliques(4, 4), path(300), scattered(500, 700), store("abcdef"), store("a")):
        places = graph.layout(seed)
        assert list(places) == [entity.id for entity in graph.entities()]
        assert len(set(places.values())) > 0.98 * len(places)
        for axis in (0, 1):
            assert all(0 <= place[axis] <= 1 for place in places.values())
        wide = max(x for x, _ in places.values()) - min(x for x, _ in places.values())
        tall = max(y for _, y in places.values()) - min(y for _, y in places.values())
        assert len(places) == 1 or max(wide, tall) > 0.98


def test_what_is_related_is_near() -> None:
    """On average much nearer than what is not."""
    from math import dist

    from tests.graph.graphs import cliques

    graph = cliques(8, 8, 8)
    places = graph.layout()
    joined = [dist(places[e.from_], places[e.to]) for e in graph.relationships()]
    every = [dist(a, b) for a in places.values() for b in places.values() if a != b]

    assert sum(joined) / len(joined) < 0.5 * sum(every) / len(every)
