"""The trace explorer, in a real JupyterLab and a real browser."""

from __future__ import annotations

import pytest

from tests.browser.lab import DARK, LIGHT, Lab, Tab
from tests.browser.watching import SETUP

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [400, 1000])
def test_try(labs, browser, theme: str, width: int) -> None:
    """Try."""
    tab = Tab(browser, width + 120 * (width < 500), 900)
    tab.open(labs(theme), "t.ipynb", SETUP, '''
class Both:
    strategy_name = "debate"
    async def __call__(self, run, goal):
        from agentlab.core.events import Argued, Scored, Phase, Recalled, Hit
        run.emit(Recalled((Hit("1","cats are nice",.4),)))
        for r in (1,2):
            run.emit(Phase(f"round {r}"))
            for name in ("Alice", "Bob"):
                child = run.child(name)
                await runtime(400)(child, goal)
                run.emit(Argued(r, name, "I think so."))
            run.emit(Scored("judge", "Alice", r, .7))
        return await runtime(200)(run, goal)
from agentlab.strategies.react import ReAct
async def runtime2(run, goal): pass
class S(ReAct): pass
def runtime(rate=40):
    class X:
        async def __call__(self, run, goal):
            from dataclasses import replace
            r = replace(run, model=script(rate), tools=AgentRuntime(script(rate), tools=[population]).tools if hasattr(AgentRuntime,'tools') else run.tools)
            return await ReAct()(r, goal)
    return X()
session = await AgentRuntime(script(300), tools=[population]).start(ASK, strategy=Both())
''', "e = session.explore()")
    tab.do("application:toggle-left-area")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-spans")
    tab.page.wait_for_timeout(1500)
    n = f"{theme.rpartition(' ')[2].lower()}-{width}"
    tab.shot(f"trace-a-{n}")
    tab.page.locator(".agl-span", has_text="Nise").first.click()
    tab.page.wait_for_timeout(500)
    tab.shot(f"trace-b-{n}")
    tab.page.locator(".agl-rows .agl-span", has_text="model").nth(3).click()
    tab.page.wait_for_timeout(500)
    tab.shot(f"trace-c-{n}")
    tab.fine()
