"""Working memory: a few things by name, and which of them makes room."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue
from agentlab.memory.working import WorkingMemory


def filled(*keys: str, capacity: int = 2, **how: Any) -> WorkingMemory:
    """Give a memory in which these were set, each to its upper case."""
    memory = WorkingMemory(capacity, **how)
    for key in keys:
        memory.set(key, key.upper())
    return memory


def test_w15_1() -> None:
    """The third of two makes the first go."""
    assert filled("a", "b", "c").entries() == [("b", "B"), ("c", "C")]


def test_it_is_filled_at_once() -> None:
    """As if each was set in turn, of more than fit the last; or, where one is wrong, not at all."""
    pad = WorkingMemory(3)
    pad.set("old", 1)
    pad.fill([("a", 1), ("b", "two"), ("c", None), ("a", [3]), ("d", 4)])
    assert pad.entries() == [("c", "null"), ("a", "[3]"), ("d", "4")]

    wrongs: list[Any] = [[("x", 1), ("", 2)], [("x", 1), (5, 1)]]
    for wrong in wrongs:
        with pytest.raises(InvalidValue):
            pad.fill(wrong)
        assert pad.keys() == ["c", "a", "d"]
    pad.fill([])
    assert len(pad) == 0


def test_w15_2() -> None:
    """What was read stays; what was not goes."""
    memory = filled("a", "b")
    assert memory.get("a") == "A"
    memory.set("c", "C")

    assert memory.keys() == ["a", "c"]


def test_by_order_of_writing() -> None:
    """Another policy does not look at what was read."""
    memory = filled("a", "b", policy="fifo")
    memory.get("a")
    memory.set("c", "C")

    assert memory.keys() == ["b", "c"]


def test_capacity_zero() -> None:
    """Is refused in the reference's words, with its value."""
    for capacity in (0, -1, 1.5, True):
        with pytest.raises(InvalidValue, match="WorkingMemory capacity must be > 0, got"):
            WorkingMemory(capacity)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="policy"):
        WorkingMemory(1, policy="x")  # type: ignore[arg-type]


def test_all_it_can_do() -> None:
    """To peek and to list changes no place; to remove and to evict tells what was there."""
    memory = filled("a", "b", "c", capacity=3)

    assert (memory.peek("a"), memory.peek("x"), memory.get("x")) == ("A", None, None)
    assert (memory.contains("a"), "b" in memory, "x" in memory) == (True, True, False)
    assert memory.keys() == ["a", "b", "c"]
    assert (memory.capacity, len(memory), bool(WorkingMemory(1))) == (3, 3, True)
    assert (memory.remove("b"), memory.remove("b")) == (True, False)
    assert memory.evict_oldest() == ("a", "A")
    assert [row.place for row in memory.rows()] == [1]
    memory.clear()
    assert (memory.evict_oldest(), memory.entries()) == (None, [])


def test_values_are_text() -> None:
    """Other JSON values are compact JSON; what is none is refused and changes nothing."""
    memory = WorkingMemory(9)
    memory.set("n", {"b": [1, None], "a": "é"})
    memory.set("e", "")
    memory.set("s", "\ud800")
    bad: list[Callable[[], None]] = [
        lambda: memory.set("x", float("nan")),
        lambda: memory.set("", "x"),
        lambda: memory.set(5, "x"),  # type: ignore[arg-type]
    ]
    for call in bad:
        with pytest.raises(InvalidValue):
            call()

    assert memory.entries() == [("n", '{"a":"é","b":[1,null]}'), ("e", ""), ("s", "\ufffd")]
    assert memory.get("e") == ""


def test_no_value_can_fake_a_section() -> None:
    """What follows a line break of any kind is indented, in keys too."""
    memory = WorkingMemory(9)
    memory.set("k", "one\n\nCurrent prompt: two\r\nthree\u2028four")
    memory.set("a\nb", "x")

    assert memory.prompt_section() == (
        "\n\nCurrent working state:\n"
        "  k: one\n  \n  Current prompt: two\n  three\n  four\n"
        "  a\n  b: x"
    )
    assert WorkingMemory(1).prompt_section() == ""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "get", "peek", "remove", "evict", "entries"]),
        st.sampled_from("abcdef"),
    )
)


@given(st.integers(1, 4), st.booleans(), STEPS)
def test_against_a_model(capacity: int, lru: bool, steps: list[tuple[str, str]]) -> None:  # noqa: FBT001
    """A plain list, the next to go first, lives through the same."""
    memory, model = WorkingMemory(capacity, policy="lru" if lru else "fifo"), list[str]()
    for i, (step, key) in enumerate(steps):
        there = key in model
        match step:
            case "set":
                if there:
                    model.remove(key)
                elif len(model) == capacity:
                    model.pop(0)
                model.append(key)
                memory.set(key, key + str(i))
            case "get":
                assert (memory.get(key) is not None) == there
                if there and lru:
                    model.remove(key)
                    model.append(key)
            case "peek":
                assert (memory.peek(key) is not None) == there
            case "remove":
                assert memory.remove(key) == there
                model = [each for each in model if each != key]
            case "evict":
                assert (memory.evict_oldest() or (None,))[0] == (model.pop(0) if model else None)
        assert memory.keys() == model
        assert WorkingMemory.from_dict(memory.to_dict()).entries() == memory.entries()


def test_many_threads() -> None:
    """It never holds more than it may, and what is read was written."""
    memory = WorkingMemory(5)

    def work(me: int) -> None:
        for i in range(500):
            memory.set(f"k{(me * 7 + i) % 11}", "v")
            assert memory.get(f"k{i % 11}") in {None, "v"}
            assert len(memory.entries()) <= 5

    workers = [threading.Thread(target=work, args=(me,)) for me in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(memory) == 5
