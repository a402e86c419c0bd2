"""A pipeline whose middle stage is tried again when it fails, and asked only once per question."""

from __future__ import annotations

import agentlab as al
from agentlab.core.clock import FakeClock


class Oracle:
    """A service that is busy twice before it answers."""

    def __init__(self) -> None:
        self.calls = 0

    async def ask(self, question: str) -> str:
        """Answer, sooner or later."""
        self.calls += 1
        if self.calls <= 2:
            raise al.ProviderError("busy", status=503)
        return f"{question} is a fine question"


def main() -> None:
    """Send the same question twice: the first takes three calls, the second none."""
    clock, oracle = FakeClock(), Oracle()
    pipeline = (
        al.Pipeline()
        .add_stage("tidy", lambda text: " ".join(text.split()).capitalize())
        .add_stage(
            "ask",
            oracle.ask,
            retry=al.RetryPolicy.exponential(max_attempts=3, base_ms=100, clock=clock),
            dedup=al.Deduplicator(ttl_s=300, clock=clock),
            dedup_key=True,
        )
        .add_stage("stress", lambda text: f"{text}!")
    )

    answer, first = pipeline.run_traced_sync("what   is a tide")
    again, second = pipeline.run_traced_sync("What is  a tide")
    for name, stages in (("first", first), ("second", second)):
        for stage in stages:
            how = "from the cache" if stage.cached else f"{stage.attempts} attempts"
            print(f"{name:8}{stage.name:8}{how}")
    print(f"{answer}  ({oracle.calls} calls, {clock.monotonic():.1f} s of waiting)")

    assert again == answer == "What is a tide is a fine question!"
    assert oracle.calls == 3
    assert [stage.cached for stage in second] == [False, True, False]


if __name__ == "__main__":
    main()
