"""The planner: the reference's worked cases, its limits, and why a plan is as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab
from agentlab.core.errors import InvalidValue, PlannerError
from agentlab.strategies.execution import ExecutionPlan
from agentlab.strategies.planner import (
    DepthExceeded,
    Method,
    NodeLimitExceeded,
    NoMethodFound,
    NoPreconditionSatisfied,
    Planner,
    PlannerConfig,
    Precondition,
    SearchError,
    StepLimitExceeded,
    Task,
)

NOT_ONE: Any = "last"
ONE: Any = 1
PUBLIC = (Precondition("company_type", "public"),)


def primitives(*names: str) -> tuple[Task, ...]:
    """Give calls without arguments."""
    return tuple(map(Task.primitive, names))


def company(selection: Any = "most_specific") -> Planner:
    """Give the methods of the reference's example."""
    return Planner(PlannerConfig(method_selection=selection)).register_methods(
        [
            Method("research_company", primitives("web_search", "scrape_page", "summarise")),
            Method(
                "research_company",
                primitives("web_search", "fetch_sec_filings", "summarise"),
                PUBLIC,
                "with filings",
            ),
        ]
    )


def tools(plan: ExecutionPlan) -> list[str]:
    """Name the tools of a plan."""
    return [step.tool for step in plan]


def test_w7_1() -> None:
    """The more specific method where it applies, else the other; each step at depth 1."""
    goal = Task.compound("research_company")
    public = company().plan_with_world(goal, {"company_type": "public"})
    other = company().plan_with_world(goal, {})
    first = company("first").plan_with_world(goal, {"company_type": "public"})

    assert tools(public) == ["web_search", "fetch_sec_filings", "summarise"]
    assert tools(other) == tools(first) == ["web_search", "scrape_page", "summarise"]
    assert [(s.depth, s.source_task) for s in public.steps()] == [(1, "research_company")] * 3
    assert len(public) == 3


def test_w7_2() -> None:
    """A method that leads to itself goes too deep."""
    planner = Planner().register_method(Method("A", (Task.compound("A"),)))

    with pytest.raises(DepthExceeded) as caught:
        planner.plan("A")

    assert (caught.value.task, caught.value.max_depth) == ("A", 16)
    assert len(caught.value.choices) == 17
    assert isinstance(caught.value, PlannerError)


def test_w7_3() -> None:
    """A task that nothing takes apart; the error knows what may have been meant."""
    with pytest.raises(NoMethodFound, match=r"did you mean 'research_company'\?") as caught:
        company().plan("research_compny")

    assert caught.value.task == "research_compny"
    assert caught.value.choices[0].options == ()


def test_no_precondition_holds() -> None:
    """The error says of each method what the world says instead."""
    planner = Planner().register_method(Method("A", primitives("x"), PUBLIC, "as public"))

    with pytest.raises(NoPreconditionSatisfied, match="as public: company_type must be") as caught:
        planner.plan_with_world("A", {"company_type": "private"})

    (option,) = caught.value.choices[0].options
    (unmet,) = option.unmet
    assert (unmet.key, unmet.expected, unmet.actual) == ("company_type", "public", "private")
    assert not option.chosen


def test_a_primitive_goal() -> None:
    """Is a plan of one step at depth 0, and its own source."""
    (step,) = Planner().plan(Task.primitive("search", {"q": 1}))

    assert (step.tool, step.args, step.depth, step.source_task) == (
        "search", '{"q":1}', 0, "search",
    )  # fmt: skip
    assert step.choice is None


def test_why() -> None:
    """Each choice says why its method was chosen, and why each other was not."""
    one = Method("A", (Task.compound("nowhere"),), [Precondition("k", "v")], "through B")
    two = Method("A", primitives("x"), (), "directly")
    no = Method("A", primitives("y"), [Precondition("k", "w"), Precondition("l", "")], "otherwise")
    plan = Planner().register_methods([two, one, no]).plan_with_world("A", {"k": "v"})
    (choice,) = plan.choices

    assert tools(plan) == ["x"]  # B cannot be done
    assert [(o.method, o.chosen, o.why) for o in choice.options] == [
        ("directly", True, "the last that applies"),
        ("through B", False, "tried, and failed: no method is registered for task 'nowhere'"),
        ("otherwise", False, "k must be 'w', and is 'v'; l must be '', and is not known"),
    ]
    assert choice.chosen is choice.options[0]

    both = Planner().register_methods([two, Method("A", primitives("z"), one.preconditions)])
    why = [o.why for o in both.plan_with_world("A", {"k": "v"}).choices[0].options]
    assert why == [
        "applies, with no precondition where the chosen one has 1",
        "the most specific of 2 that apply",
    ]


def test_the_first_choices_error_is_reported() -> None:
    """Where every method fails it is that of the one that was tried first."""
    planner = Planner().register_methods(
        [
            Method("A", (Task.compound("B"),)),
            Method("A", (Task.compound("C"),)),
            Method("B", (Task.compound("D"),)),
        ]
    )

    with pytest.raises(NoMethodFound) as caught:
        planner.plan("A")

    assert caught.value.task == "D"
    assert [choice.task for choice in caught.value.choices] == ["A", "B", "D"]
    assert [choice.parent for choice in caught.value.choices] == [None, 0, 1]


def test_what_a_failed_method_had_done_is_gone() -> None:
    """Its steps and its choices are in no plan, and those before it stay."""
    planner = Planner().register_methods(
        [
            Method("A", (*primitives("before"), Task.compound("B"), *primitives("after"))),
            Method("B", (*primitives("wrong"), Task.compound("nothing")), [Precondition("k", "v")]),
            Method("B", primitives("right")),
        ]
    )
    plan = planner.plan_with_world("A", {"k": "v"})

    assert tools(plan) == ["before", "right", "after"]
    assert [(c.task, c.parent, c.at) for c in plan.choices] == [("A", None, 0), ("B", 0, 1)]
    assert [step.choice for step in plan] == [0, 1, 0]


@pytest.mark.parametrize("most", [1, 3])
def test_the_limit_of_steps(most: int) -> None:
    """A plan may have as many as that and not one more, whatever else could be tried."""
    planner = Planner(PlannerConfig(max_steps=most))
    planner.register_methods([Method("A", primitives(*"ab")), Method("B", primitives("c"))])
    planner.register_method(Method("C", (Task.compound("A"), Task.compound("A"))))

    assert len(planner.plan("A" if most > 1 else "B")) <= most
    with pytest.raises(StepLimitExceeded) as caught:
        planner.plan("C")
    assert caught.value.max_steps == most


def test_the_limit_of_nodes() -> None:
    """A search that could take for ever ends, and says so."""
    planner = Planner(PlannerConfig(max_depth=40))
    for n in range(30):
        below = (Task.compound(f"T{n + 1}"), Task.compound("none"))
        planner.register_methods([Method(f"T{n}", below), Method(f"T{n}", below)])
    planner.register_method(Method("T30"))

    with pytest.raises(NodeLimitExceeded) as caught:
        planner.plan("T0")
    assert caught.value.max_nodes == 10_000
    assert len(caught.value.choices) > 10


def test_what_is_not_there_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name like a task that is missing is sought among many once, however often it is met."""
    sought: list[str] = []

    def near(name: str, known: Any) -> str:
        sought.append(name)
        return f" of {len(known)}"

    monkeypatch.setattr("agentlab.strategies.search.suggestion", near)
    planner = Planner().register_methods([Method("A", [Task.compound("B")]) for _ in range(20)])
    with pytest.raises(NoMethodFound, match=r"'B' of 1$"):
        planner.plan("A")

    assert sought == ["B"]


def test_deep_methods() -> None:
    """A hundred thousand levels are no more than a list: nothing recurs."""
    deep = 100_000
    planner = Planner(PlannerConfig(max_depth=deep + 1, max_nodes=2 * deep))
    planner.register_methods(Method(f"T{n}", (Task.compound(f"T{n + 1}"),)) for n in range(deep))
    planner.register_method(Method(f"T{deep}", primitives("end")))
    plan = planner.plan("T0")

    assert tools(plan) == ["end"]
    assert plan[0].depth == deep + 1
    assert ExecutionPlan.from_dict(plan.to_dict()) == plan
    assert len(plan.to_html()) < 64_000
    with pytest.raises(NoMethodFound) as caught:
        planner.plan(Task.compound("T0x"))
    assert len(caught.value.choices) == 1


def test_a_frame() -> None:
    """It has a row a step, with what it is a part of."""
    table = company().plan_with_world("research_company", {"company_type": "public"}).to_frame()

    assert list(table["tool"]) == ["web_search", "fetch_sec_filings", "summarise"]
    assert set(table["method"]) == {"with filings"}
    assert list(table["step"]) == [1, 2, 3]


def test_placeholders() -> None:
    """They are left as they are, listed, and filled so that arguments stay JSON."""
    args = '{"q": "about <company>", "n": <count>, "x": "<company>"}'
    planner = Planner().register_method(Method("A", (Task.primitive("search", args),)))
    plan = planner.plan("A")
    bound = planner.plan("A", bindings={"company": 'A "B" \\ <count>', "count": 3})

    assert plan[0].args == args
    assert plan.unbound() == ["company", "count"]
    assert json.loads(bound[0].args) == {
        "q": 'about A "B" \\ <count>', "n": 3, "x": 'A "B" \\ <count>',
    }  # fmt: skip
    assert Planner(bindings={"count": 1}).register_methods(planner.methods()).plan(
        "A"
    ).unbound() == ["company"]


def test_what_an_earlier_step_gives_is_known() -> None:
    """A placeholder that is the name of a tool called before is not unbound."""
    calls = (Task.primitive("sum", {"of": "<search>"}), Task.primitive("search"),
             Task.primitive("sum", {"of": "<search>"}))  # fmt: skip
    planner = Planner().register_methods([Method("A", calls), Method("B", calls[1:])])

    assert planner.plan("A").unbound() == ["search"]
    assert planner.plan("B").unbound() == []


@pytest.mark.parametrize("args", ["{", '{"a": nothing}', "'", 3, None, [1]])
def test_arguments_that_are_no_json(args: Any) -> None:
    """Are refused, with the tool and the value."""
    with pytest.raises(InvalidValue, match="args of 'search'"):
        Task.primitive("search", args)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Method("", ()), lambda: Method("A", NOT_ONE), lambda: Method("A", [NOT_ONE]),
        lambda: Method("A", (), [NOT_ONE]), lambda: Task.compound(""),
        lambda: Planner(world={"a": ONE}),
        lambda: Planner(world=NOT_ONE), lambda: Planner().register_method(NOT_ONE),
        lambda: PlannerConfig(max_depth=-1), lambda: PlannerConfig(max_steps=0),
        lambda: PlannerConfig(method_selection=NOT_ONE), lambda: PlannerConfig(max_nodes=0),
        lambda: ExecutionPlan.from_dict({"goal": 3}), lambda: ExecutionPlan.from_dict({}),
        lambda: ExecutionPlan.from_dict(ONE), lambda: Task.primitive(ONE),
        lambda: Task.compound(ONE), lambda: Task("A", ONE),
        lambda: Precondition("a", ONE), lambda: Precondition(ONE, "a"),
        lambda: Method("A", (), (), ONE), lambda: Planner(bindings=ONE),
        lambda: Planner(bindings={ONE: 1}), lambda: Planner().plan(ONE),
        lambda: Planner().plan(Task.primitive("a"), bindings=ONE),
        lambda: Planner().register_methods(ONE), lambda: Planner().bridge(ONE),
        lambda: Planner().plan(Task.primitive("a")).run_sync(ONE),
    ],
)  # fmt: skip
def test_what_cannot_be(wrong: Any) -> None:
    """Is refused at once."""
    with pytest.raises(InvalidValue):
        wrong()


def test_all_methods_or_not_any() -> None:
    """Of several methods, among which is something else, none is registered."""
    planner = Planner()
    with pytest.raises(InvalidValue, match="each of methods must be a Method"):
        planner.register_methods([Method("A"), ONE])

    assert planner.methods() == []


def test_lone_surrogates() -> None:
    """Names and conditions that cannot be written down still meet what they are compared with."""
    method = Method("do\ud800", [Task.primitive("a")], [Precondition("k\ud800", "v\ud800")])
    plan = Planner().register_method(method).plan_with_world("do\ud800", {"k\ud800": "v\ud800"})

    assert [step.tool for step in plan] == ["a"]
    assert ExecutionPlan.from_dict(plan.to_dict()) == plan


def solved(
    methods: dict[str, list[Method]], world: dict[str, str], task: Task, depth: int, limits: Any
) -> list[tuple[str, int]]:
    """Find the steps in the plainest way: it calls itself."""
    limits["nodes"] -= 1
    if limits["nodes"] < 0:
        raise NodeLimitExceeded(0)
    if depth > limits["depth"]:
        raise DepthExceeded(task.name, limits["depth"])
    if task.is_primitive:
        return [(task.name, depth)]
    if not methods.get(task.name):
        raise NoMethodFound(task.name)
    able = [m for m in methods[task.name] if all(p.holds(world) for p in m.preconditions)]
    if not able:
        raise NoPreconditionSatisfied(task.name)
    first: Exception | None = None
    for method in sorted(able, key=lambda m: -len(m.preconditions)):
        try:
            return [step for sub in method.subtasks
                    for step in solved(methods, world, sub, depth + 1, limits)]  # fmt: skip
        except (NoMethodFound, NoPreconditionSatisfied) as error:
            first = first or error
    assert first is not None
    raise first


NAMES = "ABCDE"
subtasks = st.one_of(
    st.sampled_from(NAMES).map(Task.compound), st.sampled_from("xyz").map(Task.primitive)
)
conditions = st.builds(Precondition, st.sampled_from("pq"), st.sampled_from("01"))
methods = st.builds(
    Method, st.sampled_from(NAMES), st.lists(subtasks, max_size=3).map(tuple),
    st.lists(conditions, max_size=2, unique=True).map(tuple), st.text(max_size=5),
)  # fmt: skip
worlds = st.dictionaries(st.sampled_from("pq"), st.sampled_from("01"))


@settings(max_examples=300, deadline=None)
@given(st.lists(methods, max_size=12), worlds)
def test_random_methods(some: list[Method], world: dict[str, str]) -> None:
    """A search ends within its limits, as the plainest search does, and again in the same way."""
    planner = Planner(PlannerConfig(6, 50, max_nodes=500)).register_methods(some)
    by_task: dict[str, list[Method]] = {}
    for method in some:
        by_task.setdefault(method.task, []).append(method)
    told: Any
    wanted: Any
    try:
        told = planner.plan_with_world("A", world)
    except SearchError as error:
        told = type(error)
    try:
        wanted = solved(by_task, world, Task.compound("A"), 0, {"nodes": 500, "depth": 6})
    except SearchError as error:
        wanted = type(error)
    if told is StepLimitExceeded or (isinstance(wanted, list) and len(wanted) > 50):
        return  # the plain one counts no steps
    if not isinstance(told, ExecutionPlan):
        assert told is wanted
        return
    assert [(step.tool, step.depth) for step in told] == wanted
    assert told == planner.plan_with_world("A", world)
    assert ExecutionPlan.from_dict(json.loads(json.dumps(told.to_dict()))) == told
    for n, choice in enumerate(told.choices):
        assert sum(option.chosen for option in choice.options) == 1
        assert choice.parent is None if n == 0 else choice.parent < n  # type: ignore[operator]


CODE = """
import json
from agentlab.strategies.planner import Method, Planner, Precondition, Task
planner, world = Planner(), {f"k{n}": "v" for n in range(9)}
for n in range(40):
    needs = [Precondition(f"k{m}", "v") for m in {n % 9, n % 7, n % 5}]
    more = [Task.compound(f"T{n // 2 + 1}")] if n < 30 else []
    planner.register_method(Method(f"T{n // 3}", [Task.primitive(f"tool{n}"), *more], needs))
print(json.dumps(planner.plan_with_world("T0", world).to_dict()))
"""


def test_the_same_in_another_process(tmp_path: Path) -> None:
    """Whatever the order of hashes is there."""
    root, said = Path(agentlab.__file__).parents[1], set[str]()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CODE]
        done = subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, env=env)  # noqa: S603
        said.add(done.stdout.decode())

    assert len(said) == 1
    assert "tool0" in said.pop()


def test_why_holds_after_going_back() -> None:
    """What was not tried comes after the one that was chosen, and not after the one that failed."""
    planner = Planner().register_methods(
        [
            Method("go", [Task.primitive("walk")], description="walk"),
            Method("go", [Task.primitive("swim")], [Precondition("a", "1")], "swim"),
            Method(
                "go",
                [Task.compound("fly")],
                [Precondition("a", "1"), Precondition("b", "1")],
                "fly",
            ),
        ]
    )
    (choice,) = planner.plan_with_world("go", {"a": "1", "b": "1"}).choices
    assert [(each.method, each.why) for each in choice.options[:2]] == [
        ("walk", "applies, and comes after the chosen one"),
        ("swim", "the next that applies"),
    ]
