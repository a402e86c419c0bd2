"""What a plan costs: steps and nodes a second on large sets of methods, and how that grows.

Every task has ten methods of which one applies, a tree of tasks four wide; a second set fails in
every first method and goes back. The floor is the plainest search, which calls itself and keeps
no reasons; both are timed in turn, so that the ratio holds on a busy machine.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from functools import partial

from agentlab.strategies.planner import Method, Planner, PlannerConfig, Precondition, Task

ROUNDS, WIDE, METHODS = 7, 4, 10
WORLD = {f"key {n}": "yes" for n in range(3)}
LARGE = 10**7


def planner(levels: int, *, failing: bool = False) -> Planner:
    """Give methods for a tree of ``WIDE ** levels`` calls."""
    made = Planner(PlannerConfig(max_steps=LARGE, max_nodes=LARGE))
    for level in range(levels):
        last = level == levels - 1
        below = Task.primitive("call", {"level": level}) if last else Task.compound(f"T{level + 1}")
        for n in range(METHODS - 1):
            needs = [Precondition(f"key {n % 3}", "no")]
            made.register_method(Method(f"T{level}", [below] * WIDE, needs))
        if failing:
            needs = [Precondition("key 0", "yes")]
            made.register_method(Method(f"T{level}", [Task.compound("nowhere")], needs))
        made.register_method(Method(f"T{level}", [below] * WIDE))
    return made


def plain(made: Planner) -> int:
    """Count the calls that the plainest search finds."""
    methods: dict[str, list[Method]] = {}
    for method in made.methods():
        methods.setdefault(method.task, []).append(method)

    def steps(task: Task) -> list[str]:
        if task.is_primitive:
            return [task.name]
        able = [m for m in methods[task.name] if all(c.holds(WORLD) for c in m.preconditions)]
        for method in sorted(able, key=lambda m: -len(m.preconditions)):
            try:
                return [step for sub in method.subtasks for step in steps(sub)]
            except KeyError:
                continue
        raise KeyError(task.name)

    return len(steps(Task.compound("T0")))


def cpu(fn: Callable[[], object]) -> float:
    """Give its CPU seconds."""
    began = time.process_time()
    fn()
    return time.process_time() - began


def slope(times: dict[int, float]) -> float:
    """Give how time grows with size: 1 is in step with it."""
    (least, *_, most) = sorted(times)
    return math.log(times[most] / times[least]) / math.log(most / least)


def measured(*, failing: bool) -> None:
    """Print a line a size."""
    times: dict[int, float] = {}
    for levels in (4, 5, 6, 7, 8):
        made, count = planner(levels, failing=failing), WIDE**levels
        pairs = [
            (cpu(partial(made.plan_with_world, "T0", WORLD)), cpu(partial(plain, made)))
            for _ in range(ROUNDS)
        ]
        ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
        compound = (WIDE**levels - 1) // (WIDE - 1)
        nodes = count + compound * (2 if failing else 1)
        times[count] = ours
        print(
            f"{count:>8,} steps{count / ours:>14,.0f} steps/s{nodes / ours:>14,.0f} nodes/s"
            f"{ours / bare:>9.2f}x"
        )
    print(f"slope {slope(times):.2f}")


if __name__ == "__main__":
    print("one of ten methods applies")
    measured(failing=False)
    print("two apply, and the first of them fails")
    measured(failing=True)
